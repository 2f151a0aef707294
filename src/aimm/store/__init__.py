"""Keep models: verified model files, written whole or not at all, and a crash-safe store of named versions.

A name is imported when it is first used: who only reads a header does not wait for a database.
"""

from typing import TYPE_CHECKING

from aimm import lazy_names

if TYPE_CHECKING:
    from aimm.store._example import Example
    from aimm.store._file import (
        ModelFile,
        load_model,
        open_model,
        pack_model,
        read_header,
        save_model,
        unpack_model,
        verify_model,
    )
    from aimm.store._index import Condition, Index, ModelVersion, Value
    from aimm.store._layout import FORMAT_VERSION, Header
    from aimm.store._objects import GRACE, Objects
    from aimm.store._policy import OtherVersion, Policy, default_policy, load_policy
    from aimm.store._store import ModelStore, default_root
    from aimm.store._versions import migration

__all__ = [
    "FORMAT_VERSION",
    "GRACE",
    "Condition",
    "Example",
    "Header",
    "Index",
    "ModelFile",
    "ModelStore",
    "ModelVersion",
    "Objects",
    "OtherVersion",
    "Policy",
    "Value",
    "default_policy",
    "default_root",
    "load_model",
    "load_policy",
    "migration",
    "open_model",
    "pack_model",
    "read_header",
    "save_model",
    "unpack_model",
    "verify_model",
]

_MODULES = {
    "_example": ("Example",),
    "_file": (
        *("ModelFile", "load_model", "open_model", "pack_model", "read_header", "save_model", "unpack_model"),
        "verify_model",
    ),
    "_index": ("Condition", "Index", "ModelVersion", "Value"),
    "_layout": ("FORMAT_VERSION", "Header"),
    "_objects": ("GRACE", "Objects"),
    "_policy": ("OtherVersion", "Policy", "default_policy", "load_policy"),
    "_store": ("ModelStore", "default_root"),
    "_versions": ("migration",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


if not TYPE_CHECKING:
    __getattr__ = lazy_names(globals(), _HOMES)


def __dir__() -> list[str]:
    """Every name, loaded or not."""
    return sorted({*globals(), *_HOMES})

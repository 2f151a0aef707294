"""Keep models: verified model files, written whole or not at all, and a crash-safe store of named versions."""

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
from aimm.store._objects import Objects
from aimm.store._policy import OtherVersion, Policy, default_policy, load_policy
from aimm.store._store import GRACE, ModelStore, default_root
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

"""A plugin framework for machine-learning platforms; start at :mod:`aimm.plugins`."""

from collections.abc import Callable, Mapping
from typing import Any

__version__ = "0.1.0"


def lazy_names(namespace: dict[str, Any], homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package that imports the module of a name when the name is first used.

    It stands here, where no start reads a file more for it. To type checkers a package shows the imports instead: one
    that saw ``__getattr__`` would accept every name.

    Args:
        namespace: The package's ``globals()``, which keep what was found.
        homes: Name to the module in the package that has it.
    """
    package = namespace["__name__"]

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        value = namespace[name] = getattr(import_module(f"{package}.{homes[name]}"), name)
        return value

    return find

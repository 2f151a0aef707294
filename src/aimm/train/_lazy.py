"""Imports that happen when what they bring is first used."""

import importlib
import sys
from types import ModuleType
from typing import Any


class _LazyModule(ModuleType):
    """Stands for a module until one of its attributes is read."""

    def __init__(self, name: str, shortname: str | None, namespace: dict[str, Any]) -> None:
        super().__init__(name)
        self.__dict__["_aimm_lazy"] = name, shortname, namespace

    def _load(self) -> ModuleType:
        name, shortname, namespace = self.__dict__["_aimm_lazy"]
        module = importlib.import_module(name)
        if shortname is None:  # as "import a.b" does, which binds a
            shortname = name.partition(".")[0]
            module = sys.modules[shortname]
        _replace(namespace, shortname, self, module)
        return module

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._load(), attribute)

    def __dir__(self) -> list[str]:
        return dir(self._load())

    def __repr__(self) -> str:
        return f"<module {self.__dict__['_aimm_lazy'][0]!r}, imported when it is used>"


class _LazyFunction:
    """Stands for a function or class of a module until it is called or one of its attributes is read."""

    def __init__(self, module: str, name: str, namespace: dict[str, Any]) -> None:
        self.__dict__["_aimm_lazy"] = module, name, namespace

    def _load(self) -> Any:
        module, name, namespace = self.__dict__["_aimm_lazy"]
        value = getattr(importlib.import_module(module), name)
        _replace(namespace, name, self, value)
        return value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._load()(*args, **kwargs)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._load(), attribute)

    def __repr__(self) -> str:
        return "<{}.{}, imported when it is used>".format(*self.__dict__["_aimm_lazy"][:2])


def _replace(namespace: dict[str, Any], name: str, placeholder: Any, value: Any) -> None:
    # From now on the name leads straight to the real thing, unless its owner gave it another meaning.
    if namespace.get(name) is placeholder:
        namespace[name] = value


def lazy_import(modulename: str, shortname: str | None = None, asfunction: bool = False) -> Any:
    """Import a module, or a function of it, when it is first used; until then nothing is imported.

    The name is bound in the module that calls this, as an import statement there would. Type checkers do not see that:
    for them, assign the result.

    Args:
        modulename: Module to import.
        shortname: Name to bind; the module's own if not given. With ``asfunction``, the function to import.
        asfunction: Whether ``shortname`` is a function of the module.

    Returns:
        What stands for the module or function, and does what it does.

    Raises:
        ValueError: ``asfunction`` without a ``shortname``.

    Examples:
        Instead of ``import tensorflow``::

            lazy_import("tensorflow")

        Instead of ``import tensorflow as tf``::

            lazy_import("tensorflow", "tf")

        Instead of ``from object_detection import model_lib``::

            lazy_import("object_detection.model_lib", "model_lib")

        Instead of ``from json import dumps``::

            lazy_import("json", "dumps", asfunction=True)
    """
    namespace = sys._getframe(1).f_globals
    if asfunction:
        if shortname is None:
            raise ValueError(
                f"lazy_import({modulename!r}, asfunction=True) needs the name of the function as shortname"
            )
        lazy: Any = _LazyFunction(modulename, shortname, namespace)
        namespace[shortname] = lazy
        return lazy
    lazy = namespace[shortname or modulename.partition(".")[0]] = _LazyModule(modulename, shortname, namespace)
    return lazy

"""How to load the owner of a model type once more, in another process or another manager."""

import importlib
import importlib.util
import itertools
import sys
from types import ModuleType
from typing import Any, NamedTuple

from aimm import plugins
from aimm.errors import PluginNotFoundError, SubjectError
from aimm.testing._checks import FailedError

_numbers = itertools.count(1)


class Recipe(NamedTuple):
    """What another process needs to know; plain data.

    Attributes:
        candidate: The plugin, if an entry point, a configuration or a class brings it.
        module: Module to import, if a plain import brings it.
        file: Where that module is, for one that cannot be imported by its name.
        why_not: Why no other process can load it; empty if one can.
    """

    candidate: tuple[Any, ...] | None = None
    module: str = ""
    file: str | None = None
    why_not: str = ""

    @property
    def group(self) -> str:
        """The entry-point group, if there is one."""
        return self.candidate[0] if self.candidate else ""


def recipe_of(manager: plugins.PluginManager, model_type: str) -> Recipe:
    """The recipe for whatever owns a model type in a manager."""
    action = next(a for o in manager.owners() if o.name == model_type for a in o.actions)
    source = manager.owner_record(model_type, action).source
    for candidate in (*manager.report.loaded, *manager.candidates()):
        if (candidate.name, candidate.distribution) == (source.plugin, source.distribution):
            return Recipe(tuple(candidate))
    return _imported(source.module)


def class_recipe(cls: type) -> tuple[Recipe, str]:
    """The recipe for a model class, and its model type."""
    module, name = cls.__module__, f"{cls.__module__}.{cls.__name__}"
    if "<locals>" in cls.__qualname__ or _attribute(module, cls.__qualname__) is not cls:
        shelf = ModuleType(f"aimm_checked_{next(_numbers)}")
        shelf.__dict__[cls.__name__] = cls
        sys.modules[shelf.__name__] = shelf
        candidate = plugins.Candidate("aimm.models", name, f"{shelf.__name__}:{cls.__name__}")
        return Recipe(tuple(candidate), why_not="the class is local to a function"), name
    candidate = plugins.Candidate("aimm.models", name, f"{module}:{cls.__qualname__}")
    return _imported(module)._replace(candidate=tuple(candidate)), name


def load(recipe: Recipe, manager: plugins.PluginManager) -> plugins.PluginManager:
    """Load a recipe.

    Args:
        recipe: What to load.
        manager: Where plugins go that are no plain import.

    Returns:
        The manager that has it: the default one for a plain import.

    Raises:
        FailedError: It cannot be loaded.
    """
    if recipe.module and recipe.module not in sys.modules:
        _import(recipe.module, recipe.file)
    if recipe.candidate is None:
        return plugins.default_manager
    failure = manager.load(plugins.Candidate(*recipe.candidate))
    if failure:
        raise FailedError(failure.describe())
    return manager


def find(manager: plugins.PluginManager | None, model_type: str) -> plugins.PluginManager:
    """The manager that knows a model type: the given one, or the default one, which is initialised if need be.

    Raises:
        SubjectError: Nobody owns it.
    """
    chosen = manager or plugins.default_manager
    try:
        try:
            chosen.route(model_type)
        except PluginNotFoundError:
            if manager is not None:
                raise
            plugins.initialize()
            chosen.route(model_type)
    except LookupError as error:
        raise SubjectError(str(error)) from error
    return chosen


def _imported(module: str) -> Recipe:
    found = sys.modules.get(module)
    file = getattr(found, "__file__", None)
    if module == "__main__":
        return Recipe(why_not="it is declared in the main program, which no other process can import")
    if file is None and importlib.util.find_spec(module) is None:
        return Recipe(why_not=f"module {module!r} cannot be imported by another process")
    return Recipe(module=module, file=file)


def _import(module: str, file: str | None) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError:
        # A test module, for instance, which its test runner imports under a name that nobody else can import.
        spec = file and importlib.util.spec_from_file_location(module, file)
        if not spec or not spec.loader:
            raise
        made = sys.modules[module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)


def _attribute(module: str, path: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    return found

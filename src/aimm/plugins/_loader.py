"""Loading one candidate: the only place where strangers' code is imported.

The import runs with a scratch registry, so that a plugin that fails leaves nothing behind. Whatever goes wrong becomes
a :class:`PluginFailure`; only ``KeyboardInterrupt`` passes.
"""

import importlib
import re
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any, NamedTuple

from aimm import errors
from aimm._types import MODEL_ACTIONS
from aimm.plugins._directories import directories, module_names
from aimm.plugins._discovery import Candidate
from aimm.plugins._isolation import side_effects
from aimm.plugins._model import check_model_class, model_records
from aimm.plugins._registry import Record, Registry, Source, journal, scratch_registry

_VALUE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(\s*:\s*[^\W\d]\w*(\.[^\W\d]\w*)*)?\s*(\[.*\])?")


class Loaded(NamedTuple):
    """A plugin that imported cleanly and was checked; nothing of it is registered yet.

    Attributes:
        candidate: What was loaded.
        targets: The imported modules or the object that the entry point names.
        records: What it declares.
    """

    candidate: Candidate
    targets: tuple[Any, ...]
    records: tuple[Record, ...]


class BrokenPluginError(Exception):
    """Internal: carries a failure to the manager; the original exception is its ``__cause__``."""

    def __init__(self, failure: "errors.PluginFailure") -> None:
        super().__init__(failure)
        self.failure = failure


def load(candidate: Candidate, effects: list[str]) -> Loaded:
    """Import a candidate and check what it declares.

    Args:
        candidate: What to load.
        effects: Takes what the import changes in the process, in words, also if it fails.

    Raises:
        BrokenPluginError: It cannot be imported, or is not what its declaration says.
    """
    stage = "import"
    try:
        with scratch_registry() as scratch, side_effects(effects):
            modules = _import(candidate)
            stage = "resolve"
            targets = tuple(_attribute(module, candidate) for module in modules)
        stage = "check"
        records = _declared(candidate, scratch, modules)
        records += _own_records(candidate, targets[0], records) if targets else []
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise broken(candidate, stage, error) from error
    return Loaded(candidate, targets, tuple(records))


def broken(candidate: Candidate, stage: str, error: BaseException) -> BrokenPluginError:
    """Turn an exception into the failure of a candidate."""
    return BrokenPluginError(
        errors.PluginFailure(
            candidate.name,
            stage,
            candidate.distribution,
            candidate.version,
            candidate.declaration,
            _file(candidate, error),
            in_words(error),
            _hint(candidate, stage, error),
            _traceback(error),
        )
    )


def in_words(error: BaseException) -> str:
    """An exception as ``Type: message``, also when its ``__str__`` raises."""
    try:
        text = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - the plugin's exception is broken too
        text = "(its message cannot be shown)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _import(candidate: Candidate) -> list[ModuleType]:
    if candidate.group == "directories":
        package = directories.add(candidate.value)
        return [importlib.import_module(name) for name in module_names(candidate.value, package)]
    if not _VALUE.fullmatch(candidate.value.strip()):
        raise errors.DeclarationError(
            f"an entry point has the form 'module' or 'module:attribute', not {candidate.value!r}"
        )
    module = importlib.import_module(candidate.module)
    if candidate.group == "aimm.tasks" and ":" not in candidate.value:
        return [module, *(importlib.import_module(name) for name in _children(module))]
    return [module]


def _children(package: ModuleType) -> list[str]:
    """The modules of a package of tasks, which is like a plugin directory; those with an underscore are its own."""
    from pkgutil import iter_modules

    names = sorted(child.name for child in iter_modules(getattr(package, "__path__", ())) if not child.ispkg)
    return [f"{package.__name__}.{name}" for name in names if not name.startswith("_")]


def _attribute(module: ModuleType, candidate: Candidate) -> Any:
    target: Any = module
    if candidate.group != "directories":
        for name in filter(None, candidate.value.partition("[")[0].partition(":")[2].strip().split(".")):
            target = getattr(target, name)
    return target


def _declared(candidate: Candidate, scratch: Registry, modules: Iterable[ModuleType]) -> list[Record]:
    """What the import declared, and what it would have declared had its modules not been imported before."""
    found = {record.key: record for record in scratch.records()}
    for module in modules:
        # A module may have put something else in its place in sys.modules.
        for record in journal.replay(getattr(module, "__name__", candidate.module)):
            found.setdefault(record.key, record)
    return list(found.values())


def _own_records(candidate: Candidate, target: Any, declared: list[Record]) -> list[Record]:
    """What the entry point itself declares, by its group."""
    taken = {record.key for record in declared}
    if candidate.group == "aimm.models":
        own = _model(candidate, target, declared)
    elif candidate.group == "aimm.data_access":
        own = _data_access(candidate, target, taken)
    elif candidate.group == "aimm.train":
        own = _training_command(candidate, target)
    elif candidate.group == "aimm.executors":
        own = _executor_factory(candidate, target)
    else:
        own = []
    return [record for record in own if record.key not in taken]


def _model(candidate: Candidate, target: Any, declared: list[Record]) -> list[Record]:
    if not isinstance(target, ModuleType):
        check_model_class(target, f"{candidate.value} as model type {candidate.name!r}")
        return [r for name in candidate.names for r in model_records(target, name, Source(target.__module__))]
    model_types = sorted({record.name for record in declared if record.kind in MODEL_ACTIONS})
    if candidate.name not in model_types:
        raise errors.DeclarationError(
            f"module {candidate.value!r} was to declare the model type {candidate.name!r} by decorators, but declares "
            f"{', '.join(map(repr, model_types)) or 'none'}"
        )
    return []


def _data_access(candidate: Candidate, target: Any, taken: set[tuple[str, str]]) -> list[Record]:
    key = ("data_access", candidate.name)
    if isinstance(target, ModuleType):
        if key not in taken:
            raise errors.DeclarationError(
                f"module {candidate.value!r} was to declare the data access {candidate.name!r} with the decorator "
                "data_access, but does not"
            )
        return []
    if not callable(target):
        raise errors.DeclarationError(f"{candidate.value} must be a function that fetches data, not {target!r}")
    return [Record(*key, target, Source(candidate.module))]


def _training_command(candidate: Candidate, target: Any) -> list[Record]:
    from click import Command

    if not isinstance(target, Command):
        raise errors.DeclarationError(f"{candidate.value} must be a click group or command, not {target!r}")
    return []


def _executor_factory(candidate: Candidate, target: Any) -> list[Record]:
    if not callable(target):
        raise errors.DeclarationError(f"{candidate.value} is no factory but {type(target).__name__}")
    return []


def _file(candidate: Candidate, error: BaseException) -> str | None:
    """Where to look: the last line that ran and is neither ours nor the import system's, else the declaration."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    trace, found = error.__traceback__, candidate.path or None
    while trace is not None:
        name, module = trace.tb_frame.f_code.co_filename, str(trace.tb_frame.f_globals.get("__name__"))
        if not name.startswith("<") and module != "importlib" and not f"{module}.".startswith("aimm."):
            found = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _traceback(error: BaseException) -> str:
    import traceback

    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - formatting calls the plugin's __str__
        return ""


def _hint(candidate: Candidate, stage: str, error: BaseException) -> str:
    distribution = candidate.distribution
    if stage == "settings":
        return f"correct 'settings: {{{candidate.name}: ...}}' in the configuration"
    if isinstance(error, ModuleNotFoundError) and error.name and isinstance(error.name, str):
        if f"{candidate.module}.".startswith(f"{error.name}."):
            if distribution:
                repair = f"pip install --force-reinstall {distribution}"
                return f"{distribution} declares a module that it does not contain: {repair}"
            return (
                "check the spelling, and that the module's folder is on sys.path (PYTHONPATH adds one); "
                "installed plugins need no line in 'names'"
            )
        top = error.name.partition(".")[0]
        return f"the plugin needs the module {error.name!r}: install what provides it, for instance 'pip install {top}'"
    if isinstance(error, SystemExit):
        return "the plugin calls sys.exit() while it is imported; that belongs under if __name__ == '__main__'"
    if isinstance(error, SyntaxError):
        version = ".".join(map(str, sys.version_info[:2]))
        return f"correct the file; if it is right, the plugin may not support Python {version}"
    if stage == "resolve" and isinstance(error, AttributeError):
        return f"{candidate.module} has no such attribute: correct the entry point, or reinstall {distribution}"
    if distribution:
        return (
            f"'aimm -v plugins doctor' shows the traceback; upgrade {distribution}, or leave it out with "
            f"'entry_points: {{exclude: [{distribution}]}}'"
        )
    return "correct the plugin and call initialize() again; 'aimm -v plugins doctor' shows the traceback"

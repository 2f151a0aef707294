"""From a name to the one task or artifact handler that it means.

A name is looked for among what is registered, then in the plugins that declare it, which are loaded for it; the end of
a name (``module.function``, ``function``) is looked for everywhere, so all plugins with tasks are loaded for it.
"""

import weakref
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NoReturn

from aimm.errors import PluginFailure, TaskConflictError, TaskNotFoundError
from aimm.plugins import PluginManager, default_manager, safe_mode
from aimm.plugins._registry import Record
from aimm.tasks._builtin import builtin_handlers, builtin_tasks
from aimm.tasks._records import Declared, HandlerRecord, TaskRecord, handler_record, task_record
from aimm.tasks._register import ARTIFACT, TASK

WORDS = {TASK: "task", ARTIFACT: "artifact handler"}
_EAGER = ("names", "directories", "aimm.plugins")


class Catalog:
    """The tasks and artifact handlers of one manager; see :func:`catalog_of`."""

    def __init__(self, manager: PluginManager) -> None:
        self._manager = weakref.ref(manager)
        self._builtin = {TASK: builtin_tasks(manager), ARTIFACT: builtin_handlers(manager)}
        self._tasks: dict[str, tuple[Record, TaskRecord]] = {}
        self._handlers: dict[str, tuple[Record, HandlerRecord]] = {}
        manager.add_kind(TASK, lambda name: self._record(TASK, name))

    @property
    def manager(self) -> PluginManager:
        """Whose tasks these are."""
        manager = self._manager()
        assert manager is not None  # it holds this object, by the kind that was added to it
        return manager

    def full_name(self, name: str) -> str:
        """The full name of the task of this name; see :func:`aimm.tasks.find_task`."""
        return self._record(TASK, name).name

    def task(self, name: str) -> TaskRecord:
        """The task of this name; see :func:`aimm.tasks.find_task`."""
        record = self._record(TASK, name)
        held = self._tasks.get(record.name)
        if held is None or held[0] is not record:
            held = self._tasks[record.name] = record, task_record(self._owned(record))
        return held[1]

    def handler(self, name: str) -> HandlerRecord:
        """The artifact handler of this name; see :func:`aimm.tasks.find_handler`."""
        record = self._record(ARTIFACT, name)
        held = self._handlers.get(record.name)
        if held is None or held[0] is not record:
            held = self._handlers[record.name] = record, handler_record(self._owned(record))
        return held[1]

    def _owned(self, record: Record) -> Record:
        """A record as that of the plugin whose module declared it, which another one may have imported first."""
        module = record.source.module
        owners = [
            c for c in self.manager.candidates() if c.group == "aimm.tasks" and f"{module}.".startswith(f"{c.module}.")
        ]
        if not owners:
            return record
        owner = max(owners, key=lambda candidate: len(candidate.module))
        source = record.source._replace(plugin=owner.name, distribution=owner.distribution, version=owner.version)
        return record._replace(source=source)

    def names(self, kind: str) -> list[str]:
        """The full names of everything of one kind that is registered by now, sorted; built-in ones included."""
        return sorted({*self._builtin[kind], *(record.name for record in self.manager.records(kind))})

    def in_module(self, module: str) -> list[Record]:
        """The tasks that a module registers, in the order of registration; its plugin is loaded for them.

        Raises:
            PluginUnavailableError: Its plugin is broken.
        """
        self._declared(TASK, f"{module}.")
        return [record for record in self._all_tasks() if record.name.rpartition(".")[0] == module]

    def refuse_module(self, module: str) -> NoReturn:
        """Say that a module registers no task.

        Raises:
            TaskNotFoundError: Always.
        """
        known = sorted({record.name.rpartition(".")[0] for record in self._all_tasks()})
        hint = get_close_matches(module, known, n=1)
        hints = (f"did you mean {hint[0]!r}?",) if hint else ()
        raise TaskNotFoundError("module with tasks", module, known, hints)

    def modules(self, package: str) -> list[str]:
        """The modules with tasks, sorted by the sort value of their first task; see :func:`aimm.tasks.names`."""
        self.load_all()
        first: dict[str, int] = {}
        for record in self.manager.records(TASK):
            first.setdefault(record.name.rpartition(".")[0], (record.details or Declared()).sort_value)
        ordered = sorted(first, key=lambda module: first[module])
        if not package:
            return ordered
        return [module[len(package) + 1 :] for module in ordered if module.startswith(f"{package}.")]

    def _all_tasks(self) -> list[Record]:
        return [*self.manager.records(TASK), *self._builtin[TASK].values()]

    def load_all(self) -> list[PluginFailure]:
        """Load every plugin that may have tasks.

        Returns:
            The failures of those that do not load.
        """
        candidates = [c for c in self.manager.candidates() if c.group == "aimm.tasks"]
        lazy = [failure for candidate in candidates if (failure := self.manager.load(candidate))]
        eager = [c.name for c in self.manager.candidates() if c.group in _EAGER]
        return [*lazy, *(f for f in self.manager.report.failed if f.plugin in eager and f not in lazy)]

    def _record(self, kind: str, name: str) -> Record:
        if not isinstance(name, str) or not name:
            hint = f"a name is a string such as 'plugin.module.function', not {type(name).__name__}"
            raise TaskNotFoundError(WORDS[kind], str(name), (), (hint,))
        return self._registered(kind, name) or self._declared(kind, name) or self._by_end(kind, name, self.load_all())

    def _registered(self, kind: str, name: str) -> Record | None:
        return self.manager.record(kind, name) or self._builtin[kind].get(name)

    def _declared(self, kind: str, name: str) -> Record | None:
        """Load the plugins whose module, or whose own name, the name begins with."""
        for candidate in self.manager.candidates():
            if name.startswith(f"{candidate.module}.") and candidate.group in ("aimm.tasks", "names"):
                full = name
            elif name.startswith(f"{candidate.name}.") and candidate.group in ("aimm.tasks", "directories"):
                full = name if candidate.group == "directories" else candidate.module + name[len(candidate.name) :]
            else:
                continue
            self.manager.require(candidate, WORDS[kind], name)
            if record := self.manager.record(kind, full):
                return record
        return None

    def _by_end(self, kind: str, name: str, failed: list[PluginFailure]) -> Record:
        matches = [r for r in self.manager.records(kind) if r.name.endswith(f".{name}")]
        if not matches and kind == ARTIFACT:  # a plugin may have a handler of the name of a built-in one
            matches = [r for r in self._builtin[kind].values() if r.name.endswith(f".{name}")]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise TaskConflictError(WORDS[kind], name, sorted(record.name for record in matches))
        known = self.names(kind)
        raise TaskNotFoundError(WORDS[kind], name, known, tuple(self._hints(kind, name, known, failed)))

    def _hints(self, kind: str, name: str, known: list[str], failed: Iterable[PluginFailure]) -> Iterable[str]:
        ends = {full.rpartition(".")[2]: full for full in known}
        last = name.rpartition(".")[2]
        if near := get_close_matches(name, known, n=1):
            yield f"did you mean {near[0]!r}?"
        elif last_near := [last] if last in ends else get_close_matches(last, ends, n=1):
            yield f"did you mean {ends[last_near[0]]!r}?"
        if safe_mode():
            yield "AIMM_SAFE_MODE is on, so no third-party plugin is loaded"
        elif not self.manager.candidates() and self.manager is not default_manager:
            yield "plugins are found by the initialize() of this PluginManager, not by aimm.plugins.initialize()"
        elif not self.manager.candidates():
            yield (
                "plugins are found by aimm.plugins.initialize(); a plain module counts once it is imported, or named "
                "under 'names' in the configuration"
            )
        for failure in failed:
            yield f"{failure.owner} failed to load and may have declared it: {failure.cause}"


_catalogs: "weakref.WeakKeyDictionary[PluginManager, Catalog]" = weakref.WeakKeyDictionary()
_default: list[Catalog] = []
"""That of the default manager, which is never gone: found without asking whether it is."""


def catalog_of(manager: PluginManager | None = None) -> Catalog:
    """The tasks and artifact handlers of a manager; of the default one if none is given."""
    if manager is None or manager is default_manager:
        if not _default:
            _default.append(Catalog(default_manager))
        return _default[0]
    found = _catalogs.get(manager)
    if found is None:
        found = _catalogs[manager] = Catalog(manager)
    return found

"""Records by (kind, name), and the journal that remembers which module declared them.

A record is written to the *active* registry: the scratch registry of a plugin that is being loaded, or else the default
one. Readers never lock: every change replaces the table. ``kind`` is an action here; sister packages add kinds.
"""

import sys
from _thread import allocate_lock  # all that is needed of threading, at a tenth of its price
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType, FunctionType, MethodType, ModuleType
from typing import Any, Iterator, NamedTuple  # noqa: UP035 - typing is loaded anyway, one import line less

from aimm import errors

UNDECLARED, DECLARED, EXPLICIT, PREFERRED = 0, 1, 2, 3
"""Ranks: merely found in a plugin; declared by an entry point; asked for by the host; named under ``prefer:``."""


class Source(NamedTuple):
    """Where a record came from.

    Attributes:
        module: Module that made the declaration.
        plugin: Entry-point, module or directory name of the plugin that brought it; None for a plain import.
        distribution: Distribution of that plugin, if known.
        version: Version of that distribution, if known.
        rank: Who wins when two plugins own one name: the higher one.
    """

    module: str
    plugin: str | None = None
    distribution: str | None = None
    version: str | None = None
    rank: int = EXPLICIT

    def describe(self) -> str:
        """The plugin, distribution and version in a few words, or the module of a plain import."""
        if self.plugin is None:
            return f"module {self.module!r}"
        return errors.owner_text(self.plugin, self.distribution, self.version)

    @property
    def choice(self) -> str:
        """What stands behind ``prefer:`` to choose this source."""
        return self.distribution or self.plugin or self.module


class Record(NamedTuple):
    """One registered implementation.

    Attributes:
        kind: The action.
        name: The model type or data access name.
        function: What is called.
        source: Where it came from.
        state_cb_arg_name: Keyword under which the function takes the state callback, if it does.
        instance_arg_name: Keyword under which it takes the instance; None means first positional argument.
        hook_arguments: For a hook implementation, the specified arguments that it takes, in order; else None.
        execution: Tells one execution of the declaring module from another (its ``__spec__``).
        details: What a package beside this one remembers with it.
    """

    kind: str
    name: str
    function: Callable[..., Any]
    source: Source
    state_cb_arg_name: str | None = None
    instance_arg_name: str | None = None
    hook_arguments: tuple[str, ...] | None = None
    execution: object = None
    details: Any = None

    @property
    def key(self) -> tuple[str, str]:
        """What the registry files this record under."""
        return self.kind, self.name

    def is_again(self, other: "Record") -> bool:
        """Whether this is the other record once more: the same object, or its module executed anew."""
        if _is_same_callable(self.function, other.function):
            return True
        same_module = self.source.module == other.source.module
        return same_module and self.execution is not other.execution


Key = tuple[str, str]


class Clash(NamedTuple):
    """Two records of equal rank under one key."""

    first: Record
    second: Record


class Registry:
    """Records by (kind, name). Readers see a whole addition or nothing of it."""

    def __init__(self) -> None:
        self._records: Mapping[Key, Record] = {}
        self._lock = allocate_lock()
        self._watchers: tuple[Callable[[Iterable[Key]], None], ...] = ()

    def watch(self, watcher: Callable[[Iterable[Key]], None]) -> None:
        """Call ``watcher`` with the changed keys after every change."""
        self._watchers = (*self._watchers, watcher)

    def get(self, kind: str, name: str) -> Record | None:
        """The record under this key, or None."""
        return self._records.get((kind, name))

    def records(self) -> tuple[Record, ...]:
        """Every record, in the order of registration."""
        return tuple(self._records.values())

    def names(self, kind: str) -> list[str]:
        """The names registered under ``kind``, sorted."""
        return sorted(name for held, name in self._records if held == kind)

    def add(self, records: Iterable[Record]) -> None:
        """Register all records or, when one of them is a duplicate, none.

        Raises:
            DuplicateError: A key is taken by another record of the same rank.
        """
        for first, second in self.merge(records, all_or_nothing=True)[:1]:
            raise errors.DuplicateError(*second.key, first.source.describe(), second.source.describe())

    def merge(self, records: Iterable[Record], *, all_or_nothing: bool = False) -> list[Clash]:
        """Register records, the higher rank winning a key that is taken; equals clash and are left out.

        Args:
            records: What to register.
            all_or_nothing: Register nothing at all if there is a clash, also one between the records themselves.

        Returns:
            The clashes.
        """
        with self._lock:
            before, table = self._records, dict(self._records)
            clashes = [clash for record in records if (clash := _put(table, record))]
            if clashes and all_or_nothing:
                return clashes
            self._records = table
        self._tell([key for key, record in table.items() if before.get(key) is not record])
        return clashes

    def discard(self, keys: Iterable[Key]) -> None:
        """Take out these keys; unknown ones are ignored."""
        gone = set(keys)
        with self._lock:
            self._records = {key: record for key, record in self._records.items() if key not in gone}
        self._tell(gone)

    def clear(self) -> None:
        """Take out everything."""
        self.discard(list(self._records))

    def _tell(self, keys: Iterable[Key]) -> None:
        for watcher in self._watchers:
            watcher(keys)


def _put(table: dict[Key, Record], record: Record) -> Clash | None:
    held = table.get(record.key)
    if held is None or record.source.rank > held.source.rank or record.is_again(held):
        # A record met again keeps its first, higher-ranked source: a plain import outranks the entry point behind it.
        again = held is not None and _is_same_callable(record.function, held.function)
        if held is None or not again or record.source.rank > held.source.rank:
            table[record.key] = record
        return None
    return Clash(held, record) if record.source.rank == held.source.rank else None


def _is_same_callable(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    # A bound method is a new object at each look-up; only methods may be asked for equality, other callables lie.
    return one is other or (isinstance(one, MethodType) and isinstance(other, MethodType) and one == other)


default_registry = Registry()
"""Where a declaration goes when no plugin is being loaded."""

_active: ContextVar[Registry | None] = ContextVar("aimm_active_registry", default=None)


@contextmanager
def scratch_registry() -> Iterator[Registry]:
    """Make a new, empty registry the active one for the time of the block."""
    scratch = Registry()
    token = _active.set(scratch)
    try:
        yield scratch
    finally:
        _active.reset(token)


def declare(records: Iterable[Record], frame: FrameType) -> None:
    """Write the records of one decorator to the active registry and to the journal.

    Args:
        records: What the decorator declares; registered together or not at all.
        frame: The frame that applies the decorator, which tells the declaring module.

    Raises:
        DuplicateError: A name is taken.
    """
    namespace = next(_importing(frame), frame).f_globals
    module, execution = namespace.get("__name__", "__main__"), namespace.get("__spec__")
    stamped = [r._replace(source=Source(module), execution=execution) for r in records]
    (_active.get() or default_registry).add(stamped)
    journal.note(module, execution, stamped, frame)


class _Page:
    """What one execution of a module declared, and which modules were being imported then."""

    def __init__(self, execution: object, importers: set[str]) -> None:
        self.execution, self.importers = execution, importers
        self.records: list[Record] = []


class Journal:
    """Remembers declarations by module, because Python executes a module only once.

    A plugin whose modules are already imported (by hand, by another manager, by a first try that failed half-way,
    before ``unload_all``) declares nothing when it is loaded; the journal replays what its import would have declared.
    """

    def __init__(self) -> None:
        self._pages: dict[str, _Page] = {}
        self._lock = allocate_lock()

    def note(self, module: str, execution: object, records: Iterable[Record], frame: FrameType) -> None:
        """Write down what ``module`` declares just now."""
        with self._lock:
            page = self._pages.get(module)
            if page is None or page.execution is not execution:
                page = self._pages[module] = _Page(execution, {f.f_globals["__name__"] for f in _importing(frame)})
            page.records.extend(records)

    def replay(self, module: str) -> list[Record]:
        """Every declaration that importing ``module`` reaches, whether or not it is imported already."""
        with self._lock:
            pages = {name: page for name, page in self._pages.items() if _is_current(name, page)}
        known = pages.keys() | {importer for page in pages.values() for importer in page.importers}
        reached, queue = {module}, [module]
        while queue:
            current = queue.pop()
            imported = {name for name, page in pages.items() if current in page.importers}
            found = (imported | _modules_named_in(current) & known) - reached
            reached |= found
            queue += found
        return [record for name, page in pages.items() if name in reached for record in page.records]


def _is_current(name: str, page: _Page) -> bool:
    return name in sys.modules and getattr(sys.modules[name], "__spec__", None) is page.execution


def _importing(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames of modules that are being imported just now, innermost first."""
    while frame is not None:
        spec = frame.f_globals.get("__spec__")
        if frame.f_code.co_name == "<module>" and getattr(spec, "_initializing", False):
            yield frame
        frame = frame.f_back


def _modules_named_in(module: str) -> set[str]:
    # Bound names show what a module imports even when the import found it in sys.modules and ran nothing.
    namespace = getattr(sys.modules.get(module), "__dict__", {})
    modules = {value.__name__ for value in list(namespace.values()) if isinstance(value, ModuleType)}
    return modules | {value.__module__ for value in list(namespace.values()) if isinstance(value, (type, FunctionType))}


journal = Journal()

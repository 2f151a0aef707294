"""What ``initialize`` tells its caller: plain data, ready to be logged, pickled or shown."""

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Any, NamedTuple

from aimm import errors
from aimm.plugins._discovery import Candidate, Found


class Report:
    """The state of every plugin at one time; who is not loaded, and what is contested, is found out when asked for.

    Args:
        loaded: See below.
        lazy: See below.
        failed: See below.
        conflicts: See below.
        side_effects: See below.

    Attributes:
        loaded: Plugins that are imported and registered.
        lazy: Plugins that load when one of their names is used.
        failed: Plugins that do not work, and why.
        conflicts: Names that several plugins claim and the configuration does not settle.
        side_effects: What loading plugins changed in the process, in words.
    """

    def __init__(
        self,
        loaded: Iterable[Candidate] = (),
        lazy: Iterable[Candidate] = (),
        failed: "Iterable[errors.PluginFailure]" = (),
        conflicts: "Iterable[errors.PluginConflictError]" = (),
        side_effects: Iterable[str] = (),
    ) -> None:
        self.loaded, self.failed, self.side_effects = tuple(loaded), tuple(failed), tuple(side_effects)
        self._found, self._done = Found(), frozenset[Candidate]()
        self._lazy, self._conflicts = tuple(lazy), tuple(conflicts)

    def about(self, found: Found, done: Collection[Candidate]) -> "Report":
        """This report, also about what was found and is neither loaded nor failed."""
        self._found, self._done = found, frozenset(done)
        return self

    @cached_property
    def lazy(self) -> tuple[Candidate, ...]:
        """Plugins that load when one of their names is used."""
        return self._lazy + tuple(c for c in self._found.candidates if c not in self._done)

    @cached_property
    def conflicts(self) -> "tuple[errors.PluginConflictError, ...]":
        """Names that several plugins claim and the configuration does not settle."""
        both = (*self._conflicts, *self._found.conflicts())
        return tuple(sorted(both, key=lambda error: (error.kind, error.name)))

    def _facts(self) -> tuple[Any, ...]:
        return self.loaded, self.lazy, self.failed, self.conflicts, self.side_effects

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Report) and self._facts() == other._facts()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        names = ("loaded", "lazy", "failed", "conflicts", "side_effects")
        said = ", ".join(f"{name}={fact!r}" for name, fact in zip(names, self._facts(), strict=True))
        return f"Report({said})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Report, self._facts()


class Owner(NamedTuple):
    """Who owns a name.

    Attributes:
        name: Model type or data access name; a pattern in words for dynamic owners.
        plugin: Name of the plugin, or the module of a plain import.
        distribution: Its distribution, if known.
        version: Version of that distribution.
        actions: What it offers; empty as long as it is not loaded.
    """

    name: str
    plugin: str
    distribution: str | None
    version: str | None
    actions: tuple[str, ...] = ()

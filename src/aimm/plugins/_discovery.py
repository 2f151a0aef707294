"""What could be loaded: index, config names and plugin directories as sorted candidates. Nothing is imported here."""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from aimm import errors
from aimm.plugins._config import NO_CONFIG, PluginsConfig
from aimm.plugins._index import Index, canonical_name, target

if TYPE_CHECKING:
    from aimm.plugins._scan import IndexProblem


class Candidate(NamedTuple):
    """A plugin that was found and not loaded.

    Attributes:
        group: Entry-point group; ``names`` or ``directories`` for what the configuration names.
        name: Entry-point name, module name or directory name.
        value: What to import: ``module`` or ``module:attribute``.
        distribution: Distribution that declares it, None for what the configuration names.
        version: Version of that distribution.
        summary: One line about that distribution; may be empty.
        path: Metadata file or directory it was found in; empty for a module name.
    """

    group: str
    name: str
    value: str
    distribution: str | None = None
    version: str | None = None
    summary: str = ""
    path: str = ""

    @property
    def is_explicit(self) -> bool:
        """Whether the configuration names this very plugin."""
        return self.distribution is None

    @property
    def declaration(self) -> str | None:
        """The entry point as its author wrote it, or None if there is none."""
        return None if self.is_explicit else f"[{self.group}] {self.name} = {self.value}"

    @property
    def target(self) -> str:
        """What it points at, without extras and spaces."""
        return self.value if self.is_explicit else target(self.value)

    @property
    def module(self) -> str:
        """The module to import."""
        return self.value.partition(":")[0].strip()

    @property
    def choice(self) -> str:
        """What stands behind ``prefer:`` to choose this candidate."""
        return self.distribution or self.name

    @property
    def names(self) -> tuple[str, ...]:
        """Every name this candidate answers to: its own and, for a model class, module + class name."""
        canonical = canonical_name(self.group, self.name, self.value)
        if canonical is None or canonical == self.name:
            return (self.name,)
        # A command line writes dashes: two commands that differ in that alone are rivals, under that one name.
        return (canonical,) if self.group == "aimm.train" else (self.name, canonical)


class Found:
    """Everything discovery found. What is not asked for is not computed: one name costs the same among thousands.

    Args:
        config: What it was looked for with.
        index: Where the entry points are; None if they are not to be used.
    """

    def __init__(self, config: PluginsConfig = NO_CONFIG, index: Index | None = None) -> None:
        self._config, self._index = config, index
        self._takes_all = config.include == ("*",) and not config.exclude
        self.explicit = (
            *(Candidate("names", name, name) for name in config.names),
            *(Candidate("directories", os.path.basename(os.path.normpath(p)), p, path=p) for p in config.directories),
        )
        """What the configuration names, in its order."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Found) and self._everything() == other._everything()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Found(candidates={self.candidates!r}, excluded={self.excluded!r}, problems={self.problems!r})"

    def _everything(self) -> tuple[Any, ...]:
        return self.candidates, self.excluded, self.problems, self.stray_settings

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """What may load, in the order in which it does."""
        return (*self.explicit, *self._allowed(self._all_declared))

    @cached_property
    def excluded(self) -> tuple[Candidate, ...]:
        """What the configuration leaves out."""
        return () if self._takes_all else tuple(c for c in self._all_declared if not self._may_load(c))

    @property
    def problems(self) -> tuple["IndexProblem", ...]:
        """Metadata that could not be used."""
        rows = self._index.problems() if self._index else []
        if not rows:
            return ()
        from aimm.plugins._scan import IndexProblem

        return tuple(map(IndexProblem._make, rows))

    @cached_property
    def stray_settings(self) -> tuple[str, ...]:
        """Names in the configuration's ``settings`` that no plugin has."""
        if not self._config.settings:
            return ()
        known = {candidate.name for candidate in (*self.explicit, *self._all_declared)}
        return tuple(sorted(self._config.settings.keys() - known))

    @cached_property
    def claims(self) -> Mapping[tuple[str, str], tuple[Candidate, ...]]:
        """The candidates that declare a name, by (group, name), after ``prefer:``; more than one is a conflict."""
        return self._claims(self.candidates)

    def claims_in(self, group: str) -> dict[str, tuple[Candidate, ...]]:
        """The same for one group, by name; the others are not looked at."""
        return {name: rivals for (_, name), rivals in self._claims(self.in_group(group)).items()}

    def _claims(self, candidates: Iterable[Candidate]) -> dict[tuple[str, str], tuple[Candidate, ...]]:
        claims: dict[tuple[str, str], tuple[Candidate, ...]] = {}
        for candidate in candidates:
            for name in candidate.names:
                claims[candidate.group, name] = (*claims.get((candidate.group, name), ()), candidate)
        return {key: self._settled(key[1], rivals) for key, rivals in claims.items()}

    def in_group(self, group: str) -> tuple[Candidate, ...]:
        """What may load of one group, in the order in which it does."""
        if self._index is None or not group.startswith("aimm."):
            return tuple(c for c in self.explicit if c.group == group)
        return tuple(self._allowed(self._declared(f"{group}\t")))

    def contenders(self, group: str, name: str, *, wanted: bool = True) -> tuple[Candidate, ...]:
        """The candidates that declare a name of an entry-point group; as :attr:`claims` has them.

        Args:
            group: Entry-point group.
            name: The name.
            wanted: Whether to make sure that an unknown name was not declared just now.
        """
        if self._index is None:
            return ()
        found = map(Candidate._make, self._index.named(group, name, wanted=wanted))
        return self._settled(name, tuple(self._allowed(found)))

    def conflicts(self) -> "list[errors.PluginConflictError]":
        """The names that several candidates declare and ``prefer:`` does not settle, sorted."""
        return [conflict(*key, rivals) for key, rivals in sorted(self.claims.items()) if len(rivals) > 1]

    def failures(self) -> "list[errors.PluginFailure]":
        """Unusable metadata and settings for nobody, as failures."""
        metadata = [_discovery_failure(problem) for problem in self.problems]
        return [*metadata, *(_settings_failure(name) for name in self.stray_settings)]

    @cached_property
    def _all_declared(self) -> tuple[Candidate, ...]:
        return tuple(self._declared())

    def _declared(self, group: str = "aimm.") -> Iterator[Candidate]:
        return map(Candidate._make, self._index.declared(group) if self._index else ())

    def _allowed(self, candidates: Iterable[Candidate]) -> Iterable[Candidate]:
        return candidates if self._takes_all else filter(self._may_load, candidates)

    def _may_load(self, candidate: Candidate) -> bool:
        distribution, config = candidate.distribution or "", self._config
        return _matches(distribution, config.include) and not _matches(distribution, config.exclude)

    def _settled(self, name: str, rivals: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        if len(rivals) < 2:
            return rivals
        prefer = self._config.prefer
        wanted = {c: prefer.get(name) or prefer.get(c.name) for c in rivals}
        chosen = tuple(c for c, choice in wanted.items() if choice and same_owner(choice, c.choice))
        # One object that is declared twice is no conflict.
        unique = {candidate.target: candidate for candidate in reversed(chosen or rivals)}
        return tuple(c for c in rivals if unique.get(c.target) is c)


def kind_of(group: str) -> str:
    """What the names of an entry-point group are called in messages."""
    kinds = {
        "aimm.models": "model type",
        "aimm.data_access": "data access",
        "aimm.plugins": "plugin name",
        "aimm.train": "training command",
    }
    return kinds.get(group, group)


def conflict(group: str, name: str, rivals: Iterable[Candidate]) -> "errors.PluginConflictError":
    """The conflict of several candidates that declare one name."""
    described = [f"{_whose(candidate)} ({candidate.value})" for candidate in rivals]
    return errors.PluginConflictError(kind_of(group), name, described, [c.choice for c in rivals])


def _whose(candidate: Candidate) -> str:
    if candidate.is_explicit:
        return "the configuration"
    return f"{candidate.distribution} {candidate.version}".rstrip()


def _discovery_failure(problem: "IndexProblem") -> "errors.PluginFailure":
    hint = f"correct the file, or reinstall {problem.distribution}; all other distributions are unaffected"
    return errors.PluginFailure(
        problem.distribution, "discover", problem.distribution, None, None, problem.path, problem.message, hint
    )


def _settings_failure(name: str) -> "errors.PluginFailure":
    hint = "the names are those of entry points in the group aimm.plugins and of configured modules"
    return errors.PluginFailure(
        name, "settings", None, None, None, None, f"settings for {name!r}, which is no plugin", hint
    )


def safe_mode() -> bool:
    """Whether ``AIMM_SAFE_MODE`` asks for a start without third-party plugins."""
    return os.environ.get("AIMM_SAFE_MODE", "").lower() not in ("", "0", "false", "no")


def discover(config: PluginsConfig) -> Found:
    """Merge what the configuration names with what installed distributions declare.

    Config-named modules and directories come first, in their order; entry points follow, sorted.
    """
    if safe_mode():
        return Found()
    return Found(config, Index() if config.entry_points else None)


def same_owner(wanted: str, choice: str) -> bool:
    """Whether a ``prefer:`` value means this distribution, plugin or module."""
    from aimm.plugins._scan import normalised

    return wanted == choice or normalised(wanted) == normalised(choice)


def _matches(distribution: str, patterns: Iterable[str]) -> bool:
    from fnmatch import fnmatchcase

    from aimm.plugins._scan import normalised

    name = normalised(distribution)
    return any(fnmatchcase(name, normalised(pattern)) for pattern in patterns)

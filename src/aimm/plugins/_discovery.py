"""What could be loaded: index, config names and plugin directories as sorted candidates. Nothing is imported here."""

import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from aimm.errors import PluginConflictError, PluginFailure
from aimm.plugins._config import PluginsConfig
from aimm.plugins._index import Index, IndexProblem, build_index, normalised


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
        return self.value if self.is_explicit else "".join(self.value.partition("[")[0].split())

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
        if self.group == "aimm.models" and ":" in self.value:
            canonical = self.target.replace(":", ".")
            return (self.name,) if canonical == self.name else (self.name, canonical)
        # A command line writes dashes: two commands that differ in that alone are rivals.
        return (self.name.replace("_", "-") if self.group == "aimm.train" else self.name,)


class Found(NamedTuple):
    """Everything discovery found.

    Attributes:
        candidates: What may load, in the order in which it does.
        excluded: What the configuration leaves out.
        problems: Metadata that could not be used.
        claims: The candidates that declare a name, by (group, name), after ``prefer:``; more than one is a conflict.
        stray_settings: Names in the configuration's ``settings`` that no plugin has.
    """

    candidates: tuple[Candidate, ...] = ()
    excluded: tuple[Candidate, ...] = ()
    problems: tuple[IndexProblem, ...] = ()
    claims: Mapping[tuple[str, str], tuple[Candidate, ...]] = {}
    stray_settings: tuple[str, ...] = ()

    def conflicts(self) -> list[PluginConflictError]:
        """The names that several candidates declare and ``prefer:`` does not settle, sorted."""
        return [conflict(*key, rivals) for key, rivals in sorted(self.claims.items()) if len(rivals) > 1]

    def failures(self) -> list[PluginFailure]:
        """Unusable metadata and settings for nobody, as failures."""
        metadata = [_discovery_failure(problem) for problem in self.problems]
        return [*metadata, *(_settings_failure(name) for name in self.stray_settings)]


def kind_of(group: str) -> str:
    """What the names of an entry-point group are called in messages."""
    kinds = {
        "aimm.models": "model type",
        "aimm.data_access": "data access",
        "aimm.plugins": "plugin name",
        "aimm.train": "training command",
    }
    return kinds.get(group, group)


def conflict(group: str, name: str, rivals: Iterable[Candidate]) -> PluginConflictError:
    """The conflict of several candidates that declare one name."""
    described = [f"{_whose(candidate)} ({candidate.value})" for candidate in rivals]
    return PluginConflictError(kind_of(group), name, described, [c.choice for c in rivals])


def _whose(candidate: Candidate) -> str:
    if candidate.is_explicit:
        return "the configuration"
    return f"{candidate.distribution} {candidate.version}".rstrip()


def _discovery_failure(problem: IndexProblem) -> PluginFailure:
    hint = f"correct the file, or reinstall {problem.distribution}; all other distributions are unaffected"
    return PluginFailure(
        problem.distribution, "discover", problem.distribution, None, None, problem.path, problem.message, hint
    )


def _settings_failure(name: str) -> PluginFailure:
    hint = "the names are those of entry points in the group aimm.plugins and of configured modules"
    return PluginFailure(name, "settings", None, None, None, None, f"settings for {name!r}, which is no plugin", hint)


def safe_mode() -> bool:
    """Whether ``AIMM_SAFE_MODE`` asks for a start without third-party plugins."""
    return os.environ.get("AIMM_SAFE_MODE", "").lower() not in ("", "0", "false", "no")


def discover(config: PluginsConfig) -> Found:
    """Merge what the configuration names with what installed distributions declare.

    Config-named modules and directories come first, in their order; entry points follow, sorted.
    """
    if safe_mode():
        return Found()
    named = [Candidate("names", name, name) for name in config.names]
    named += [Candidate("directories", os.path.basename(os.path.normpath(p)), p, path=p) for p in config.directories]
    index = build_index() if config.entry_points else Index()
    declared = [
        Candidate(e.group, e.name, e.value, e.distribution, e.version, e.summary, e.path) for e in index.entries
    ]
    allowed = [c for c in declared if _may_load(c, config)]
    excluded = [c for c in declared if not _may_load(c, config)]
    stray = sorted(config.settings.keys() - {candidate.name for candidate in (*named, *declared)})
    claims = _claims((*named, *allowed), config.prefer)
    return Found((*named, *allowed), tuple(excluded), index.problems, claims, tuple(stray))


def same_owner(wanted: str, choice: str) -> bool:
    """Whether a ``prefer:`` value means this distribution, plugin or module."""
    return wanted == choice or normalised(wanted) == normalised(choice)


def _claims(candidates: Iterable[Candidate], prefer: Mapping[str, str]) -> dict[tuple[str, str], tuple[Candidate, ...]]:
    claims: dict[tuple[str, str], tuple[Candidate, ...]] = {}
    for candidate in candidates:
        for name in candidate.names:
            claims[candidate.group, name] = (*claims.get((candidate.group, name), ()), candidate)
    for (group, name), rivals in claims.items():
        wanted = {c: prefer.get(name) or prefer.get(c.name) for c in rivals}
        chosen = tuple(c for c, choice in wanted.items() if choice and same_owner(choice, c.choice))
        # One object that is declared twice is no conflict.
        unique = {candidate.target: candidate for candidate in reversed(chosen or rivals)}
        claims[group, name] = tuple(c for c in rivals if unique.get(c.target) is c)
    return claims


def _may_load(candidate: Candidate, config: PluginsConfig) -> bool:
    distribution = candidate.distribution or ""
    return _matches(distribution, config.include) and not _matches(distribution, config.exclude)


def _matches(distribution: str, patterns: Iterable[str]) -> bool:
    name = normalised(distribution)
    return any(fnmatchcase(name, normalised(pattern)) for pattern in patterns)

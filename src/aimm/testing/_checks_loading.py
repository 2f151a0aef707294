"""Checks of one declared plugin: is it what its entry point says, and is its import harmless?"""

import re
from types import ModuleType
from typing import Any, NamedTuple

from aimm import plugins
from aimm.errors import PluginFailure
from aimm.testing._checks import IMPORT, LOADING, FailedError, SkippedError, check, missing
from aimm.testing._subject import Subject

EAGER = ("aimm.plugins", "names", "directories")
_RESOLVING = ("import", "resolve")
_MISSING = re.compile(r"ModuleNotFoundError: No module named '(?P<module>[^']+)'")


class Loading(NamedTuple):
    """One entry point that was loaded, or was tried to.

    Attributes:
        candidate: The entry point.
        failure: Why it could not be loaded; None if it could.
        target: What it points at; None if it could not be loaded.
        facts: What its import left behind, as :func:`aimm.testing._steps.measured` tells.
        registered: The (kind, name) pairs that it registered.
        declared: The (group, name) pairs that its distribution declares.
        is_heavy_asked: Whether the caller listed the heavy modules.
    """

    candidate: plugins.Candidate
    failure: PluginFailure | None
    target: Any
    facts: dict[str, Any]
    registered: frozenset[tuple[str, str]]
    declared: frozenset[tuple[str, str]]
    is_heavy_asked: bool

    @property
    def group(self) -> str:
        """Its entry-point group."""
        return self.candidate.group


@check(LOADING, "entry-point-resolves", hint="correct the entry point in pyproject.toml, or the module it names")
def entry_point_resolves(subject: Loading) -> None:
    """The entry point's module can be imported, and has the attribute that it names."""
    if subject.failure and subject.failure.stage in _RESOLVING:
        what = subject.candidate.declaration or subject.candidate.value
        raise FailedError(f"{what}: {subject.failure.cause}", _repair(subject.candidate, subject.failure))


@check(
    LOADING,
    "group-and-name-fit",
    needs=["entry-point-resolves"],
    hint="move the entry point to the group for what it points at, or name it as the code does",
)
def group_and_name_fit(subject: Loading) -> None:
    """What the entry point names is what its group is for, and goes by the declared name."""
    if subject.failure:
        raise FailedError(subject.failure.cause, _repair(subject.candidate, subject.failure))
    if subject.group == "aimm.tasks" and not isinstance(subject.target, ModuleType):
        what = f"[{subject.group}] {subject.candidate.name} points at {subject.target!r}"
        raise FailedError(f"{what}, which is no module with tasks")


@check(
    LOADING,
    "declared-names-equal-registered-ones",
    needs=["group-and-name-fit"],
    hint="add an entry point for each name that the module registers, so that it is found before it is imported",
)
def declared_equals_code(subject: Loading) -> None:
    """Every name that loading registers is declared by an entry point of the same distribution."""
    if subject.group not in ("aimm.models", "aimm.data_access"):
        raise SkippedError(f"the group {subject.group} may register names that no entry point declares")
    groups = {"model type": "aimm.models", "data access": "aimm.data_access"}
    own = {(subject.group, name) for name in subject.candidate.names}
    extra = sorted(n for kind, n in subject.registered if (groups[kind], n) not in subject.declared | own)
    if extra:
        raise FailedError(f"{subject.candidate.value} registers {', '.join(map(repr, extra))}, declared nowhere")


@check(
    IMPORT,
    "import-is-light",
    needs=["group-and-name-fit"],
    hint="import heavy libraries inside the functions that use them: this plugin is imported at every start",
)
def import_is_light(subject: Loading | Subject) -> None:
    """Importing the plugin imports no heavy module."""
    facts = subject.facts
    if subject.group not in EAGER and not subject.is_heavy_asked:
        raise SkippedError("it is imported when one of its names is used, not at start, so it may import what it needs")
    if facts["heavy"]:
        raise FailedError(f"its import imports {', '.join(facts['heavy'])}")


@check(
    IMPORT,
    "import-is-silent",
    needs=["group-and-name-fit"],
    hint="remove what prints at import, or log it: hosts write results to stdout",
)
def import_is_silent(subject: Loading | Subject) -> None:
    """Importing the plugin writes nothing to stdout or stderr."""
    if written := subject.facts["printed"]:
        raise FailedError(f"its import writes {written} bytes to stdout or stderr")


@check(
    IMPORT,
    "import-starts-no-threads",
    needs=["group-and-name-fit"],
    hint="start threads in the call that needs them: a host may fork after loading plugins",
)
def import_starts_no_threads(subject: Loading | Subject) -> None:
    """Importing the plugin starts no thread."""
    if threads := subject.facts["threads"]:
        raise FailedError(f"its import starts the threads {', '.join(threads)}")


@check(
    IMPORT,
    "import-leaves-the-process-alone",
    needs=["group-and-name-fit"],
    hint="leave the process to the host: do it inside a function, and put it back",
)
def import_leaves_the_process_alone(subject: Loading | Subject) -> None:
    """Importing the plugin changes no working directory, signal handler, standard stream or other state of the host."""
    changes = [effect for effect in subject.facts["effects"] if not effect.endswith("(left as it is)")]
    if changes:
        raise FailedError(f"its import {'; '.join(effect.partition(': ')[2] or effect for effect in changes)}")


def _repair(candidate: plugins.Candidate, failure: PluginFailure) -> str:
    """What the author is to do, where it is not the entry point that is wrong; else nothing."""
    if failure.stage == "import" and (lacking := _MISSING.match(failure.cause)):
        name = lacking["module"]
        if f"{candidate.module}.".startswith(f"{name}."):
            return ""  # it is the entry point that names a module which is not there
        if name.partition(".")[0] != candidate.module.partition(".")[0]:
            return f"{missing(name)} ({failure.file} imports it)"
    if failure.stage == "import" and failure.file and failure.file != candidate.path:
        return f"correct {failure.file}"
    if failure.stage == "check" and candidate.group == "aimm.models" and ":" in candidate.value:
        return "let the entry point name a class with every action, such as a subclass of aimm.plugins.Model"
    return ""

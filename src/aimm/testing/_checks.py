"""The checks by name: how one is declared, and how they are run."""

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from aimm.errors import CheckInputError
from aimm.testing._report import EXPECTED_FAIL, FAILED, FOLLOWS, PASSED, SKIPPED, UNEXPECTED_PASS, Result

MODEL, LOADING, IMPORT, HOOKS = "model type", "loading", "import", "hook plugin"
DATA, TASK, ARTIFACT, EXAMPLES = "data access", "task", "artifact handler", "examples"
_HOMES = tuple(
    f"_checks_{name}" for name in ("loading", "calls", "bytes", "states", "process", "hooks", "tasks", "examples")
)

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class FailedError(Exception):
    """Internal: the subject does not keep the claim; the message says how.

    Attributes:
        hint: What to do, where that of the check does not suit.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SkippedError(Exception):
    """Internal: the claim cannot be checked here; the message says why."""


class Check(NamedTuple):
    """One claim about every subject of a kind.

    Attributes:
        name: Its name, under which failures are expected and looked up.
        kind: What it is about: ``model type``, ``loading``, ``import``, ``hook plugin``, ``data access``, ``task``,
            ``artifact handler`` or ``examples``.
        claim: What it claims of a conforming plugin, in one sentence.
        hint: What to do when it fails.
        needs: Checks without which this one makes no sense.
        function: Does it; takes the subject.
    """

    name: str
    kind: str
    claim: str
    hint: str
    needs: tuple[str, ...]
    function: Callable[[Any], None]


_registered: dict[str, Check] = {}


def check(
    kind: str, name: str, *, needs: Iterable[str] = (), hint: str
) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Declare a check; the docstring of the function is the claim."""

    def decorate(function: Callable[[Any], None]) -> Callable[[Any], None]:
        claim = " ".join((function.__doc__ or "").split())
        _registered[name] = Check(name, kind, claim, hint, tuple(needs), function)
        return function

    return decorate


def checks(kind: str | None = None) -> tuple[Check, ...]:
    """List every check, in the order in which they run.

    Args:
        kind: Only those about this kind of subject.
    """
    for home in _HOMES:
        importlib.import_module(f"aimm.testing.{home}")
    return tuple(found for found in _in_order() if kind in (None, found.kind))


def _in_order() -> Iterator[Check]:
    """As declared, but each check after those that it needs."""
    homes = {f"aimm.testing.{home}": place for place, home in enumerate(_HOMES)}
    # Whoever imported one of the modules earlier changes nothing.
    waiting = sorted(_registered.values(), key=lambda c: homes.get(c.function.__module__, len(homes)))
    placed = set[str]()
    while waiting:
        found = next(c for c in waiting if placed.issuperset(c.needs))
        waiting.remove(found)
        placed.add(found.name)
        yield found


def known_expectations(expected: Mapping[str, str], subject: str = "") -> dict[str, str]:
    """The expected failures that concern a subject: those of any, and those written ``subject:check``.

    Raises:
        CheckInputError: There is no check of such a name, or a reason is missing.
    """
    names = [found.name for found in checks()]
    for key, reason in expected.items():
        if key.rpartition(":")[2] not in names:
            raise CheckInputError(f"expected failure {key!r}: there is no such check; they are {', '.join(names)}")
        if not isinstance(reason, str) or not reason.strip():
            raise CheckInputError(f"expected failure {key!r} needs a reason, in words")
    general = {key: reason for key, reason in expected.items() if ":" not in key}
    own = {key.rpartition(":")[2]: reason for key, reason in expected.items() if key.rpartition(":")[0] == subject}
    return {**general, **own}


def run(
    kind: str,
    subject: Any,
    name: str,
    expected: Mapping[str, str],
    done: Mapping[str, str] | None = None,
    started: Callable[[str], None] = lambda check: None,
) -> Iterator[Result]:
    """Run every check of a kind on a subject.

    Args:
        kind: The kind.
        subject: What the checks get.
        name: What it is called in results.
        expected: Checks that are known to fail, with the reason.
        done: Status of the checks that ran already, in another process; they are not run again.
        started: Told the name of each check before it runs.
    """
    statuses = dict(done or {})
    for found in checks(kind):
        if found.name in statuses:
            continue
        started(found.name)
        result = _run_one(found, subject, name, statuses)
        statuses[found.name] = result.status
        yield judged(result, expected)


def judged(result: Result, expected: Mapping[str, str]) -> Result:
    """A result in the light of what is known to fail."""
    reason = expected.get(result.check)
    if reason is None or result.status not in (PASSED, FAILED):
        return result
    if result.status == FAILED:
        return result._replace(status=EXPECTED_FAIL, message=f"{reason} ({result.message})")
    message = f"expected to fail ({reason}), but it passes: remove the expectation"
    return result._replace(status=UNEXPECTED_PASS, message=message)


def _run_one(found: Check, subject: Any, name: str, statuses: Mapping[str, str]) -> Result:
    status, message, hint = PASSED, "", found.hint
    lacking = [need for need in found.needs if statuses.get(need, PASSED) != PASSED]
    if lacking:
        status, message = SKIPPED, f"{lacking[0]}{FOLLOWS}"
    else:
        try:
            found.function(subject)
        except SkippedError as reason:
            status, message = SKIPPED, str(reason)
        except FailedError as failure:
            status, message, hint = FAILED, str(failure), failure.hint or hint
        except Exception as error:  # noqa: BLE001 - whatever it raises, it does not keep the claim
            status, message = FAILED, raised(error)
            if isinstance(error, ModuleNotFoundError) and error.name:
                hint = missing(error.name)
    return Result(found.name, name, status, message, found.claim, hint)


def missing(module: str) -> str:
    """What to do about a module that the plugin imports and nobody provides."""
    top = module.partition(".")[0]
    return f"install what provides the module {top!r}, and name it under 'dependencies' in pyproject.toml"


def raised(error: BaseException) -> str:
    """An exception in one line, with the place where the plugin raised it."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(_OURS):
            place = f" at {code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    text = " ".join(str(error).split())
    return f"it raised {type(error).__name__}: {text[:300]}{place}"

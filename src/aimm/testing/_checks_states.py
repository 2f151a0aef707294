"""Checks of what a plugin reports, and of what it raises."""

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from aimm.testing._checks import MODEL, FailedError, SkippedError, check, raised
from aimm.testing._examples import Arguments, call
from aimm.testing._steps import unpicklable_because
from aimm.testing._subject import Subject


class _StopError(Exception):
    """What the state callback of a check raises."""


def expect_json(states: Iterable[Any], reporter: str) -> None:
    """See that states are what can be sent elsewhere.

    Args:
        states: What was reported.
        reporter: Who reported it, for messages.

    Raises:
        FailedError: One is no dict, or has something in it that JSON cannot hold.
    """
    for state in states:
        if not isinstance(state, dict):
            raise FailedError(f"{reporter} reports {repr(state)[:80]}, which is no dict")
        try:
            json.dumps(state, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise FailedError(f"{reporter} reports {repr(state)[:80]}, which is no JSON: {error}") from None


def _states(subject: Subject) -> list[Any]:
    states: list[Any] = []
    subject.fit(subject.instantiate(), state_cb=states.append)
    if not states:
        raise SkippedError("fit reports no states")
    return states


@check(MODEL, "states-are-json", needs=["fit-works"], hint="report dicts of numbers, texts, lists and dicts")
def states_are_json(subject: Subject) -> None:
    """Every state that ``fit`` reports is a dict that JSON can hold."""
    expect_json(_states(subject), "fit")


@check(
    MODEL,
    "progress-goes-forward",
    needs=["states-are-json"],
    hint="report the part that is done, from 0 to 1, without going back",
)
def progress_goes_forward(subject: Subject) -> None:
    """The ``progress`` in states is a number from 0 to 1 that never goes back."""
    told = [state["progress"] for state in _states(subject) if "progress" in state]
    if not told:
        raise SkippedError("the states have no progress")
    for value in told:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise FailedError(f"fit reports the progress {value!r}")
    if told != sorted(told):
        raise FailedError("the progress goes back")


def _interrupted(subject: Subject) -> tuple[Any, BaseException | None]:
    """An instance whose second fit was broken off by its state callback, and what came out."""
    instance, called, found = subject.fitted(), [], None

    def stop(state: Any) -> None:
        called.append(state)
        raise _StopError("the host stops here")

    try:
        subject.fit(instance, state_cb=stop)
    except Exception as error:  # noqa: BLE001 - that is what is looked at
        found = error
    if not called:
        raise SkippedError("fit reports no states")
    return instance, found


@check(
    MODEL,
    "callback-errors-pass-through",
    needs=["fit-returns-the-instance"],
    hint="do not catch what the state callback raises: hosts stop a fit in this way",
)
def callback_errors_pass_through(subject: Subject) -> None:
    """What the state callback raises ends ``fit`` and reaches the caller as itself."""
    _, error = _interrupted(subject)
    if error is None:
        raise FailedError("fit goes on as if the state callback had not raised")
    if not isinstance(error, _StopError):
        raise FailedError(f"the state callback raises, and {raised(error)}")


@check(
    MODEL,
    "callback-errors-leave-the-instance-usable",
    needs=["predict-works"],
    hint="change the instance when everything is done, or undo what was half done",
)
def callback_errors_leave_the_instance_usable(subject: Subject) -> None:
    """An instance whose ``fit`` was broken off by the state callback still predicts, and can be fitted again."""
    instance, _ = _interrupted(subject)
    for what, action in (("predict", subject.predict), ("fit", subject.fit)):
        try:
            action(instance)
        except Exception as error:
            raise FailedError(f"after a fit that was broken off, {what} does not work: {raised(error)}") from error


@check(
    MODEL,
    "exceptions-pickle",
    needs=["fit-works"],
    hint="pass every argument of the exception to super().__init__, or define __reduce__",
)
def exceptions_pickle(subject: Subject) -> None:
    """The exceptions that it raises survive pickle, as they must to come back from another process."""
    found = 0
    bad = [subject.example.bad_fit] if subject.example.bad_fit else [call(object()), call()]
    attempts = [partial(_fit, subject, arguments) for arguments in bad]
    if "predict" in subject.offered:
        attempts += [partial(_predict_unfitted, subject), partial(_predict_nonsense, subject)]
    for attempt in attempts:
        try:
            attempt()
        except Exception as error:  # noqa: BLE001 - whatever it raises is looked at
            found += 1
            if why := unpicklable_because(error):
                raise FailedError(why) from None
    if not found:
        raise SkippedError("nothing that was tried made it raise")


def _fit(subject: Subject, arguments: Arguments) -> None:
    subject.fit(subject.instantiate(), arguments)


def _predict_unfitted(subject: Subject) -> None:
    subject.predict(subject.instantiate())


def _predict_nonsense(subject: Subject) -> None:
    subject.predict(subject.fitted(), call(object()))

"""Checks of instantiate, fit and predict."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from inspect import Parameter, signature
from typing import Any

from aimm._types import MODEL_ACTIONS
from aimm.errors import PluginExitError
from aimm.testing._checks import MODEL, FailedError, SkippedError, check, raised
from aimm.testing._compare import same
from aimm.testing._examples import Arguments, call
from aimm.testing._subject import Subject, process_state


@check(MODEL, "actions-belong-together", hint="offer instantiate, and both or none of serialize and deserialize")
def actions_belong_together(subject: Subject) -> None:
    """The model type can be created, fitted or applied, and what can be serialised can be deserialised."""
    offered = subject.offered
    if "instantiate" not in offered and "deserialize" not in offered:
        raise FailedError(f"it offers {', '.join(offered)}, but no way to get an instance")
    if "fit" not in offered and "predict" not in offered:
        raise FailedError(f"it offers {', '.join(offered)}, but neither fit nor predict")
    if ("serialize" in offered) != ("deserialize" in offered):
        given, lacking = ("serialize", "deserialize") if "serialize" in offered else ("deserialize", "serialize")
        raise FailedError(f"it offers {given}, but no {lacking}")


@check(
    MODEL,
    "signature-fits-declaration",
    hint="give the function a parameter of the declared name, or correct state_cb_arg_name or instance_arg_name",
)
def signature_fits_declaration(subject: Subject) -> None:
    """Every function takes the arguments that its declaration says it takes."""
    for action, record in subject.offered.items():
        try:
            parameters = signature(record.function).parameters
        except (TypeError, ValueError):
            continue  # written in C: nobody can know
        named = {
            n for n, p in parameters.items() if p.kind not in (Parameter.POSITIONAL_ONLY, Parameter.VAR_POSITIONAL)
        }
        takes_any = any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values())
        for role, name in (
            ("state_cb_arg_name", record.state_cb_arg_name),
            ("instance_arg_name", record.instance_arg_name),
        ):
            if name and name not in named and not takes_any:
                raise FailedError(f"{action} declares {role}={name!r}, but takes ({', '.join(parameters)})")
        if (
            action not in ("data_access", "instantiate")
            and not record.instance_arg_name
            and record.hook_arguments is None
        ):
            kinds = [p.kind for p in parameters.values()]
            if not kinds or kinds[0] in (Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD):
                raise FailedError(f"{action} gets the instance as its first argument, but takes none by position")


@check(MODEL, "parameters-can-be-asked", hint="let the parameters hook return a list of names, or None")
def parameters_can_be_asked(subject: Subject) -> None:
    """The names of the arguments of every action can be asked for, and are names, or unknown as a whole."""
    for action in MODEL_ACTIONS[:3]:
        if action not in subject.offered:
            continue
        names = subject.manager.parameters(subject.model_type, action)
        if names is not None and not all(isinstance(name, str) for name in names):
            raise FailedError(f"parameters of {action} are {names!r}, not names")


@check(MODEL, "instantiate-works", hint="make the constructor work with the example's arguments")
def instantiate_works(subject: Subject) -> None:
    """An instance can be created."""
    subject.needs_action("instantiate")
    instance = subject.instantiate()
    if instance is None:
        raise FailedError("instantiate returns None")
    with suppress(Exception):  # what cannot be serialised before it is fitted cannot be compared either
        subject.unfitted_bytes = subject.serialize(instance)


@check(
    MODEL,
    "instances-are-independent",
    needs=["instantiate-works", "fit-works"],
    hint="keep state in the instance, not in the class, in the module or in a mutable default argument",
)
def instances_are_independent(subject: Subject) -> None:
    """Two instances share nothing: each call creates a new one, and fitting one leaves the others alone."""
    one, other = subject.instantiate(), subject.instantiate()
    if one is other and not isinstance(one, (str, bytes, int, float, tuple, frozenset)):
        raise FailedError("instantiate returns the same object twice")
    subject.needs_action("fit", "serialize")
    if subject.unfitted_bytes is None:
        raise SkippedError("an instance that is not fitted cannot be serialised")
    subject.fit(one)
    if subject.serialize(other) != subject.unfitted_bytes and subject.has_stable_bytes:
        raise FailedError("fitting one instance changes another one")


@check(
    MODEL,
    "fit-works",
    needs=["instantiate-works", "signature-fits-declaration"],
    hint="make fit work with the example's arguments",
)
def fit_works(subject: Subject) -> None:
    """An instance can be fitted to the example."""
    subject.needs_action("instantiate", "fit")
    _suits(subject, subject.fitted)


@check(MODEL, "fit-returns-the-instance", needs=["fit-works"], hint="end fit with 'return self'")
def fit_returns_the_instance(subject: Subject) -> None:
    """``fit`` returns the updated instance."""
    new = subject.instantiate()
    fitted = subject.fit(new)
    if fitted is None:
        raise FailedError("fit returns None")
    if type(fitted) is not type(new):
        raise FailedError(f"fit of a {type(new).__name__} returns a {type(fitted).__name__}")


@check(MODEL, "fit-leaves-its-inputs", needs=["fit-works"], hint="work on a copy of the data")
def fit_leaves_its_inputs(subject: Subject) -> None:
    """``fit`` does not change its arguments."""
    given, kept = subject.example.fit.copied(), subject.example.fit.copied()
    subject.fit(subject.instantiate(), given)
    _compare_arguments("fit", given, kept)


@check(
    MODEL, "predict-works", needs=["fit-returns-the-instance"], hint="make predict work with the example's arguments"
)
def predict_works(subject: Subject) -> None:
    """A fitted instance predicts for the example."""
    subject.needs_action("predict")
    _suits(subject, lambda: subject.predict(subject.fitted()))


@check(
    MODEL,
    "predict-returns-the-prediction",
    needs=["predict-works"],
    hint="return the prediction alone: exec_predict adds the instance",
)
def predict_returns_the_prediction(subject: Subject) -> None:
    """``predict`` returns the prediction: not the instance, and nothing beside it."""
    instance = subject.fitted()
    prediction = subject.predict(instance)
    if prediction is instance:
        raise FailedError("predict returns the instance")
    if isinstance(prediction, tuple) and any(part is instance for part in prediction):
        raise FailedError("predict returns the instance together with the prediction")
    if prediction is None:
        raise FailedError("predict returns None")


@check(MODEL, "predict-leaves-its-inputs", needs=["predict-works"], hint="work on a copy of the data")
def predict_leaves_its_inputs(subject: Subject) -> None:
    """``predict`` does not change its arguments."""
    given, kept = subject.example.predict.copied(), subject.example.predict.copied()
    subject.predict(subject.fitted(), given)
    _compare_arguments("predict", given, kept)


@check(
    MODEL,
    "predict-leaves-the-instance",
    needs=["predict-works", "serialize-gives-bytes"],
    hint="keep nothing in the instance while predicting, or declare Example(stateful=True)",
)
def predict_leaves_the_instance(subject: Subject) -> None:
    """``predict`` does not change the instance, unless the example says that it is stateful."""
    _skip_stateful(subject)
    instance = subject.fitted()
    if not subject.has_stable_bytes:
        raise SkippedError("its bytes differ from one serialize to the next, so nobody could see")
    before = subject.serialize(instance)
    subject.predict(instance)
    if subject.serialize(instance) != before:
        raise FailedError("serialize gives other bytes after predict than before")


@check(
    MODEL,
    "predict-repeats",
    needs=["predict-works"],
    hint="keep nothing between calls, or declare Example(stateful=True)",
)
def predict_repeats(subject: Subject) -> None:
    """Equal arguments and seeds give equal predictions, unless the example says that the model is stateful."""
    _skip_stateful(subject)
    instance = subject.fitted()
    first = subject.predict(instance)
    if not all(same(subject.predict(instance), first) for _ in range(2)):
        raise FailedError("a second predict with the same arguments gives another prediction")


@check(
    MODEL,
    "equal-fits-agree",
    needs=["predict-works"],
    hint="take a seed as argument, put it into the example, and draw every random number from it",
)
def equal_fits_agree(subject: Subject) -> None:
    """Two instances that are fitted to the same data with the same seed predict the same."""
    if not same(subject.predict(subject.fitted()), subject.predict(subject.fitted())):
        raise FailedError("two equal fits with equal seeds give different predictions")


@check(
    MODEL,
    "predict-before-fit-is-clean",
    needs=["predict-works"],
    hint="raise an exception that says 'fit it first', or declare Example(predicts_unfitted=True)",
)
def predict_before_fit_is_clean(subject: Subject) -> None:
    """``predict`` before ``fit`` raises an exception with a message, unless the example says that it predicts."""
    try:
        prediction = subject.predict(subject.instantiate())
    except PluginExitError:
        raise
    except Exception as error:  # noqa: BLE001 - any exception is a refusal
        if not str(error).strip():
            raise FailedError(f"predict before fit raises {type(error).__name__} without any message") from None
        return
    if not subject.example.predicts_unfitted and not same(prediction, subject.predict(subject.fitted())):
        raise FailedError(f"predict before fit returns {repr(prediction)[:60]} as if it knew something")


@check(
    MODEL,
    "bad-arguments-are-refused",
    needs=["fit-works"],
    hint="check arguments before they are used, and raise an exception that says what was expected",
)
def bad_arguments_are_refused(subject: Subject) -> None:
    """``fit`` with arguments that make no sense raises an exception, and does not end the process."""
    attempts = [subject.example.bad_fit] if subject.example.bad_fit else [call(object()), call(nobody_takes_this=1)]
    for arguments in attempts:
        try:
            subject.fit(subject.instantiate(), arguments)
        except PluginExitError as error:
            raise FailedError(str(error)) from None
        except Exception:  # noqa: BLE001 - any exception is a refusal
            return
    raise FailedError("fit accepts arguments that make no sense")


@check(
    MODEL,
    "calls-are-silent",
    needs=["predict-works"],
    hint="report by the state callback, or log: hosts write results to stdout",
)
def calls_are_silent(subject: Subject) -> None:
    """``fit`` and ``predict`` write nothing to stdout."""
    kept, written = sys.stdout, _Written()
    sys.stdout = written
    try:
        subject.predict(subject.fitted())
    finally:
        sys.stdout = kept
    if written.text:
        raise FailedError(f"fit or predict prints {written.text[:60]!r}")


@check(
    MODEL,
    "calls-leave-the-process-alone",
    needs=["predict-works"],
    hint="put back what has to change for the time of the call",
)
def calls_leave_the_process_alone(subject: Subject) -> None:
    """``fit`` and ``predict`` change no working directory, environment variable, signal handler or standard stream."""
    before, variables = subject.process_state, dict(os.environ)
    subject.predict(subject.fitted())
    changed = [name for name, value in process_state().items() if value != before[name]]
    changed += ["environment variables"] if dict(os.environ) != variables else []
    if changed:
        _restore(before, variables)
        raise FailedError(f"fit or predict changes {' and '.join(changed)}")


@check(
    MODEL,
    "fit-works-in-a-thread",
    needs=["equal-fits-agree"],
    hint="use nothing that works in the main thread alone, such as signal.signal or a graphical toolkit",
)
def fit_works_in_a_thread(subject: Subject) -> None:
    """``fit`` and ``predict`` work in a thread that is not the main one, and give the same there."""
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(subject.predict(subject.fitted()))
        except BaseException as error:  # noqa: BLE001 - a thread has nobody to raise to
            found.append(FailedError(f"in a thread, {raised(error)}"))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(subject.timeout)
    if not found:
        raise FailedError(f"in a thread, it did not finish within {subject.timeout:g} seconds")
    if isinstance(found[0], FailedError):
        raise found[0]
    if not same(found[0], subject.predict(subject.fitted())):
        raise FailedError("in a thread, it predicts something else")


class _Written:
    """A stream that keeps what is written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """There is nothing to do."""


def _restore(before: dict[str, Any], variables: dict[str, str]) -> None:
    os.chdir(before["the working directory"])
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)
    if threading.current_thread() is threading.main_thread():
        for number, handler in before["signal handlers"].items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def _compare_arguments(action: str, given: Arguments, kept: Arguments) -> None:
    if not same(tuple(given), tuple(kept)):
        if not same(tuple(kept), tuple(kept.copied())):
            raise SkippedError("its arguments cannot be compared")
        raise FailedError(f"{action} changes its arguments")


def _skip_stateful(subject: Subject) -> None:
    if subject.example.stateful:
        raise SkippedError("the example says that predict changes the instance")


def _suits(subject: Subject, action: Callable[[], Any]) -> None:
    """Do it; that a made example does not suit is nobody's fault."""
    try:
        action()
    except Exception as error:
        if subject.remark:
            reason = f"{subject.remark}, and does not suit ({raised(error)}): let the plugin supply aimm_examples()"
            raise SkippedError(reason) from error
        raise

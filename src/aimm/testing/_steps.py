"""The steps that run in a process of their own; each returns what is wrong, and what it measured."""

import contextlib
import multiprocessing
import os
import pickle
import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from aimm import plugins
from aimm.testing._checks import FailedError, raised
from aimm.testing._compare import same
from aimm.testing._examples import Arguments, Example
from aimm.testing._recipe import Recipe, load
from aimm.testing._subject import Subject

Facts = dict[str, Any]
_THREADS, _ROUNDS = 4, 3


class Steps:
    """The steps for one model type, in the process that runs them.

    Args:
        request: What the asking process sends.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self._request, self._recipe = request, Recipe(*request["recipe"])
        self._manager = plugins.PluginManager()

    def run(self, tell: Callable[..., None]) -> None:
        """Run the steps that are asked for; loading comes first in any case."""
        for step in dict.fromkeys(("load", *self._request["steps"])):
            tell("start", step)
            try:
                message, facts = getattr(self, f"_{step.replace('-', '_')}")()
            except FailedError as failure:
                message, facts = str(failure), {}
            except BaseException as error:  # noqa: BLE001 - SystemExit too is an answer here
                message, facts = raised(error), {}
            tell("done", step, message, facts)
            if step == "load" and message:
                return

    def _load(self) -> tuple[str, Facts]:
        facts = measured(lambda: load(self._recipe, self._manager), self._request["printed"], self._request["heavy"])
        self._manager = facts.pop("result")
        content = pickle.loads(self._request["content"])
        example: Example | None = content["example"]
        self._payload, self._prediction = content["payload"], content["prediction"]
        self._subject = Subject(self._manager, self._request["model_type"], example, "", self._recipe, 0)
        facts["effects"] = list(self._manager.report.side_effects)
        return "", facts

    def _fresh_process(self) -> tuple[str, Facts]:
        instance = self._subject.deserialize(self._payload)
        return self._compared(self._subject.predict(instance), "in a fresh process it predicts something else"), {}

    def _spawned_child(self) -> tuple[str, Facts]:
        context = multiprocessing.get_context("spawn")
        ours, its = context.Pipe(duplex=False)
        child = context.Process(target=_fit_and_send, args=(its, self._request))
        child.start()
        its.close()
        try:
            ok, answer = ours.recv()
        except EOFError:
            child.join()
            return f"the spawned process ended with exit code {child.exitcode}", {}
        child.join()
        if not ok:
            return f"in a spawned process: {answer}", {}
        instance = self._subject.deserialize(answer)
        return self._compared(self._subject.predict(instance), "fitted in a spawned process it predicts otherwise"), {}

    def _concurrent_predicts(self) -> tuple[str, Facts]:
        subject = self._subject
        instance = subject.deserialize(self._payload)
        variants = list(_variants(subject.example.predict))
        expected = [(v, r) for v in variants if (r := _tried(subject, instance, v)) is not None]
        problems: list[str] = []
        barrier = threading.Barrier(_THREADS)

        def work(number: int) -> None:
            try:
                barrier.wait()
                for turn in range(_ROUNDS):
                    arguments, wanted = expected[(number + turn) % len(expected)]
                    given = arguments.copied()
                    got = subject.route.predict(instance, None, *given.args, **given.kwargs)[1]
                    if not same(got, wanted):
                        problems.append("threads that predict at the same time get other predictions than one alone")
            except BaseException as error:  # noqa: BLE001 - a thread has nobody to raise to
                problems.append(raised(error))

        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(before)
        return problems[0] if problems else "", {}

    def _reload(self) -> tuple[str, Facts]:
        before = _registered(self._manager)
        self._manager.unload_all()
        if self._recipe.candidate is None:
            self._manager.initialize({"names": [self._recipe.module], "entry_points": {"enabled": False}})
        else:
            load(self._recipe, self._manager)
        self._manager.route(self._request["model_type"])
        after = _registered(self._manager)
        lost, new = sorted(before - after), sorted(after - before)
        if lost or new:
            told = [f"{' of '.join(key)} is gone" for key in lost] + [f"{' of '.join(key)} is new" for key in new]
            return f"after unload_all() and loading it again, {', '.join(told)}", {}
        return "", {}

    def _corrupt_bytes(self) -> tuple[str, Facts]:
        accepted, unpicklable = [], []
        for what, content in _corrupted(self._payload):
            try:
                self._subject.deserialize(content)
            except Exception as error:  # noqa: BLE001 - any exception is a refusal
                if why := unpicklable_because(error):
                    unpicklable.append(why)
            else:
                accepted.append(what)
        return "", {"accepted": accepted, "unpicklable": unpicklable}

    def _compared(self, prediction: Any, otherwise: str) -> str:
        return "" if same(prediction, self._prediction) else otherwise


def measured(action: Callable[[], Any], printed: str, heavy: tuple[str, ...]) -> Facts:
    """Do something, and see what it leaves behind in this process: modules, output and threads."""
    modules, threads, size = set(sys.modules), set(threading.enumerate()), _written(printed)
    result = action()
    new = {name.partition(".")[0] for name in set(sys.modules) - modules}
    return {
        "result": result,
        "heavy": sorted(new & set(heavy)),
        "printed": _written(printed) - size,
        "threads": [thread.name for thread in threading.enumerate() if thread not in threads],
    }


def unpicklable_because(error: BaseException) -> str:
    """Why an exception does not survive pickle with its type and text; empty if it does."""
    name = type(error).__name__
    try:
        back = pickle.loads(pickle.dumps(error))
    except Exception as trouble:  # noqa: BLE001 - that is the finding
        return f"{name} cannot be pickled and read again: {type(trouble).__name__}: {trouble}"
    if type(back) is not type(error) or str(back) != str(error):
        return f"{name}({str(error)[:80]!r}) comes back from pickle as {type(back).__name__}({str(back)[:80]!r})"
    return ""


def _written(file: str) -> int:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    return os.stat(file).st_size


def _registered(manager: plugins.PluginManager) -> set[tuple[str, str]]:
    return {
        (action, owner.name)
        for kind in ("model type", "data access")
        for owner in manager.owners(kind)
        for action in owner.actions
    }


def _variants(arguments: Arguments) -> Iterator[Arguments]:
    """The arguments, and the same with half of the first one: what threads mix up must differ."""
    yield arguments
    first: Any = arguments.args[0] if arguments.args else None
    if hasattr(first, "__len__") and hasattr(first, "__getitem__") and len(first) > 1:
        with contextlib.suppress(Exception):
            yield Arguments((first[: len(first) // 2], *arguments.args[1:]), arguments.kwargs)


def _tried(subject: Subject, instance: Any, arguments: Arguments) -> Any:
    try:
        return subject.predict(instance, arguments.copied())
    except Exception:  # noqa: BLE001 - half of the data may make no sense to the model
        return None


def _corrupted(payload: bytes) -> Iterator[tuple[str, bytes]]:
    yield "no bytes at all", b""
    yield "random bytes", random.Random(11).randbytes(max(64, min(len(payload), 4096)))
    yield "zeros", bytes(64)
    if len(payload) >= 32:
        yield "the first half of its bytes", payload[: len(payload) // 2]


def _fit_and_send(pipe: Any, request: dict[str, Any]) -> None:
    """In a spawned process: load, create, fit, and send the bytes back."""
    try:
        steps = Steps(request)
        steps._load()
        pipe.send((True, steps._subject.serialize(steps._subject.fitted())))
    except BaseException as error:  # noqa: BLE001 - told to the process that asks
        pipe.send((False, raised(error)))
    finally:
        pipe.close()

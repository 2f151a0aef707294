"""Graphs on executors: the same values, states and errors, with tasks of plugins and models that cannot be pickled."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from aimm import executors, plugins
from aimm.errors import DeadlineExceeded, ExecutorNotFoundError, StepError, WorkerCrashed
from aimm.tasks.graph import Graph, run
from support import FakeSite

TASKS = """
import os, signal, threading, time
from aimm import plugins
from aimm.tasks import register

@plugins.model
class Locked(plugins.Model):
    def __init__(self, n=0):
        self.n, self.lock = n, threading.Lock()  # cannot be pickled
    def fit(self, X):
        self.n += sum(X)
        return self
    def predict(self, X):
        return [x + self.n for x in X]
    def serialize(self):
        return str(self.n).encode()
    @classmethod
    def deserialize(cls, instance_bytes):
        return cls(int(bytes(instance_bytes)))

@register
def double(x: int) -> int:
    return x * 2

@register
def where() -> int:
    return os.getpid()

@register(state_cb_arg_name="tell")
def telling(x: int, tell) -> int:
    for number in range(x):
        tell({"number": number, "progress": number / x})
    return x

@register
def peek(model, X: list) -> int:
    return model.n + len(X)

@register
def crash(x: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)

class Odd(Exception):
    def __init__(self, one, two):
        super().__init__("one text")  # so that it cannot be unpickled

@register
def fail(x: int) -> int:
    def helper():
        raise {0: ValueError("bad x"), 1: Odd(1, 2)}[x]  # the line
    return helper()

@register
def hang(x: int) -> int:
    time.sleep(600)
"""
NUMBERS = "graph:\n  a: {double: [3]}\n  b: {double: [$a]}\n  c: {telling: [$b]}\n  pid: {where: []}\n"
MODELS = """
graph:
  made: {aimm.instantiate: [elsewhere_of_test.Locked]}
  fitted: {aimm.fit: [elsewhere_of_test.Locked, $made, [1, 2]]}
  predicted: {aimm.predict: [elsewhere_of_test.Locked, $fitted, [10]]}
  seen: {peek: {model: $fitted, X: [1]}}
"""


@pytest.fixture
def tasked(site: FakeSite) -> plugins.PluginManager:
    """A manager of its own that has the tasks, by entry points."""
    points = {"aimm.tasks": {"elsewhere": "elsewhere_of_test"}, "aimm.models": {"locked": "elsewhere_of_test:Locked"}}
    site.add("elsewhere-dist", "2.1", points, {"elsewhere_of_test": TASKS})
    manager = plugins.PluginManager()
    manager.initialize({"names": []})
    return manager


@pytest.fixture
def process() -> Iterator[executors.Executor]:
    """Two worker processes."""
    with executors.make_executor("process", workers=2, grace=0.2) as made:
        yield made


def test_values_and_states_are_those_of_a_run_here(tasked: Any, process: Any) -> None:
    """In other processes, with the tasks of the manager's plugins."""
    import os

    states: list[Any] = []
    result = run(Graph.loads(NUMBERS), executor=process, manager=tasked, state_cb=states.append)
    assert (result["b"], result["c"]) == (12, 12)
    assert result["pid"] != os.getpid()
    told = [state["number"] for state in states if "number" in state]
    assert told == list(range(len(told)))
    assert max(state["progress"] for state in states) == 1
    assert run(Graph.loads(NUMBERS), executor="inline", manager=tasked)["c"] == 12


def test_models_pass_between_steps_by_their_own_serialize(tasked: Any, process: Any) -> None:
    """To built-in tasks, and to those of a plugin."""
    result = run(Graph.loads(MODELS), executor=process, manager=tasked)
    assert (result["predicted"], result["seen"], result["fitted"].n) == ([13], 4, 3)


def test_a_crash_names_the_step_the_plugin_and_the_signal(tasked: Any, process: Any) -> None:
    """And the worker is replaced."""
    with pytest.raises(StepError, match=r"(?s)bad.*elsewhere-dist 2\.1.*SIGKILL") as caught:
        run(Graph.loads("graph: {bad: {crash: [1]}}"), executor=process, manager=tasked)
    assert isinstance(caught.value.__cause__, WorkerCrashed)
    assert run(Graph.loads(NUMBERS), executor=process, manager=tasked)["b"] == 12


@pytest.mark.parametrize(("kind", "x"), [("process", 0), ("process", 1), ("inline", 0), ("pool", 0)])
def test_an_error_names_the_line_that_failed(tasked: Any, process: Any, kind: str, x: int) -> None:
    """Not that of the definition, wherever the task ran; also of an exception that cannot be pickled."""
    line = next(number for number, text in enumerate(TASKS.splitlines(), 1) if "# the line" in text)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        executor = {"process": process, "pool": pool}.get(kind, "inline")
        with pytest.raises(StepError, match=rf"(?s)bad.*elsewhere_of_test\.py:{line}\)$"):
            run(Graph.loads(f"graph: {{bad: {{fail: [{x}]}}}}"), executor=executor, manager=tasked)


def test_each_step_has_the_deadline(tasked: Any, process: Any) -> None:
    """The one that hangs is named."""
    with pytest.raises(StepError, match=r"late.*took longer than 0\.3 s") as caught:
        run(Graph.loads("graph: {late: {hang: [1]}}"), executor=process, manager=tasked, timeout=0.3)
    assert isinstance(caught.value.__cause__, DeadlineExceeded)


def test_executors_of_others_have_the_plugins_too(tasked: Any) -> None:
    """The standard library's pool of processes, which knows nothing of plugins."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert run(Graph.loads(MODELS), executor=pool, manager=tasked)["predicted"] == [13]


def test_an_unknown_executor_is_said(tasked: Any) -> None:
    """Before any step runs."""
    with pytest.raises(ExecutorNotFoundError, match="no-such"):
        run(Graph.loads(NUMBERS), executor="no-such", manager=tasked)

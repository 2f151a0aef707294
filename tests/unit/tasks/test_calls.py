"""Running tasks: wrappers, states, notes, outputs, values that change; and the model actions as tasks."""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

import numpy as np
import pytest

from aimm import plugins, tasks
from aimm.errors import (
    ChangedValueError,
    HookSignatureError,
    PluginExitError,
    PluginNotFoundError,
    StateCallbackError,
    TaskOutputError,
    TaskOutputWarning,
)
from aimm.tasks import unchanged
from support import FakeSite, class_source

Make = Callable[..., str]

SOURCE = """
import sys
from aimm.tasks import register

@register(state_cb_arg_name="tell")
def slow(count: int, tell) -> int:
    for i in range(count):
        tell({"progress": (i + 1) / count})
    return count

@register
def fail(text):
    raise ValueError(text)

@register
def leave():
    sys.exit(3)
"""

TRACE = """
from aimm import plugins
SEEN = []

@plugins.hookimpl(wrapper=True)
def run_task(task, args, kwargs):
    SEEN.append((task, args, kwargs))
    result = yield
    return ("wrapped", result)
"""


@pytest.fixture
def module(make_module: Make) -> str:
    """The name of an imported module with tasks."""
    return importlib.import_module(make_module(SOURCE)).__name__


def test_states_reach_the_callback(module: str) -> None:
    """The argument that takes them is no input of the task."""
    states: list[Any] = []
    found = tasks.find_task("slow")
    assert [parameter.name for parameter in found.parameters] == ["count"]
    assert tasks.call_task(found, (2,), state_cb=states.append) == 2
    assert states == [{"progress": 0.5}, {"progress": 1.0}]
    assert tasks.call("slow", 1) == 1


def test_a_state_callback_must_be_callable(module: str) -> None:
    """Most likely it is data."""
    with pytest.raises(StateCallbackError, match="must be callable or None"):
        tasks.call_task(tasks.find_task("slow"), (2,), {}, [1])  # type: ignore[arg-type]


def test_an_exception_passes_as_itself_with_a_note(module: str) -> None:
    """The note says whose it is."""
    with pytest.raises(ValueError, match="boom") as caught:
        tasks.call("fail", "boom")
    assert caught.value.__notes__ == [f"raised by module '{module}' in run_task of '{module}.fail'"]


def test_a_task_cannot_end_the_host(module: str) -> None:
    """``sys.exit`` becomes an error."""
    with pytest.raises(PluginExitError, match=r"called sys\.exit\(3\)"):
        tasks.call("leave")


def test_wrappers_stand_around_each_task(module: str, make_module: Make) -> None:
    """They see the full name and the arguments, and may replace the result; they come and go."""
    tracing = importlib.import_module(make_module(TRACE))
    remove = plugins.register(tracing)
    assert tasks.call("slow", count=2) == ("wrapped", 2)
    assert [(f"{module}.slow", (), {"count": 2})] == tracing.SEEN
    remove()
    assert tasks.call("slow", 2) == 2


def test_wrappers_stand_around_built_in_tasks(site: FakeSite, make_module: Make) -> None:
    """A model action that runs as a task is a task."""
    site.add("dist-m", "1", {"aimm.models": {"forest": "forest_module:Forest"}}, {"forest_module": class_source()})
    plugins.initialize()
    tracing = importlib.import_module(make_module(TRACE))
    plugins.register(tracing)
    tasks.call("aimm.instantiate", "forest")
    assert [name for name, *_ in tracing.SEEN] == ["aimm.instantiate"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("@plugins.hookimpl\ndef run_task(task): ...\n", "run_task can only be wrapped; declare a task with"),
        ("@plugins.hookimpl(wrapper=True)\ndef run_task(name):\n    yield\n", "takes 'name', which the hook does not"),
    ],
)
def test_wrong_implementations_of_the_hook(make_module: Make, source: str, message: str) -> None:
    """They are refused when they are registered."""
    with pytest.raises(HookSignatureError, match=message):
        plugins.register(importlib.import_module(make_module("from aimm import plugins\n" + source)))


def test_model_actions_are_tasks(site: FakeSite) -> None:
    """Any installed model type can be trained by task calls, by position or by keyword."""
    site.add("dist-m", "1", {"aimm.models": {"forest": "forest_module:Forest"}}, {"forest_module": class_source()})
    plugins.initialize()
    model = tasks.call("aimm.instantiate", model_type="forest", n=2)
    fitted = tasks.call("aimm.fit", "forest", model, [1], epochs=3)
    assert tasks.call("aimm.predict", model_type="forest", instance=fitted, X=7) == ("Forest", 7)
    content = tasks.call("aimm.serialize", "forest", fitted)
    assert content == b"5"
    assert tasks.call("aimm.deserialize", "forest", content).n == 5
    assert [output.name for output in tasks.find_task("aimm.predict").outputs] == ["prediction"]


def test_model_actions_of_a_manager(site: FakeSite, manager: plugins.PluginManager) -> None:
    """The tasks that a manager finds train the model types of that one, through its own wrappers."""
    site.add("dist-m", "1", {"aimm.models": {"forest": "forest_module:Forest"}}, {"forest_module": class_source()})
    manager.initialize()

    def run(action: str, *args: Any, **kwargs: Any) -> Any:
        found = tasks.find_task(f"aimm.{action}", manager=manager)
        return tasks.call_task(found, args, kwargs, manager=manager)

    fitted = run("fit", "forest", run("instantiate", "forest", n=2), [1], epochs=3)
    assert run("predict", "forest", fitted, X=7) == ("Forest", 7)
    assert run("deserialize", "forest", run("serialize", "forest", fitted)).n == 5
    with pytest.raises(PluginNotFoundError, match="forest"):
        tasks.call("aimm.instantiate", "forest")


def test_data_access_is_a_task() -> None:
    """Also with a state callback."""

    @plugins.data_access("rows of this test", state_cb_arg_name="tell")
    def access(count: int, tell: Any) -> list[int]:
        tell({"done": True})
        return [0] * count

    states: list[Any] = []
    found = tasks.find_task("aimm.data_access")
    assert tasks.call_task(found, ("rows of this test",), {"count": 2}, states.append) == [0, 0]
    assert states == [{"done": True}]


class Row(TypedDict):
    left: int
    right: int


@dataclass
class Halves:
    left: int
    right: int


class Pair(NamedTuple):
    left: int
    right: int


def _generator() -> Iterator[int]:
    yield 1


def outputs_of(hint: Any, **options: Any) -> tasks.TaskRecord:
    """A task that is annotated to return something."""

    def made() -> None: ...

    made.__annotations__["return"] = hint
    plugins.unload_all()
    tasks.register(**options)(made)
    return tasks.find_task("made")


HINTED: list[tuple[Any, dict[str, Any], list[str], str]] = [
    (None, {}, [], "none"),
    (int, {}, ["output"], "one"),
    (list[int], {}, ["output"], "one"),
    (tuple[int], {}, ["output"], "one"),
    (tuple[int, ...], {}, ["output"], "one"),
    (tuple[int, str], {}, ["output_1", "output_2"], "list"),
    (Pair, {}, ["left", "right"], "list"),
    (Halves, {}, ["left", "right"], "list"),
    (Row, {}, ["left", "right"], "list"),
    (tuple[int, str], {"outputs": ["a", "b"]}, ["a", "b"], "list"),
    (Any, {"outputs": ["a", "b", "c"]}, ["a", "b", "c"], "list"),
    (tuple[int, str], {"outputs": "whole"}, ["whole"], "one"),
    (list[int], {"outputs": ["only"]}, ["only"], "list"),
    (int, {"outputs": []}, [], "none"),
]


@pytest.mark.parametrize(("hint", "options", "names", "form"), HINTED, ids=str)
def test_outputs_without_a_declaration(hint: Any, options: dict[str, Any], names: list[str], form: str) -> None:
    """The decorator names them, or the hint does."""
    found = outputs_of(hint, **options)
    assert ([output.name for output in found.outputs], found.outputs_form) == (names, form)


def test_types_of_outputs() -> None:
    """Each named output has its part of the hint."""
    assert [str(o.type) for o in outputs_of(tuple[int, str], outputs=["a", "b"]).outputs] == ["integer", "string"]
    assert [str(o.type) for o in outputs_of(list[int], outputs=["a", "b"]).outputs] == ["integer", "integer"]
    assert [str(o.type) for o in outputs_of(list[int], outputs=["a"]).outputs] == ["integer"]
    assert [str(o.type) for o in outputs_of(Any, outputs=["a", "b"]).outputs] == ["any", "any"]
    assert [str(o.type) for o in outputs_of(int, outputs=["a"]).outputs] == ["integer"]


SPLIT: list[tuple[list[str], Any, Any, dict[str, Any]]] = [
    ([], None, 5, {}),
    (["a"], "one", (1, 2, 3), {"a": (1, 2, 3)}),
    (["a"], "list", (1, 2, 3), {"a": 1}),
    (["a"], "list", "text", {"a": "text"}),
    (["a", "b"], None, (1, 2, 3), {"a": 1, "b": 2}),
    (["a", "b"], None, [1, 2], {"a": 1, "b": 2}),
    (["left", "right"], None, Pair(1, 2), {"left": 1, "right": 2}),
    (["right", "left"], None, Halves(1, 2), {"left": 1, "right": 2}),
    (["right", "left"], None, {"left": 1, "right": 2, "more": 3}, {"left": 1, "right": 2}),
    (["left"], "one", {"left": 1}, {"left": {"left": 1}}),
    (["left"], "list", {"left": 1}, {"left": {"left": 1}}),
]


@pytest.mark.parametrize(("names", "form", "value", "expected"), SPLIT, ids=str)
def test_how_a_value_is_split(names: list[str], form: Any, value: Any, expected: dict[str, Any]) -> None:
    """Tuples and lists by order, mappings and dataclasses by name; one output takes the value whole."""
    assert tasks.split_outputs(names, value, form) == expected


@pytest.mark.parametrize(
    "value", ["ab", b"ab", {"a": 1}, {1, 2}, _generator(), 5, None, np.zeros(2)], ids=lambda value: type(value).__name__
)
def test_nothing_else_is_torn_apart(value: Any) -> None:
    """Strings, other dicts, generators and arrays are no tuples."""
    with pytest.raises(TaskOutputError, match=r"outputs 'a', 'b': it returned .*, which is not split"):
        tasks.split_outputs(["a", "b"], value, task="x")


def test_too_few_values_warn_at_once() -> None:
    """The output without a value is left out."""
    with pytest.warns(TaskOutputWarning, match="x returned 1 values for 2 outputs; without a value: b"):
        assert tasks.split_outputs(["a", "b"], (1,), task="x") == {"a": 1}


def test_a_record_knows_its_outputs() -> None:
    """Form and name come from the task."""
    assert tasks.split_outputs(outputs_of(Row), {"left": 1, "right": 2}) == {"left": 1, "right": 2}


class Opaque:
    """Neither pickles nor shows what is in it."""

    def __init__(self) -> None:
        self.run = lambda: None


class Broken(Opaque):
    """Cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [[1], {"a": [1]}, np.arange(3), "text", Opaque(), Broken(), len, lambda: None],
    ids=lambda value: type(value).__name__,
)
def test_values_left_alone_are_no_error(value: Any) -> None:
    """What cannot be compared is not watched."""
    with unchanged("t", {"argument 'value'": value}):
        str(type(value))


class Shown:
    """Does not pickle, but says what is in it."""

    def __init__(self) -> None:
        self.run, self.items = (lambda: None), [1]

    def __repr__(self) -> str:
        return f"Shown({self.items})"


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([1], lambda value: value.append(2)),
        ({"a": {"b": 1}}, lambda value: value["a"].update(b=2)),
        (np.arange(3), lambda value: value.__setitem__(0, 9)),
        (Shown(), lambda value: value.items.append(2)),
    ],
    ids=["list", "dict", "array", "object"],
)
def test_a_changed_value_is_noticed(value: Any, change: Callable[[Any], None]) -> None:
    """The error names the task and the value."""
    with pytest.raises(ChangedValueError, match=r"task 't' changed argument 'rows', which other"):  # noqa: SIM117
        with unchanged("t", {"argument 'rows'": value, "argument 'other'": 1}):
            change(value)

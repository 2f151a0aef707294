"""Steps go the way of every call: past the wrappers, and through the model actions of any plugin."""

from collections.abc import Callable, Generator
from types import SimpleNamespace
from typing import Any

import pytest

from aimm import plugins
from aimm.errors import StepError
from aimm.plugins import hookimpl
from aimm.tasks import register
from aimm.tasks.graph import prepare, run
from support import FakeSite, class_source

GRAPH = {"graph": {"one": {"add": [1]}, "two": {"add": {"a": "$one", "b": 5}}}}


@pytest.fixture(autouse=True)
def _tasks() -> None:
    @register
    def add(a: int, b: int = 1) -> int:
        return a + b

    @register(state_cb_arg_name="tell")
    def slow(tell: Callable[[dict[str, Any]], None]) -> int:
        tell({"progress": 0.5, "rows": 3})
        return 1


def wrap(around: Callable[..., Generator[None, Any, Any]]) -> None:
    """Have every task wrapped."""
    plugins.register(SimpleNamespace(run_task=hookimpl(wrapper=True)(around)))


@pytest.mark.parametrize("how", [{}, {"workers": 3}], ids=["alone", "threads"])
def test_wrappers_stand_around_every_step(how: dict[str, Any]) -> None:
    """They see full name and arguments of each, and may replace the result, which then goes on."""
    seen = []

    def run_task(task: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Generator[None, Any, Any]:
        result = yield
        seen.append((task, args, kwargs, result))
        return result * 10

    wrap(run_task)
    assert run(GRAPH, **how)["two"] == 250
    assert seen == [(f"{__name__}.add", (1,), {}, 2), (f"{__name__}.add", (), {"a": 20, "b": 5}, 25)]


def test_a_wrapper_may_forbid_a_step() -> None:
    """Its exception is the cause of the error, which names the step."""

    def run_task(args: tuple[Any, ...]) -> Generator[None, Any, Any]:
        if not args:
            raise PermissionError("by keyword only on Sundays")
        return (yield)

    wrap(run_task)
    with pytest.raises(StepError, match="step 'two' failed: PermissionError: by keyword only") as caught:
        run(GRAPH)
    assert isinstance(caught.value.__cause__, PermissionError)


def test_a_wrapper_that_comes_later_counts() -> None:
    """Also for a graph that was prepared before."""
    prepared, seen = prepare(GRAPH), []

    def run_task(task: str) -> Generator[None, Any, Any]:
        seen.append(task)
        return (yield)

    assert run(prepared)["two"] == 7
    wrap(run_task)
    assert run(prepared)["two"] == 7
    assert len(seen) == 2


def test_what_a_wrapper_returns_is_checked_too() -> None:
    """The type of the output is a promise to the next step, whoever made the value."""

    def run_task() -> Generator[None, Any, Any]:
        yield
        return "text"

    wrap(run_task)
    with pytest.raises(StepError, match="output 'output': expected integer, not str 'text'"):
        run(GRAPH)


def test_states_of_a_task_name_its_step() -> None:
    """What it reports is told with step, task, its own progress and that of the whole."""
    states: list[dict[str, Any]] = []
    run({"graph": {"s": {"slow": []}, "t": {"slow": [], "dependencies": "s"}}}, state_cb=states.append)
    told = [state for state in states if "rows" in state]
    assert [(state["step"], state["step_progress"], state["progress"]) for state in told] == [
        *(("s", 0.5, 0.25), ("t", 0.5, 0.75))
    ]
    assert {state["task"] for state in states} == {f"{__name__}.slow"}


def test_any_installed_model_type_can_be_fitted(site: FakeSite) -> None:
    """The model actions are tasks; wrappers of ``fit`` and of ``run_task`` both see the call."""
    data = "def rows(count):\n    return list(range(count))\n"
    groups = {"aimm.models": {"forest": "woods:Forest"}, "aimm.data_access": {"rows": "woods_data:rows"}}
    site.add("dist-woods", "1.0", groups, {"woods": class_source(), "woods_data": data})
    plugins.initialize({"names": []})
    seen: list[str] = []

    def run_task(task: str) -> Generator[None, Any, Any]:
        seen.append(task)
        return (yield)

    def fit(model_type: str) -> Generator[None, Any, Any]:
        seen.append(f"fit {model_type}")
        return (yield)

    plugins.register(SimpleNamespace(run_task=hookimpl(wrapper=True)(run_task), fit=hookimpl(wrapper=True)(fit)))
    graph = {
        "parameters": {"type": "forest"},
        "graph": {
            "rows": {"aimm.data_access": {"name": "rows", "count": 3}},
            "new": {"aimm.instantiate": "$type"},
            "fitted": {"aimm.fit": ["$type", "$new", "$rows"]},
            "predicted": {"aimm.predict": ["$type", "$fitted", "$rows"]},
            "bytes": {"aimm.serialize": ["$type", "$fitted"]},
            "back": {"aimm.deserialize": ["$type", "$bytes"]},
        },
    }
    # The parameter is called like the key of a long form, so it is written with its default.
    result = run({**graph, "parameters": {"type": {"default": "forest"}}})
    assert result["predicted"] == ("Forest", [0, 1, 2])
    assert vars(result["back"]) == vars(result["fitted"])
    assert seen[2:4] == ["aimm.fit", "fit forest"]

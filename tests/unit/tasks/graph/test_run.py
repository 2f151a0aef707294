"""Running graphs: values, order, errors, artifacts, resuming."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from aimm.errors import (
    ChangedValueError,
    GraphError,
    GraphInputError,
    InvalidGraphError,
    StateCallbackError,
    StepError,
    StepOutputError,
    StepTypeError,
)
from aimm.tasks import register
from aimm.tasks.graph import Graph, plan, prepare, run, validate

CALLS: list[str] = []
BROKEN: list[bool] = []


@pytest.fixture(autouse=True)
def _tasks() -> None:
    CALLS.clear()
    BROKEN.clear()

    @register
    def add(a: int, b: int = 1) -> int:
        CALLS.append(f"add {a} {b}")
        return a + b

    @register
    def fragile(x: int) -> int:
        CALLS.append("fragile")
        if BROKEN:
            raise KeyError("broken")
        return x * 10

    @register
    def short(x: int) -> tuple[int, int]:
        return (x,)  # type: ignore[return-value]

    @register
    def lying(x: int) -> str:
        return x  # type: ignore[return-value]

    @register
    def opaque(x: int) -> Any:
        CALLS.append("opaque")
        return lambda: x

    @register
    def call(f: Any) -> int:
        CALLS.append("call")
        return int(f())

    @register
    def grow(rows: list) -> int:  # type: ignore[type-arg]
        rows.append(1)
        return len(rows)


PIPELINE = """
parameters: {n: {type: integer, default: 5}}
graph:
  a: {add: $n}
  f: {fragile: [$a]}
  p: {add: {a: $f, b: $n}}
artifact_outputs:
  early: {contents: $a, task: {name: JsonArtifactTask}}
  late: {contents: $p, task: {name: JsonArtifactTask}}
"""


@pytest.mark.parametrize("how", [{}, {"workers": 3}, {"check_types": False}, {"debug": True}])
def test_values_travel_from_step_to_step(tmp_path: Path, how: dict[str, Any]) -> None:
    """One after another or side by side, checked or not, the values and artifacts are the same."""
    result = run(Graph.loads(PIPELINE), {"n": 2}, out=tmp_path, **how)
    assert (result["a"], result["f.output"], result["p"], result["n"]) == (3, 30, 32, 2)
    assert sorted(result.artifacts) == ["early", "late"]
    assert (tmp_path / "late.json").read_text() == "32\n"


def test_an_executor_runs_the_tasks() -> None:
    """Anything with ``submit`` will do."""
    with ThreadPoolExecutor(2) as pool:
        assert run(Graph.loads(PIPELINE), executor=pool)["p"] == 65


def test_an_executor_by_name() -> None:
    """``inline`` runs in this process, with the plugins of this manager."""
    assert run(Graph.loads(PIPELINE), executor="inline")["p"] == 65


def test_the_order_is_that_of_the_original() -> None:
    """Steps that wait for nothing come first; what a step needs takes its place in the order of the file."""
    text = "graph:\n  s1: {add: [$s3, 1]}\n  s2: {add: [2]}\n  s3: {add: [3]}\n"
    run(Graph.loads(text))
    assert CALLS == ["add 3 1", "add 2 1", "add 4 1"]


def test_a_failure_names_step_task_plugin_and_line(tmp_path: Path) -> None:
    """The original exception is the cause, the error survives pickle, and what was written before stays."""
    BROKEN.append(True)
    with pytest.raises(StepError) as caught:
        run(Graph.loads(PIPELINE), out=tmp_path)
    error = caught.value
    assert isinstance(error.__cause__, KeyError)
    assert (error.step, error.task) == ("f", f"{__name__}.fragile")
    assert error.place is not None
    assert error.place.startswith(f"{__file__}:")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert (tmp_path / "early.json").read_text() == "6\n"
    assert not (tmp_path / "late.json").exists()


def test_a_failure_side_by_side_is_told_all_the_same() -> None:
    """With threads, the first failing step in order is the error."""
    BROKEN.append(True)
    with pytest.raises(StepError, match="step 'f' failed: KeyError: 'broken'"):
        run(Graph.loads(PIPELINE), workers=2)


def test_resuming_runs_only_what_failed(tmp_path: Path) -> None:
    """After a failure the finished step is not run again; after success, nothing is."""
    BROKEN.append(True)
    with pytest.raises(StepError):
        run(Graph.loads(PIPELINE), out=tmp_path)
    BROKEN.clear()
    CALLS.clear()
    assert run(Graph.loads(PIPELINE), out=tmp_path, resume=True)["a"] == 6
    assert CALLS == ["fragile", "add 60 5"]
    CALLS.clear()
    assert run(Graph.loads(PIPELINE), out=tmp_path, resume=True)["p"] == 65
    assert CALLS == []


def test_a_new_parameter_reruns_what_comes_from_it(tmp_path: Path) -> None:
    """The plan says so before; an altered artifact is written again from what was kept."""
    run(Graph.loads(PIPELINE), out=tmp_path)
    changed = plan(Graph.loads(PIPELINE), {"n": 6}, out=tmp_path, resume=True)
    assert [step.action for step in changed.steps] == ["run"] * 3
    (tmp_path / "late.json").write_text("0")
    CALLS.clear()
    run(Graph.loads(PIPELINE), out=tmp_path, resume=True)
    assert (tmp_path / "late.json").read_text() == "65\n"
    assert CALLS == []


def test_what_cannot_be_kept_is_made_again_when_it_is_needed(tmp_path: Path) -> None:
    """A step whose output has no form on disk runs again, only if a later one does."""
    text = "parameters: {m: 1}\ngraph:\n  o: {opaque: 1}\n  c: {call: [$o]}\n  d: {add: [$c, $m]}\n"
    run(Graph.loads(text), out=tmp_path)
    planned = plan(Graph.loads(text), {"m": 2}, out=tmp_path, resume=True)
    assert {step.name: step.action for step in planned.steps} == {"o": "reuse", "c": "reuse", "d": "run"}


def test_a_dry_run_calls_nothing(tmp_path: Path) -> None:
    """Nothing is written either."""
    plan(Graph.loads(PIPELINE), out=tmp_path / "out")
    assert CALLS == []
    assert not (tmp_path / "out").exists()


def test_types_are_checked_at_run_time_unless_told_otherwise() -> None:
    """An output that is not what was promised is an error that names it; it can be switched off."""
    graph = Graph.loads("graph: {s: {lying: 1}}")
    with pytest.raises(StepTypeError, match="output 'output': expected string, not int 1"):
        run(graph)
    assert run(graph, check_types=False)["s"] == 1


@pytest.mark.filterwarnings("ignore::aimm.errors.TaskOutputWarning")
def test_an_output_that_was_not_given_is_an_error_when_it_is_used() -> None:
    """It names the reference."""
    with pytest.raises(StepOutputError, match=r"\$s\.output_2 was not given"):
        run(Graph.loads("graph: {s: {short: 1}, t: {add: $s.output_2}}"))


def test_debug_notices_a_task_that_changes_what_it_gets() -> None:
    """Only in debug mode."""
    graph = Graph.loads("parameters: {rows: [1]}\ngraph: {s: {grow: [$rows]}}")
    assert run(graph)["s"] == 2
    with pytest.raises(StepError) as caught:
        run(graph, debug=True)
    assert isinstance(caught.value.__cause__, ChangedValueError)


def test_what_is_given_must_fit() -> None:
    """Every missing, unknown and wrong parameter and artifact is told at once, before any step."""
    graph = Graph.loads("parameters: {n: {type: integer}, m: 1}\ngraph: {s: {add: [$n, $m]}}")
    with pytest.raises(GraphInputError, match=r"no parameter 'k'.*'n'.*no value and no default"):
        run(graph, {"k": 1})
    with pytest.raises(GraphInputError, match="'n': expected integer, not str 'x'"):
        run(graph, {"n": "x"})
    with pytest.raises(GraphInputError, match="no artifact was given"):
        run(Graph.loads("artifact_inputs: {i: {o: integer}}\ngraph: {s: {add: [$i]}}"))
    assert CALLS == []


def test_an_invalid_graph_is_not_run() -> None:
    """The error lists what is wrong; other misuse has its own."""
    with pytest.raises(InvalidGraphError, match="no step was run"):
        run({"graph": {"s": {"add": ["x"]}}})
    with pytest.raises(GraphError, match="resume needs out"):
        run({"graph": {"s": {"add": [1]}}}, resume=True)
    with pytest.raises(GraphError, match="not int"):
        run(3)  # type: ignore[arg-type]
    with pytest.raises(StateCallbackError):
        run({"graph": {"s": {"add": [1]}}}, state_cb=3)  # type: ignore[arg-type]


def test_an_artifact_goes_from_one_graph_into_the_next(tmp_path: Path) -> None:
    """``artifacts.json`` tells the handler; the end of the file name does too."""
    run(Graph.loads(PIPELINE), out=tmp_path)
    graph = Graph.loads("artifact_inputs: {i: {o: integer}}\ngraph: {s: {add: [$i.o, 1]}}")
    assert run(graph, artifacts={"i": tmp_path / "late.json"})["s"] == 66
    (tmp_path / "loose.json").write_text("7")
    assert run(graph, artifacts={"i": tmp_path / "loose.json"})["s"] == 8
    assert run(graph, artifacts={"i": (tmp_path / "loose.json", "JsonArtifactTask")})["s"] == 8


def test_states_tell_step_and_progress() -> None:
    """Each step begins and ends; progress reaches 1."""
    states: list[dict[str, Any]] = []
    run(Graph.loads(PIPELINE), state_cb=states.append)
    assert [(s["step"], s["status"]) for s in states] == [(n, w) for n in "afp" for w in ("running", "done")]
    assert states[-1]["progress"] == 1


def test_a_graph_built_in_python_is_the_document() -> None:
    """Steps are made by calling tasks; the YAML of the result reads as the same graph and runs."""
    graph = Graph()
    n = graph.parameter("n", default=5)
    add = graph.task(f"{__name__}.add")
    last = add(add(n, b=2))
    graph.artifact("o", last, "JsonArtifactTask")
    assert Graph.loads(graph.dumps()).document() == graph.document()
    assert run(graph)["add_2"] == 8
    with pytest.raises(GraphError, match="already"):
        graph.parameter("n", default=1)
    with pytest.raises(GraphError, match="cannot be taken apart"):
        _, _ = n


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(-5, 5)), min_size=1, max_size=12), st.integers(1, 3))
def test_what_validates_runs(steps: list[tuple[int, int]], workers: int) -> None:
    """Any graph without errors runs and gives what plain Python gives, whatever runs side by side."""
    graph, expected = Graph(), []
    add = graph.task(f"{__name__}.add")
    refs: list[Any] = []
    for number, (source, value) in enumerate(steps):
        index = source % (number + 1) - 1
        refs.append(add(refs[index] if index >= 0 else 0, b=value))
        expected.append((expected[index] if index >= 0 else 0) + value)
    assert validate(graph) == []
    result = run(prepare(graph), workers=workers)
    assert [result[repr(ref)[2:-1]] for ref in refs] == expected


def test_a_long_chain_needs_no_recursion() -> None:
    """Thousands of steps that wait for each other are checked and run."""
    depth = 2000
    steps = {f"s{i}": {"add": [f"$s{i - 1}" if i else 0, 1]} for i in range(depth)}
    assert run({"graph": steps})[f"s{depth - 1}"] == depth

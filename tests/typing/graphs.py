"""What type checkers see of ``aimm.tasks.graph``: mypy strict and pyright strict find exactly the marked mistakes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, assert_type

from aimm.tasks import ArtifactInfo, graph
from aimm.tasks.graph import Graph, GraphResult, Issue, Plan, PlannedStep, Prepared, Ref, Task


def scale(row: float, by: float = 1.0) -> float:
    """A task."""
    return row * by


built = Graph()
seed = built.parameter("seed", "integer")
assert_type(seed, Ref)
assert_type(built.artifact_input("data", {"rows": "any"})["rows"], Ref)
scaled = built.task(scale, name="scaled")
assert_type(scaled, Task)
assert_type(scaled(seed, by=2.0), Ref)
assert_type(built.step("again", scale, seed), Ref)
assert_type(built.after(seed, seed), Ref)
assert_type(built.document(), dict[str, Any])
assert_type(built.draw("svg"), str)
assert_type(Graph.load(Path("line.yaml")), Graph)
assert_type(Graph.loads("graph: {}"), Graph)
built.artifact("report", seed, "JsonArtifactTask", indent=2)
built.parameter(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
built.task(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
built.step("one")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
built.after("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
built.artifact("report", 3, "JsonArtifactTask")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
built.draw("png")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
seed[0]  # type: ignore[index]  # pyright: ignore[reportArgumentType]
Graph.load(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Graph("line.yaml")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

issues = graph.validate("line.yaml", installed=False)
assert_type(issues, list[Issue])
assert_type(issues[0].line, int | None)
assert_type(issues[0].suggestion, str | None)
graph.validate({"graph": {}})
graph.validate(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

prepared = graph.prepare(built)
assert_type(prepared, Prepared)
with ThreadPoolExecutor() as pool:
    result = graph.run(prepared, {"seed": 3}, {"data": ("rows.npy", "NumpyArrayArtifactTask")}, executor=pool)
assert_type(result, GraphResult)
assert_type(result["scaled"], Any)
assert_type(result.artifacts, dict[str, ArtifactInfo])
assert_type(result.results(), dict[str, Any])
assert_type(graph.plan(prepared, out="results", resume=True), Plan)
assert_type(graph.plan(prepared).steps, tuple[PlannedStep, ...])
assert_type(graph.graph_schema(), dict[str, Any])
graph.run(prepared, [3])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.run(prepared, {}, {}, "results")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
graph.run(prepared, workers="two")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.run(prepared, executor=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.run(prepared, resumed=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
graph.run(prepared)[0]  # type: ignore[index]  # pyright: ignore[reportArgumentType]

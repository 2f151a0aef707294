"""Building graphs in Python: what is refused, and what is written."""

from collections.abc import Callable
from typing import Any

import pytest

from aimm.errors import GraphError
from aimm.tasks import ArtifactTaskInterface, register
from aimm.tasks.graph import Graph, validate


def add(a: int, b: int = 1) -> int:
    """A task."""
    return a + b


@pytest.fixture
def graph() -> Graph:
    """A graph with a parameter, a step and an artifact."""
    register(add)
    built = Graph()
    n = built.parameter("n", "integer")
    built.artifact("kept", built.step("s", add, n), "JsonArtifactTask")
    return built


WRONG: dict[str, tuple[Callable[[Graph], Any], str]] = {
    "a type twice": (lambda g: [g.type("T"), g.type("T")], "types has 'T' already"),
    "a parameter twice": (lambda g: g.parameter("n", default=1), "parameters has 'n' already"),
    "a parameter of nothing": (lambda g: g.parameter("m"), "the parameter 'm' needs a type or a default"),
    "a step twice": (lambda g: g.step("s", add, 1), "graph has 's' already"),
    "an artifact twice": (lambda g: g.artifact("kept", "x", "H"), "artifact_outputs has 'kept' already"),
    "an input twice": (lambda g: [g.artifact_input("i"), g.artifact_input("i")], "artifact_inputs has 'i' already"),
    "another task of a name": (lambda g: g.task("other.module.add"), "tasks has 'add' already"),
    "a task that is none": (lambda g: g.task(3), "a task is a registered function or its full name, not int"),
    "a part of a part": (lambda g: g.artifact_input("i")["a"]["b"], r"\$i\.a has no parts"),
    "a part by number": (lambda g: g.artifact_input("i")[0], r"\$i has no parts: give one name of an output"),
    "unpacking": (lambda g: [*g.artifact_input("i")], r"\$i cannot be taken apart: name its outputs"),
    "another picture": (lambda g: g.draw("png"), "a graph is drawn as text, mermaid, svg, not as 'png'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_added_is_refused(what: str, graph: Graph) -> None:
    """With what is wrong; the graph is as before."""
    call, message = WRONG[what]
    steps = graph.document()["graph"]
    with pytest.raises(GraphError, match=message):
        call(graph)
    assert graph.document()["graph"] == steps


def test_names_of_steps_are_made_up() -> None:
    """A step that is called after its task gets a number if there is one of that name."""
    register(add)
    graph = Graph()
    task = graph.task(add)
    task(task(1))
    assert graph.document()["graph"] == {"add": {"add": [1]}, "add_2": {"add": ["$add"]}}


def test_plain_data_is_escaped_and_a_mapping_is_a_default() -> None:
    """A dollar in data is no reference; a default that is a mapping is written in full."""
    register(add)
    graph = Graph()
    graph.parameter("options", default={"a": 1})
    graph.step("s", add, "$n", b=["$$", {"k": "$x"}])
    document = graph.document()
    assert document["parameters"] == {"options": {"default": {"a": 1}}}
    assert document["graph"]["s"] == {"task": "add", "args": ["$$n"], "kwargs": {"b": ["$$$", {"k": "$$x"}]}}


def test_the_file_says_the_same(graph: Graph, tmp_path: Any) -> None:
    """Saved and loaded it is the same document, and as sound; pictures need no plugin."""
    graph.save(tmp_path / "g.yaml")
    loaded = Graph.load(tmp_path / "g.yaml")
    assert loaded.document() == graph.document()
    assert validate(loaded) == validate(graph) == []
    assert loaded.draw() == graph.draw() == "s: add\n└── [kept] JsonArtifactTask"


def test_a_handler_is_given_by_class_or_name(graph: Graph) -> None:
    """Both write the name of the class."""

    class OwnArtifactTask(ArtifactTaskInterface, abstract=True):
        pass

    graph.artifact("a", "text", OwnArtifactTask)
    graph.artifact("b", "$text", "OwnArtifactTask", indent=2)
    written = graph.document()["artifact_outputs"]
    assert written["a"] == {"contents": "text", "task": {"name": "OwnArtifactTask"}}
    assert written["b"] == {"contents": "$$text", "task": {"name": "OwnArtifactTask", "args": {"indent": 2}}}

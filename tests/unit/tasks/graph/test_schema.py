"""The JSON Schema says of the form of a document what ``validate`` says."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from jsonschema import Draft202012Validator

from aimm.tasks import ArtifactTaskInterface
from aimm.tasks.graph import Graph, graph_schema, validate

FORM = {"shape", "missing-key", "unknown-key", "name", "plugin-name", "step-form", "parameter"}
GRAMMAR = Draft202012Validator(graph_schema(installed=False))

types = st.sampled_from(["integer", {"list": "string"}, {"mapping": {"a": "any"}}, {"union": ["string", "integer"]}])
labels = st.sampled_from(["a", "b", "task", "dependencies", "name", "type", "x.y", "", " "])
plain = st.sampled_from([None, 1, "x", "$a", [], ["a"], [1, {"b": 2}], {}, {"a": 1}, {"task": "a"}, True])
declared = st.dictionaries(labels, types, max_size=2) | plain
inputs = st.lists(
    declared | st.fixed_dictionaries({"name": labels}, optional={"type": types, "required": st.booleans() | plain}),
    max_size=2,
)
tasks = st.fixed_dictionaries(
    {},
    optional={
        **{"plugin": st.sampled_from(["a.b", "a.b.c", "a", "a..b", ".a", 3]), "inputs": inputs | plain},
        **{"outputs": declared | st.lists(declared, max_size=2), "extra": plain},
    },
)
steps = (
    st.dictionaries(st.sampled_from(["f", "g", "dependencies"]), plain, max_size=3)
    | st.fixed_dictionaries(
        {"task": labels | plain},
        optional={"args": plain, "kwargs": plain, "dependencies": plain, "other": plain},
    )
    | plain
)
artifacts = st.fixed_dictionaries(
    {},
    optional={
        "contents": plain,
        "task": plain | st.fixed_dictionaries({}, optional={"name": labels | plain, "args": plain, "b": plain}),
    },
)


def section(entries: st.SearchStrategy[Any], names: st.SearchStrategy[str] = labels) -> st.SearchStrategy[Any]:
    return st.dictionaries(names, entries, max_size=2) | plain


files = st.sampled_from(["../a", "a/b", ".a", "a.", "a ", " a", "a\\b", "a\n", "artifacts.json", "a.b c"])


documents = st.fixed_dictionaries(
    {},
    optional={
        "parameters": section(plain | st.fixed_dictionaries({}, optional={"type": types, "default": plain})),
        **{"artifact_inputs": section(declared | st.lists(declared, max_size=2)), "tasks": section(tasks)},
        **{
            "graph": section(steps),
            "artifact_outputs": section(artifacts, labels | files),
            "plugins": plain,
            "extra": plain,
        },
    },
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a machine that is busy
@given(documents)
def test_schema_and_validate_agree(document: dict[str, Any]) -> None:
    """A document has an issue of form if and only if the schema refuses it."""
    issues = [issue for issue in validate(document, installed=False) if issue.kind in FORM]
    assert GRAMMAR.is_valid(document) is not bool(issues), (issues, [*GRAMMAR.iter_errors(document)])


@pytest.mark.parametrize(
    ("definition", "is_good"),
    [
        *((one, True) for one in (None, {}, {"is_a": "string"}, {"list": "any"}, {"tuple": []}, {"literal": ["a", 1]})),
        *((one, True) for one in ({"mapping": ["string", "any"]}, {"mapping": {"a": "any"}, "required": []})),
        *((one, False) for one in ("integer", {"is_a": {}}, {"list": "any", "tuple": []}, {"mapping": ["string"]})),
        *((one, False) for one in ({"literal": []}, {"list": "any", "required": []}, {"set": "any"}, ["any"])),
    ],
    ids=str,
)
def test_definitions_of_types(definition: Any, is_good: bool) -> None:
    """The schema takes the definitions that the grammar of types takes."""
    document = {"types": {"T": definition}, "graph": {"s": {"f": []}}}
    assert GRAMMAR.is_valid(document) is is_good
    kinds = {issue.kind for issue in validate(document, installed=False)}
    assert bool(kinds & {"type-definition", "unknown-type", "shape"}) is not is_good


@pytest.fixture
def _handler() -> None:
    class PaperArtifactTask(ArtifactTaskInterface):
        """Has an argument that is required, and one that is an enumeration."""

        @staticmethod
        def serialize(working_dir: Path, name: str, contents: Any, size: str, copies: int = 1, **kwargs: Any) -> Path:
            """Write."""
            return working_dir / name

        @staticmethod
        def deserialize(working_dir: Path, path: str, **kwargs: Any) -> Any:
            """Read."""

        @staticmethod
        def validation() -> dict[str, Any] | None:
            """Its arguments."""
            return {"size": {"enum": ["A4", "A5"]}, "copies": {"type": "integer"}}


@pytest.mark.parametrize(
    ("args", "is_good"),
    [
        ({"size": "A4"}, True),
        ({"size": "$p", "copies": 2}, True),
        ({"size": "A6"}, False),
        ({"size": "A4", "copies": "two"}, False),
        ({"size": "A4", "colour": 1}, False),
        ({"copies": 1}, False),
        (None, False),
    ],
    ids=str,
)
@pytest.mark.usefixtures("_handler")
@pytest.mark.parametrize("name", ["PaperArtifactTask", f"{__name__}.PaperArtifactTask"])
def test_arguments_of_handlers(name: str, args: dict[str, Any] | None, is_good: bool) -> None:
    """Wrong, unknown and missing arguments of an installed handler are refused, by the schema as by ``validate``."""
    task = {"name": name} if args is None else {"name": name, "args": args}
    document = {
        "parameters": {"p": "A4"},
        "graph": {"s": {"aimm.instantiate": ["$p"]}},
        "artifact_outputs": {"o": {"contents": "$s", "task": task}},
    }
    schema = Draft202012Validator(graph_schema())
    assert schema.is_valid(document) is is_good
    issues = validate(document)
    assert {issue.kind for issue in issues if issue.severity == "error"} == (
        set() if is_good else {"handler-arguments"}
    )


def test_a_handler_nobody_has_is_refused() -> None:
    """By the name of its class; a name with dots may be that of a module that loads later."""
    document = {"graph": {"s": {"f": []}}, "artifact_outputs": {"o": {"contents": "", "task": {"name": "Nobody"}}}}
    assert not Draft202012Validator(graph_schema()).is_valid(document)
    assert GRAMMAR.is_valid(document)


def test_what_is_built_in_python_follows_the_schema() -> None:
    """The document of a built graph, with all that the builder can add."""
    graph = Graph()
    graph.type("Row", {"mapping": {"a": "integer"}})
    rows, count = graph.artifact_input("rows", [{"one": "Row"}, {"two": "Row"}]), graph.parameter("n", default={"a": 1})
    task = graph.task("a.b.task", inputs=[{"x": "any"}, {"name": "y", "type": "any", "required": False}], outputs=[])
    first = task(rows["one"], count)
    graph.after(graph.step("last", "a.b.f", 1, y=[first]), first)
    graph.artifact("kept", first, "JsonArtifactTask", indent=2)
    assert [*GRAMMAR.iter_errors(graph.document())] == []

"""Everything that is wrong with a graph, at once."""

import time
from pathlib import Path

import pytest

from aimm.tasks import register
from aimm.tasks.graph import KINDS, Graph, validate


@pytest.fixture(autouse=True)
def _tasks() -> None:
    @register
    def add(a: int, b: int = 1) -> int:
        return a + b

    @register
    def two(a: str, /, *, k: float) -> tuple[str, int]:
        return a, 1


def kinds(text: str) -> list[str]:
    """The kinds of all issues."""
    return [issue.kind for issue in validate(Graph.loads(text))]


DECLARED = "tasks: {f: {plugin: p.m.f, inputs: [x: integer, {name: y, type: string, required: false}], "
DECLARED += "outputs: [u: integer, v: string]}}\n"

CASES = {
    "shape": "graph: [1]",
    "missing-key": "tasks: {f: {plugin: a.b}}",
    "unknown-key": "graph: {s: {f: [1]}}\nartifacts: {}",
    "name": "graph: {s: {f: [1]}, a.b: {f: [1]}}",
    "duplicate-name": "tasks: {g: {plugin: a.b, inputs: [x: any, x: any]}}\ngraph: {s: {f: [1]}}",
    "name-collision": "parameters: {s: 1}\ngraph: {s: {f: [$s]}}",
    "type-definition": "types: {A: {is_a: B}, B: {is_a: A}, string: null}\ngraph: {s: {f: [1]}}",
    "unknown-type": "types: {A: {list: Nope}}\ngraph: {s: {f: [1]}}",
    "plugin-name": "tasks: {g: {plugin: nodot}}\ngraph: {s: {f: [1]}}",
    "unknown-task": "graph: {s: {g: [1]}}",
    "step-form": "graph: {s: {f: [1], g: [2]}}",
    "arguments": "graph: {s: {f: [1, a, 3]}}",
    "reference": "graph: {s: {f: [$nope]}}",
    "dependency": "graph: {s: {f: [1], dependencies: [nope]}}",
    "cycle": "graph: {s: {f: [$t.u]}, t: {f: [$s.u]}}",
    "parameter": "parameters: {p: {}}\ngraph: {s: {f: [$p]}}",
    "default-type": "parameters: {p: {type: integer, default: x}}\ngraph: {s: {f: [$p]}}",
    "argument-type": "graph: {s: {f: [x]}}",
    "union": "types: {A: {union: [string, string]}}\ngraph: {s: {f: [1]}}",
    "unused": "parameters: {p: 1}\ngraph: {s: {f: [1]}}",
}


@pytest.mark.parametrize("kind", CASES)
def test_each_kind_of_problem_is_told(kind: str) -> None:
    """A graph with one mistake has an issue of that kind, without a plugin being looked for."""
    text = CASES[kind] if "tasks:" in CASES[kind] else DECLARED + CASES[kind]
    found = validate(Graph.loads(text.replace("tasks: {g", DECLARED.rstrip()[:-1] + ", g")), installed=False)
    assert kind in [issue.kind for issue in found]
    assert {issue.kind for issue in found} <= KINDS.keys()


def test_a_sound_graph_has_no_issue() -> None:
    """All forms, types, references, escapes and empty calls of the grammar."""
    text = (
        DECLARED + "types: {Row: {mapping: {x: integer}}}\nparameters: {n: 3}\nartifact_inputs: {i: {o: integer}}\n"
        "graph:\n  a: {f: 1}\n  b: {f: {x: $n, y: $$n}}\n  c: {task: f, args: [$a.u], kwargs: {y: $b.v}}\n"
        "  d: {f: [$i.o], dependencies: a}\n"
    )
    assert validate(Graph.loads(text), installed=False) == []


def test_installed_tasks_tell_what_the_document_leaves_out() -> None:
    """Without ``tasks``, types of hints are checked, and what is wrong is told with line and column."""
    issues = validate(Graph.loads("graph:\n  s: {add: [1, 2]}\n  t: {add: [$s, a]}\n  u: {two: [x, y]}\n"))
    assert [(i.kind, i.line, i.column) for i in issues] == [
        ("argument-type", 3, 17),
        ("arguments", 4, 3),
        ("arguments", 4, 3),
    ]
    assert "by keyword only: k" in str(issues[1])


def test_the_declaration_is_compared_with_the_signature() -> None:
    """Another order, another name, and an argument that is missing are each an issue."""
    head = f"graph: {{s: {{f: {{}}}}}}\ntasks: {{f: {{plugin: {__name__}.add, inputs: "
    assert "signature" in kinds(head + "[b: integer, a: integer]}}")
    assert "signature" in kinds(head + "[a: integer, c: integer]}}")
    assert "signature" in kinds(head + "[b: integer]}}")


def test_artifact_outputs_are_checked() -> None:
    """Handlers that do not exist, contents of another type, and wrong, unknown and missing arguments."""
    head = "graph: {s: {add: [1]}}\nartifact_outputs: {o: {contents: $s, task: "
    assert kinds(head + "{name: Nope}}}") == ["not-importable"]
    assert kinds(head + "{name: StringArtifactTask, args: {type: 3, foo: 1}}}}") == [
        "contents-type",
        "handler-arguments",
        "handler-arguments",
    ]
    assert kinds(head + "{name: ModelArtifactTask}}}") == ["handler-arguments"]


@pytest.mark.parametrize("name", ["../out", "/out", ".out", "out.", "a:b", "x" * 300, "artifacts.json"])
def test_an_artifact_that_could_not_be_a_file_is_told_before_anything_runs(name: str) -> None:
    """Its name is that of a file in the output folder."""
    head = "graph: {s: {add: [1]}}\nartifact_outputs: {"
    found = validate(Graph.loads(f"{head}'{name}': {{contents: $s, task: {{name: JsonArtifactTask}}}}}}"))
    assert [(issue.kind, issue.path) for issue in found] == [("name", ("artifact_outputs", name))]
    assert "usable as the name of a file" in found[0].message


def test_many_steps_may_take_one_long_parameter() -> None:
    """Whether it fits is found out once, and what it is told in short; else this would take minutes and gigabytes."""
    steps = {f"s{index}": {"add": "$rows"} for index in range(2_000)}
    began = time.process_time()
    issues = validate({"parameters": {"rows": list(range(20_000))}, "graph": steps})
    assert {issue.kind for issue in issues} == {"argument-type"}
    assert len(issues) == 2_000
    assert max(len(issue.message) for issue in issues) < 500
    assert time.process_time() - began < 10


@pytest.mark.parametrize("form", ["{{f: [$stepp{}]}}", "{{task: f, dependencies: stepp{}}}"])
def test_a_graph_full_of_mistakes_is_told_in_bounded_time(form: str) -> None:
    """All of them; only the first have a suggestion, as comparing each name with each would take half an hour."""
    steps = "".join(f"  step{index}: {form.format(index)}\n" for index in range(4_000))
    found = validate(Graph.loads(f"tasks: {{f: {{plugin: {__name__}.add}}}}\ngraph:\n  step: {{f: [1]}}\n{steps}"))
    told = [issue for issue in found if issue.kind in ("reference", "dependency")]
    assert len(told) == 4_000
    assert "did you mean" in (told[0].suggestion or "")
    assert "did you mean" not in (told[-1].suggestion or "")


def test_no_problem_hides_another() -> None:
    """A misspelt name, a wrong type, a cycle and an unknown key are told together, in the order of the file."""
    text = DECLARED + "graph:\n  s: {f: [x]}\n  t: {f: [$t.u]}\n  u: {f: {z: $s.w}}\nextra: 1\n"
    assert [i.kind for i in validate(Graph.loads(text), installed=False)] == [
        *("argument-type", "cycle", "arguments", "reference", "arguments", "unknown-key")
    ]


def test_the_original_blind_spot_is_closed() -> None:
    """A reference inside a mapping with a key ``task`` is found, and orders the steps."""
    text = "graph:\n  s: {f: [[{task: $t.u}]]}\n  t: {f: [[{task: $nope}]]}\n"
    found = validate(Graph.loads(DECLARED.replace("integer", "any") + text), installed=False)
    assert [i.kind for i in found] == ["reference"]


def test_a_file_is_named_by_its_path(tmp_path: Path) -> None:
    """``validate`` takes a path."""
    (tmp_path / "g.yaml").write_text("graph: {s: {add: [1]}}")
    assert validate(tmp_path / "g.yaml") == []

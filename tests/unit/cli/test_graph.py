import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from support import FakeSite
from terminal import AIMM, Cli, run_on_terminal

SOURCE = """
import time
from aimm.tasks import ArtifactTaskInterface, register

@register
def add(a: int, b: int = 1) -> int:
    return a + b

@register
def join(text: str, parts: list[int]) -> str:
    return f"{text}{parts}"

@register
def divide(a: int, b: int) -> float:
    return a / b

@register
def slow(seconds: float) -> float:
    time.sleep(seconds)
    return seconds

@register
def make() -> object:
    return object()
"""
GRAPH = """\
parameters: {n: 1, text: {type: string, default: sum}}
artifact_inputs: {given: {number: integer}}
graph:
  first: {add: [$n, $given]}
  last: {join: [$text, [$first, 3]]}
artifact_outputs:
  result: {contents: $last, task: {name: StringArtifactTask}}
"""


@pytest.fixture
def sums(site: FakeSite) -> FakeSite:
    """The site with the distribution ``dist-sums 1.5`` and its tasks."""
    site.add("dist-sums", "1.5", {"aimm.tasks": {"sums": "sums_tasks"}}, {"sums_tasks": SOURCE})
    return site


@pytest.fixture
def graph(sums: FakeSite, tmp_path: Path) -> Path:
    """A graph file of these tasks, and the artifact that it reads."""
    (tmp_path / "number.json").write_text("10")
    (tmp_path / "number").write_text("20")
    file = tmp_path / "graph.yaml"
    file.write_text(GRAPH)
    return file


def test_check_a_sound_graph(aimm: Cli, graph: Path) -> None:
    """Says so, and exits with 0."""
    assert aimm("graph", "check", graph) == (0, "", "the graph is sound\n")
    assert aimm("graph", "check", graph, "--json") == (0, "[]\n", "")


def test_check_tells_everything_with_its_place(aimm: Cli, graph: Path) -> None:
    """Each issue is a line with file, line and column, as editors read them; with errors the exit code is 1."""
    graph.write_text("graph:\n  s: {add: [x]}\n  t: {ad: [$s]}\n")
    code, out, err = aimm("graph", "check", graph)
    lines = out.splitlines()
    assert (code, err, len(lines)) == (1, "", 2)
    assert lines[0].startswith(f"{graph}:2:13: error: graph.s.add[0]: argument 1 ('a')")
    assert lines[1].startswith(f"{graph}:3:3: error: graph.t: ")
    code, out, _ = aimm("graph", "check", graph, "--json")
    assert [(row["kind"], row["line"]) for row in json.loads(out)] == [("argument-type", 2), ("unknown-task", 3)]
    assert code == 1


def test_check_without_plugins(aimm: Cli, graph: Path) -> None:
    """What is not installed is then no issue, and warnings are no failure."""
    declared = "tasks: {f: {plugin: not.installed.f, inputs: [x: integer]}}\nparameters: {p: 1}\n"
    graph.write_text(f"{declared}graph: {{s: {{f: [1]}}}}\n")
    assert aimm("graph", "check", graph).code == 1
    code, out, _ = aimm("graph", "check", graph, "--no-plugins")
    assert (code, out.split("warning: ")[1]) == (0, "parameters.p: nothing uses the parameter 'p' [unused]\n")


@pytest.mark.parametrize(
    ("form", "begin"), [("text", "first: not_installed\n"), ("mermaid", "flowchart TD\n"), ("svg", "<svg ")]
)
def test_show(aimm: Cli, graph: Path, form: str, begin: str) -> None:
    """In three forms, to stdout or to a file, and without loading a plugin."""
    graph.write_text(GRAPH.replace("{add:", "{not_installed:"))
    code, out, err = aimm("graph", "show", graph, "--format", form)
    assert (code, err) == (0, "")
    assert out.startswith(begin)
    file = graph.with_suffix(".out")
    assert aimm("graph", "show", graph, "--format", form, "-o", file) == (0, "", f"wrote {file}\n")
    assert file.read_text("utf-8") == out
    if form == "svg":
        assert ElementTree.fromstring(out).tag.endswith("svg")


def test_run(aimm: Cli, graph: Path) -> None:
    """Parameters as their types want them, an artifact with and without handler; results, artifacts, a summary."""
    out = graph.parent / "out"
    number = graph.parent / "number.json"
    done = aimm("graph", "run", graph, "-p", "n=5", "-p", "text=7", "-a", f"given={number}", "--out", out)
    lines = done.out.splitlines()
    assert (done.code, lines[0]) == (0, "last: 7[15, 3]"), done.err
    assert [cell.split()[:3] for cell in lines[1:]] == [
        ["ARTIFACT", "PATH", "HANDLER"],
        ["result", "result.txt", "aimm.StringArtifactTask"],
    ]
    assert (out / "result.txt").read_text() == "7[15, 3]"
    assert done.err.startswith("2 steps run in ")
    plain = f"given={graph.parent / 'number'}:JsonArtifactTask"
    done = aimm("graph", "run", graph, "-a", plain)
    assert (done.code, done.out) == (0, "last: sum[21, 3]\n"), done.err
    assert "not written, for want of --out: result" in done.err


def test_run_on_an_executor(aimm: Cli, graph: Path) -> None:
    """Named by an option; an unknown one is an error."""
    graph.write_text("graph: {s: {add: [1, 2]}}\n")
    assert aimm("graph", "run", graph, "--executor", "inline", "--timeout", "60").out == "s: 3\n"
    code, out, err = aimm("graph", "run", graph, "--executor", "nowhere")
    assert (code, out) == (1, "")
    assert "nowhere" in err


def test_run_as_json(aimm: Cli, graph: Path) -> None:
    """Steps with their times, artifacts with their digests, and plain results."""
    given = f"given={graph.parent / 'number.json'}"
    done = aimm("graph", "run", graph, "-a", given, "--out", graph.parent / "out", "--json", "-j", "2")
    found = json.loads(done.out)
    assert [(step["name"], step["action"]) for step in found["steps"]] == [("first", "run"), ("last", "run")]
    assert found["steps"][0]["seconds"] >= 0
    assert found["artifacts"]["result"]["handler"] == "aimm.StringArtifactTask"
    assert found["results"] == {"last": "sum[11, 3]"}


def test_what_is_no_plain_data_is_shown_and_left_out_of_json(aimm: Cli, graph: Path) -> None:
    """An object is a result like any other, but JSON has no word for it."""
    graph.write_text("graph: {s: {make: []}}\n")
    assert aimm("graph", "run", graph).out.startswith("s: <object object")
    assert json.loads(aimm("graph", "run", graph, "--json").out)["results"] == {}


def test_resume_and_dry_run(aimm: Cli, graph: Path) -> None:
    """A second run does nothing; a dry one says what a changed parameter would do, and writes nothing."""
    given = ("-a", f"given={graph.parent / 'number.json'}", "--out", graph.parent / "out", "--resume")
    assert aimm("graph", "run", graph, *given, "--dry-run").out.split("\n")[1].split()[:3] == [
        *("first", "sums_tasks.add", "run")
    ]
    assert not (graph.parent / "out").exists()
    assert aimm("graph", "run", graph, *given).code == 0
    done = aimm("graph", "run", graph, *given)
    assert done.out.startswith("last: sum[11, 3]\n")
    assert done.err.startswith("0 steps run in 0.00 s, 2 reused; artifacts in ")
    planned = json.loads(aimm("graph", "run", graph, *given, "-p", "text=x", "--dry-run", "--json").out)
    assert [(one["name"], one["action"]) for one in [*planned["steps"], *planned["artifacts"]]] == [
        *(("first", "reuse"), ("last", "run"), ("result", "write"))
    ]


def test_a_step_that_fails(aimm: Cli, graph: Path) -> None:
    """Step, task, plugin, version, file and line are told, and with -v the original exception."""
    graph.write_text("graph: {ratio: {divide: [1, 0]}}\n")
    code, out, err = aimm("graph", "run", graph)
    assert (code, out) == (1, "")
    for told in ("'ratio'", "sums_tasks.divide", "dist-sums 1.5", "sums_tasks.py:15", "ZeroDivisionError: division"):
        assert told in err
    assert "Traceback" not in err
    assert "return a / b" in aimm("-v", "graph", "run", graph).err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-p", "n"], "--param 'n': expected NAME=VALUE"),
        (["-p", "n=1", "-p", "n=2"], "--param 'n' is given twice"),
        (["-a", "=x"], "--artifact '=x': expected NAME=PATH[:HANDLER]"),
        (["-a", "i=x", "-a", "i=y"], "--artifact 'i' is given twice"),
        (["--resume"], "--resume needs --out"),
        (["-j", "0"], "0 is not in the range x>=1"),
    ],
)
def test_wrong_usage(aimm: Cli, graph: Path, options: list[str], message: str) -> None:
    """Said in a sentence, with exit code 2."""
    code, out, err = aimm("graph", "run", graph, *options)
    assert (code, out) == (2, "")
    assert message in err


def test_what_does_not_fit_the_graph(aimm: Cli, graph: Path) -> None:
    """Unknown names, values of other types and missing artifacts are told together."""
    code, _, err = aimm("graph", "run", graph, "-p", "m=1", "-p", "text=true")
    assert code == 1
    assert "no parameter 'm'" in err
    assert "artifact input 'given'" in err
    assert "text" not in err  # true is text where text is declared


def test_a_graph_with_errors_is_not_run(aimm: Cli, graph: Path) -> None:
    """Its errors are told as by check; a file that is not there is wrong usage."""
    graph.write_text("graph: {s: {add: [x]}}\n")
    code, _, err = aimm("graph", "run", graph)
    assert (code, "argument-type" in err) == (1, True)
    assert aimm("graph", "run", graph.parent / "nothing.yaml").code == 2


def test_schema(aimm: Cli, sums: FakeSite) -> None:
    """The grammar, with the handlers that are installed unless told otherwise."""
    bare = json.loads(aimm("graph", "schema", "--no-plugins").out)
    assert bare["$defs"]["handler"]["properties"]["name"] == {"type": "string", "minLength": 1}
    full = json.loads(aimm("graph", "schema").out)
    assert "JsonArtifactTask" in full["$defs"]["handler"]["properties"]["name"]["anyOf"][0]["enum"]


def test_progress_of_steps_on_a_terminal(graph: Path, sums: FakeSite) -> None:
    """A bar for the graph and a line for each step that runs; results stay alone on stdout."""
    graph.write_text("graph:\n  nap: {slow: [0.5]}\n  rest: {slow: [0.6]}\n")
    environment = {"PYTHONPATH": str(sums.path)}
    done, shown = run_on_terminal(*AIMM, "graph", "run", graph, "-j", "2", stdout=False, env=environment)
    assert (done.code, done.out) == (0, "nap: 0.5\nrest: 0.6\n")
    assert "run graph.yaml" in shown
    assert "nap" in shown
    assert "sums_tasks.slow" in shown

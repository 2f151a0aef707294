import json
from pathlib import Path

import pytest

from support import FakeSite
from terminal import Cli

SOURCE = """
from aimm.tasks import register

@register
def add(a: int, b: int = 1, *more: int) -> int:
    \"\"\"Add numbers.\"\"\"
    return a + b + sum(more)
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A plugin directory with one task."""
    folder = tmp_path / "sums"
    folder.mkdir()
    (folder / "steps.py").write_text(SOURCE)
    return folder


def test_list(aimm: Cli, site: FakeSite) -> None:
    """Tasks of plugins, those that are built in, handlers; broken plugins with their cause on stderr."""
    site.add("dist-sums", "1.5", {"aimm.tasks": {"sums": "sums_tasks"}}, {"sums_tasks": SOURCE})
    site.add("dist-bad", "1", {"aimm.tasks": {"bad": "bad_tasks"}}, {"bad_tasks": "1 / 0\n"})
    code, out, err = aimm("tasks", "list")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert lines["sums_tasks.add"].split()[1:] == [
        "task",
        "sums",
        "dist-sums",
        "1.5",
        "(a,",
        "b?,",
        "*more?)",
        "->",
        "output",
    ]
    assert lines["aimm.fit"].split()[1] == "task"
    assert "artifact handler" in lines["aimm.JsonArtifactTask"]
    assert "plugin 'bad' (distribution dist-bad 1) failed at stage 'import': ZeroDivisionError" in err


def test_list_as_json(aimm: Cli, site: FakeSite) -> None:
    """With the types of inputs and outputs."""
    site.add("dist-sums", "1.5", {"aimm.tasks": {"sums": "sums_tasks"}}, {"sums_tasks": SOURCE})
    rows = {row["name"]: row for row in json.loads(aimm("tasks", "list", "--json").out)}
    found = rows["sums_tasks.add"]
    assert found["inputs"][1] == {"name": "b", "type": "integer", "required": False, "kind": "positional_or_keyword"}
    assert (found["outputs"], found["description"]) == ([{"name": "output", "type": "integer"}], "Add numbers.")
    assert rows["aimm.PickleArtifactTask"]["arguments"]["required"] == ["allow_pickle"]


def test_inspect_and_check(aimm: Cli, plugin: Path, tmp_path: Path) -> None:
    """What inspect prints fits the code, until the code changes."""
    code, out, err = aimm("tasks", "inspect", str(plugin), "--import")
    assert (code, err) == (0, "")
    document = tmp_path / "sums.json"
    document.write_text(out)
    assert aimm("tasks", "check", str(document), str(plugin)) == (0, "", "the registration fits the code\n")
    (plugin / "steps.py").write_text(SOURCE.replace("b: int", "c: int"))
    code, out, err = aimm("tasks", "check", str(document), str(plugin))
    fix = "the argument is called 'c'"
    assert (code, out, err) == (1, f"{plugin / 'steps.py'}:5: error: add: there is no argument 'b'; {fix}\n", "")
    code, out, _ = aimm("tasks", "check", "--json", str(document), str(plugin))
    assert (code, [(row["line"], row["fix"]) for row in json.loads(out)]) == (1, [(5, fix)])


def test_inspect_says_what_importing_changes(aimm: Cli, plugin: Path) -> None:
    """The registration is printed all the same."""
    (plugin / "steps.py").write_text(SOURCE + "print('noise')\nadd.__annotations__['a'] = str\n")
    code, out, err = aimm("tasks", "inspect", str(plugin), "--import")
    assert code == 1
    assert json.loads(out)["plugin"] == "sums"
    assert "the type of input 'a' is integer in source, and string live" in err


def test_inspect_imports_nothing(aimm: Cli, plugin: Path) -> None:
    """Not even libraries that are missing are in its way, until importing is asked for."""
    (plugin / "steps.py").write_text("import no_such_library\n" + SOURCE)
    code, out, err = aimm("tasks", "inspect", str(plugin))
    assert (code, err) == (0, "")
    (entry,) = json.loads(out)["files"][0]["function_tasks"]
    assert [item["parameterType"] for item in entry["inputParams"]] == ["integer"] * 3
    code, out, err = aimm("tasks", "inspect", str(plugin), "--import")
    assert code == 1
    assert "No module named 'no_such_library'" in err


def test_a_missing_file_is_said(aimm: Cli) -> None:
    """In one line."""
    code, _, err = aimm("tasks", "inspect", "never.py")
    assert (code, err) == (1, "aimm: never.py: there is no such file or folder\n")

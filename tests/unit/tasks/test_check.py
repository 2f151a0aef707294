"""Registration: made from source, compared with the code and with the imported code."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aimm.errors import PluginLoadError, RegistrationError
from aimm.tasks._check import check_registration
from aimm.tasks._compare import differences
from aimm.tasks._registration import read_registration, registration
from aimm.tasks._source import source_files

CODE = '''"""Tasks of a plugin."""
import numpy as np
from pathlib import Path
from dioptra import pyplugs
from aimm.tasks import ArtifactTaskInterface

@pyplugs.register
def scale(rows: np.ndarray, factor: float = 1.0, *more: int, mode: str, **rest: str) -> np.ndarray: ...

@pyplugs.register
def halves(rows: list[int], /, at: int) -> tuple[list[int], list[int]]: ...

@pyplugs.register
def done() -> None: ...

def helper(): ...

class Plain: ...

class TextTask(ArtifactTaskInterface):
    @staticmethod
    def serialize(working_dir: Path, name: str, contents: str, **kwargs) -> Path: ...
    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs) -> str: ...
    @staticmethod
    def validation(): ...
'''

Check = Callable[..., list[str]]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A plugin directory with one file."""
    folder = tmp_path / "my_plugin"
    folder.mkdir()
    (folder / "steps.py").write_text(CODE)
    return folder


@pytest.fixture
def document(code: Path) -> dict[str, Any]:
    """The right registration of that file, without what only warns."""
    return registration(source_files(code / "steps.py"))


@pytest.fixture
def check(code: Path, tmp_path: Path) -> Check:
    """The errors of a document, as ``line: task: message; fix``, without the name of the file."""

    def run(document: dict[str, Any]) -> list[str]:
        path = tmp_path / "tasks.json"
        path.write_text(json.dumps(document))
        found = check_registration(path, code)
        return [f"{m.line}: {m.task}: {m.message}; {m.fix}" for m in found if m.severity == "error"]

    return run


def test_the_registration_of_a_file(document: dict[str, Any]) -> None:
    """The seed's keys; kinds where they are not the usual one; a definition for each type that is not built in."""
    scale, halves, done = document["function_tasks"]
    assert document["filename"] == "steps.py"
    assert scale["inputParams"] == [
        {"name": "rows", "parameterType": "numpy.ndarray", "required": True},
        {"name": "factor", "parameterType": "number", "required": False},
        {"name": "more", "parameterType": "integer", "required": False, "kind": "var_positional"},
        {"name": "mode", "parameterType": "string", "required": True, "kind": "keyword_only"},
        {"name": "rest", "parameterType": "string", "required": False, "kind": "var_keyword"},
    ]
    assert halves["inputParams"][0]["kind"] == "positional_only"
    assert [output["name"] for output in halves["outputParams"]] == ["output_1", "output_2"]
    assert done["outputParams"] == []
    assert document["artifact_tasks"] == [
        {"name": "TextTask", "outputParams": [{"name": "output", "parameterType": "string"}]}
    ]
    assert document["types"] == {"numpy.ndarray": None}


def test_a_registration_fits_its_own_code(document: dict[str, Any], check: Check, code: Path) -> None:
    """Of a file, and of the whole plugin directory."""
    assert check(document) == []
    assert check(registration(source_files(code), "my_plugin")) == []


def test_nothing_is_imported(code: Path) -> None:
    """Reading source runs none of it."""
    (code / "steps.py").write_text("1 / 0\n" + CODE)
    assert source_files(code)[0].tasks
    assert "my_plugin" not in sys.modules


def _no_task(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda d: d["function_tasks"].append({"name": name, "inputParams": [], "outputParams": []})


def _input(place: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda d: d["function_tasks"][0]["inputParams"][place].update(changes)


CHANGES: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (_no_task("helper"), "16: helper: is not decorated; put @register above it"),
    (_no_task("scal"), "1: scal: there is no function of this name in steps.py; call it 'scale'"),
    (_no_task("zzzz"), "1: zzzz: there is no function of this name in steps.py; the functions are scale, halves, done"),
    (_no_task("done"), "1: done: is registered twice; remove one of the two entries"),
    (
        _input(0, required=False),
        "8: scale: the input 'rows' is registered as optional, and the argument has no default",
    ),
    (
        _input(1, required=True),
        "8: scale: the input 'factor' is registered as required, and the argument has a default",
    ),
    (_input(3, kind="positional_only"), "8: scale: the input 'mode' is registered as positional_only, and the arg"),
    (
        _input(1, parameterType="string"),
        "8: scale: the input 'factor' is registered as string, and annotated as number",
    ),
    (_input(1, parameterType={"list": 3}), "1: scale: the type of the input 'factor' is wrong: list: a type is"),
    (
        lambda d: d["function_tasks"][0]["inputParams"].pop(0),
        "8: scale: the required argument 'rows' is not registered",
    ),
    (
        lambda d: d["function_tasks"][1]["inputParams"].append({"name": "too"}),
        "11: halves: there is no argument 'too'; rem",
    ),
    (
        lambda d: d["function_tasks"][1]["inputParams"][1].update(name="att"),
        "11: halves: there is no argument 'att'; the argument is called 'at'",
    ),
    (
        lambda d: d["function_tasks"][1]["inputParams"].reverse(),
        "11: halves: the inputs are in the order at, rows, and values bind to rows, at; register them in the order of",
    ),
    (
        lambda d: d["function_tasks"][1]["inputParams"].append({"name": "at"}),
        "1: halves: has two inputs of one name; rename one of them",
    ),
    (
        lambda d: d["function_tasks"][1]["outputParams"].append({"name": "third"}),
        "11: halves: 3 outputs are registered, and the function returns 2; register 2 outputs",
    ),
    (
        lambda d: d["function_tasks"][1]["outputParams"].append({"name": "output_1"}),
        "1: halves: has two outputs of one name; rename one of them",
    ),
    (
        lambda d: d["function_tasks"][2]["outputParams"].append({"name": "one"}),
        "14: done: 1 outputs are registered, and the function returns 0",
    ),
    (
        lambda d: d["function_tasks"][0]["outputParams"][0].update(parameterType="string"),
        "8: scale: the output 'output' is registered as string, and annotated as numpy.ndarray",
    ),
    (
        lambda d: d["artifact_tasks"].append({"name": "Plain", "outputParams": [{"name": "o"}]}),
        "18: Plain: is no artifact handler; derive it from ArtifactTaskInterface",
    ),
    (
        lambda d: d["artifact_tasks"][0].update(outputParams=[]),
        "20: TextTask: no output is registered, and deserialize returns a value; register one output",
    ),
    (
        lambda d: d["artifact_tasks"][0]["outputParams"][0].update(parameterType="integer"),
        "20: TextTask: the output 'output' is registered as integer, and annotated as string",
    ),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[message[:60] for _, message in CHANGES])
def test_each_mismatch_is_one_issue(
    document: dict[str, Any], check: Check, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    """With line and fix; nothing else is complained about."""
    change(document)
    found = check(document)
    assert any(issue.startswith(message) for issue in found), found
    assert len(found) == 1 or "twice" in message or "third" in message or "of one name" in message


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (
            "tasks.json",
            '{"function_tasks": [\n {"name": "gone",\n  "inputParams": [{"name": "at"}]},\n'
            ' {"name": "halves", "inputParams": [{"name": "rows"}, {"name": "at"}]},\n {"name": "halves"}\n]}\n',
            {"gone": 2, "halves": 5},
        ),
        (
            "tasks.toml",
            "# gone halves\n[[function_tasks]]\nname = 'gone'\n[[function_tasks]]\nname = 'halves'\n"
            "input_params = [{name = 'rows'}, {name = 'at'}]\n[[function_tasks]]\nname = 'halves'\n",
            {"gone": 3, "halves": 8},
        ),
    ],
    ids=["json", "toml"],
)
def test_what_is_only_in_the_document_has_its_line_there(
    code: Path, name: str, text: str, line: dict[str, int]
) -> None:
    """Of a task without a function its entry, of one that stands twice the second."""
    path = code / name
    path.write_text(text)
    found = [m for m in check_registration(path) if m.file == str(path)]
    assert {m.task: m.line for m in found} == line


def test_what_works_is_a_warning(document: dict[str, Any], code: Path, tmp_path: Path) -> None:
    """Tasks that are not registered, both kinds in one file."""
    document["function_tasks"].pop()
    path = code / "tasks.json"
    path.write_text(json.dumps(document))
    found = [str(mismatch) for mismatch in check_registration(path)]
    assert found == [
        f"{code / 'steps.py'}:14: warning: done: is in the code and not in the document; register it",
        f"{code / 'steps.py'}:1: warning: function tasks and artifact tasks stand in one file; keep them in files of "
        "their own, if others are to use one without the other",
    ]


def test_aliases_and_keys_of_a_database(document: dict[str, Any], check: Check) -> None:
    """``np.ndarray`` is ``numpy.ndarray`` where the code says so; a number says nothing."""
    _input(0, parameterType="np.ndarray")(document)
    _input(1, parameterType=17)(document)
    assert check(document) == []


def test_fewer_outputs_drop_the_rest(document: dict[str, Any], check: Check) -> None:
    """One output takes the tuple whole."""
    document["function_tasks"][1]["outputParams"].pop()
    document["function_tasks"][1]["outputParams"][0].pop("parameterType")
    assert check(document) == []


def test_toml_with_snake_case_keys(code: Path) -> None:
    """As resource descriptions have it, with the file at each task."""
    path = code / "tasks.toml"
    path.write_text("""
[[plugins]]
path = "my_plugin"
[[plugins.tasks.functions]]
filename = "steps.py"
name = "halves"
input_params = [{name = "rows"}, {name = "at", parameter_type = "integer", required = true}]
output_params = [{name = "low"}, {name = "high"}]
[[plugins.tasks.artifacts]]
filename = "steps.py"
name = "TextTask"
output_params = [{name = "text", parameter_type = "string"}]
""")
    assert [entry.filename for entry in read_registration(path)[0]] == ["steps.py"]
    assert [m for m in check_registration(path) if m.severity == "error"] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", r"a registration document is an object, not \[\]"),
        ("{}", "expected function_tasks or artifact_tasks, not"),
        ('{"function_tasks": {}, "files": 3}', "files is a list of objects, not 3"),
        ('{"function_tasks": 3}', "function_tasks is a list, not 3"),
        ('{"function_tasks": [{}]}', "a task has a name, not {}"),
        ('{"function_tasks": [{"name": "a", "inputParams": 3}]}', "inputParams of 'a' is a list, not 3"),
        ('{"function_tasks": [{"name": "a", "inputParams": [3]}]}', "an item of inputParams of 'a' is an object"),
        (
            '{"function_tasks": [{"name": "a", "inputParams": [{"name": "b", "required": 3}]}]}',
            "required is true or fa",
        ),
        ('{"tasks": 3}', "tasks is an object with functions and artifacts"),
        ('{"function_tasks": [], "types": {"a": 3}}', "types: a: a type is empty"),
        ('{"filename": "x.py", "function_tasks": []}', r"it gives the file 'x\.py'; the code has steps\.py"),
    ],
)
def test_a_document_that_is_none(code: Path, text: str, message: str) -> None:
    """The message says what was expected."""
    path = code / "tasks.json"
    path.write_text(text)
    with pytest.raises(RegistrationError, match=message):
        check_registration(path)


def test_code_that_cannot_be_read(tmp_path: Path, code: Path) -> None:
    """No such place, no Python in it, no valid Python."""
    with pytest.raises(RegistrationError, match="there is no such file or folder"):
        source_files(tmp_path / "never")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RegistrationError, match=r"the folder has no \.py files"):
        source_files(tmp_path / "empty")
    (code / "bad.py").write_text("x = 1\ndef (:\n")
    with pytest.raises(RegistrationError, match=r"bad\.py:2: is no valid Python: "):
        source_files(code)
    (code / "bad.py").write_bytes(b"x = '\xff'\n")
    with pytest.raises(RegistrationError, match=r"bad\.py"):
        source_files(code)


LIVE = """
from dataclasses import dataclass
from pathlib import Path
from aimm.tasks import register
import numpy as np

@dataclass
class Point:
    x: np.ndarray

@register
def good(a: np.ndarray, b: Path, c: Point, d: "list[Point] | None" = None) -> dict[str, Point]: ...
"""


def test_source_and_imported_code_agree(tmp_path: Path) -> None:
    """Classes are compared by identity, however they are spelt."""
    folder = tmp_path / "live_plugin"
    folder.mkdir()
    (folder / "steps.py").write_text(LIVE)
    assert differences(source_files(folder), folder) == []


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        ("good.__annotations__['a'] = int\n", "the type of input 'a' is numpy.ndarray in source, and integer live"),
        ("good.__annotations__['return'] = int\n", "the type of output 'output' is mapping[string, "),
        ("good.__annotations__['return'] = None\n", "the number of outputs is 1 in source, and 0 live"),
        ("good.__defaults__ = None\n", "takes a, b, c, d in source, and a, b, c, d live"),
        ("if not True:\n    @register\n    def never(): ...\n", "importing the file registers no such task"),
    ],
)
def test_what_importing_changes_is_noticed(tmp_path: Path, tail: str, message: str) -> None:
    """Source alone cannot say it."""
    folder = tmp_path / "other_plugin"
    folder.mkdir()
    (folder / "steps.py").write_text(LIVE + tail)
    (found,) = differences(source_files(folder), folder)
    assert found.message.startswith(message)


def test_code_that_does_not_import(tmp_path: Path) -> None:
    """The comparison with live signatures says why."""
    folder = tmp_path / "broken_live"
    folder.mkdir()
    (folder / "steps.py").write_text(LIVE + "1 / 0\n")
    with pytest.raises(PluginLoadError, match="ZeroDivisionError"):
        differences(source_files(folder), folder)

import ast
import builtins
import itertools
import json
import py_compile
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from aimm.errors import MissingExtraError, ScaffoldError, TargetExistsError
from aimm.scaffold import KINDS, LICENSES, TEMPLATE, Answers, check_target, create

CHOICES = list(itertools.product(KINDS, LICENSES))
LEFT_OVER = ("{{", "{%", "cookiecutter", "{#")


def texts(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its relative name."""
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize(("kind", "license"), CHOICES, ids=map("-".join, CHOICES))
def test_every_placeholder_is_replaced(tmp_path: Path, kind: str, license: str) -> None:
    """No name and no content shows that it came from a template, whatever was chosen."""
    made = create(Answers.default("demo", kind)._replace(license=license), tmp_path)
    for name, text in texts(made).items():
        shown = text.replace("${{ matrix.python }}", "")
        assert not [mark for mark in LEFT_OVER if mark in name or mark in shown], name


@pytest.mark.parametrize(("kind", "license"), CHOICES, ids=map("-".join, CHOICES))
def test_every_choice_gives_a_whole_project(tmp_path: Path, kind: str, license: str) -> None:
    """What a package needs to be published is there, and says what was answered."""
    answers = Answers("my-demo", kind, "mydemo", 'Says "hello" \\ bye', "Ada & Co", license)
    files = texts(create(answers, tmp_path))
    assert files.keys() >= {
        *("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "noxfile.py", ".gitignore"),
        *(".github/workflows/ci.yml", "src/mydemo/__init__.py", "src/mydemo/py.typed"),
    }
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert (project["name"], project["license"]) == ("my-demo", license)
    assert project["description"] == 'Says "hello" \\ bye'
    assert project["authors"] == [{"name": "Ada & Co"}]
    assert "gpu" in project["optional-dependencies"]
    assert len(project["entry-points"]) >= 1
    assert any(name.startswith("tests/test_") for name in files)
    for name, text in files.items():
        if name.endswith(".py"):
            assert ast.get_docstring(ast.parse(text)), name


def test_what_pip_compiled_in_the_template_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new package has none of what pip compiled as it installed the template."""
    installed = tmp_path / "template"
    shutil.copytree(TEMPLATE, installed)
    for module in installed.rglob("noxfile.py"):
        py_compile.compile(str(module), doraise=True)
    assert [*installed.rglob("*.pyc")]
    monkeypatch.setattr("aimm.scaffold._create.TEMPLATE", installed)
    assert not [*create(Answers.default("demo"), tmp_path).rglob("__pycache__")]


@pytest.mark.parametrize(
    ("license", "words"),
    [("MIT", "MIT License"), ("BSD-3-Clause", "Redistributions"), ("Apache-2.0", "Apache License")],
)
def test_the_licence_has_its_text(tmp_path: Path, license: str, words: str) -> None:
    """The file LICENSE is the licence that pyproject.toml names."""
    made = create(Answers.default("demo")._replace(license=license), tmp_path)
    assert words in (made / "LICENSE").read_text()


def test_the_folder_has_the_name_of_the_distribution(tmp_path: Path) -> None:
    """Missing folders on the way are made, and nothing else is left there."""
    made = create(Answers.default("demo"), tmp_path / "new" / "place")
    assert made == tmp_path / "new" / "place" / "demo"
    assert list(made.parent.iterdir()) == [made]


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_what_exists_is_left_alone(tmp_path: Path, make: Any) -> None:
    """A folder, a file or a dangling link of that name is refused."""
    make(tmp_path / "demo")
    with pytest.raises(TargetExistsError, match="choose another name or folder, or remove it first"):
        create(Answers.default("demo"), tmp_path)
    with pytest.raises(TargetExistsError):
        check_target("demo", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert not list((tmp_path / "demo").glob("*"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "a b"}, "name 'a b' cannot be used"),
        ({"kind": "models"}, "it is none of class, functions, .*; 'class' would do"),
        ({"package": "json"}, "package 'json' cannot be used"),
        ({"description": "a\nb"}, "description .* cannot be used"),
        ({"author": ""}, "author '' cannot be used"),
        ({"license": "GPL"}, "it is none of MIT, .*; 'MIT' would do"),
    ],
)
def test_an_answer_that_cannot_be_used_writes_nothing(tmp_path: Path, change: dict[str, str], message: str) -> None:
    """Each answer is checked before the first file is made."""
    with pytest.raises(ScaffoldError, match=message):
        create(Answers.default("demo")._replace(**change), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_defaults_need_a_usable_name_and_kind() -> None:
    """Nothing can be derived from what cannot be used."""
    with pytest.raises(ScaffoldError, match="name"):
        Answers.default("a b")
    with pytest.raises(ScaffoldError, match="kind"):
        Answers.default("demo", "models")


def test_without_cookiecutter_the_install_line_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The optional dependency is named with the extra that brings it, and nothing is written."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("cookiecutter"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r'pip install "aimm-plugins\[template\]"'):
        create(Answers.default("demo"), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_cookiecutter_itself_makes_the_same(tmp_path: Path) -> None:
    """``cookiecutter REPOSITORY --directory ...`` gives the files that ``create`` gives."""
    repository = TEMPLATE.parents[3]
    command = [sys.executable, "-m", "cookiecutter", str(repository), "--no-input", "--default-config"]
    place = ["--directory", TEMPLATE.relative_to(repository).as_posix(), "--output-dir", str(tmp_path / "by-hand")]
    answers = Answers.default("demo")
    done = subprocess.run(
        [*command, *place, "name=demo"],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "PATH": "", "LANG": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    assert texts(tmp_path / "by-hand" / "demo") == texts(create(answers, tmp_path))


def test_the_template_runs_no_code() -> None:
    """There are no hooks."""
    assert sorted(path.name for path in TEMPLATE.iterdir()) == ["cookiecutter.json", "{{cookiecutter.name}}"]


def test_the_workflow_runs_the_sessions_of_the_noxfile(tmp_path: Path) -> None:
    """What CI runs exists, on every version of Python that the noxfile knows."""
    made = create(Answers.default("demo"), tmp_path)
    jobs = yaml.safe_load((made / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    commands = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    noxfile = (made / "noxfile.py").read_text()
    assert "nox -s lint types" in commands
    assert "nox -s tests-${{ matrix.python }}" in commands
    versions = jobs["tests"]["strategy"]["matrix"]["python"]
    assert f"@nox.session(python={json.dumps(versions)})" in noxfile
    assert all(f"def {session}(" in noxfile for session in ("tests", "lint", "types", "lock"))

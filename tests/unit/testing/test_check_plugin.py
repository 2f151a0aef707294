"""``check_plugin``: what can be named, and what is refused."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aimm.errors import CheckInputError, SubjectError
from aimm.testing import check_plugin
from faults import DATA, GOOD, TASKS
from support import FakeSite, unique_name

SUPPLIED = "\n\ndef aimm_examples():\n    import faults\n    return faults.EXAMPLE\n"
PROJECT = '[project]\nname = "scalers"\nversion = "1"\n[project.entry-points."aimm.models"]\nscaler = "{}"\n'


def test_a_project_is_checked_from_its_folder(tmp_path: Path) -> None:
    """The entry points of ``pyproject.toml`` count, nothing is installed, and ``sys.path`` stays as it was."""
    module, before = unique_name("scaler"), list(sys.path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / f"{module}.py").write_text(GOOD + SUPPLIED)
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(module))
    states: list[dict[str, Any]] = []
    report = check_plugin(tmp_path, state_cb=states.append)
    assert report.is_good, str(report)
    assert report.result("predict-works").subject == "scaler"
    assert report.subject == tmp_path.name
    assert states[0]["check"] == "[aimm.models] scaler: entry-point-resolves"
    assert sys.path == before


def test_a_wheel_is_checked_without_being_installed(tmp_path: Path) -> None:
    """It is read as it is."""
    module = unique_name("scaler")
    wheel = tmp_path / "scalers-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{module}.py", GOOD + SUPPLIED)
        archive.writestr("scalers-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: scalers\nVersion: 1.0\n")
        archive.writestr("scalers-1.0.dist-info/entry_points.txt", f"[aimm.models]\nscaler = {module}\n")
    report = check_plugin(wheel)
    assert report.is_good, str(report)


def test_a_module_is_checked_as_if_it_were_configured(tmp_path: Path) -> None:
    """Every model type that it declares is checked."""
    file = tmp_path / f"{unique_name('scaler')}.py"
    file.write_text(GOOD + SUPPLIED.replace("faults.EXAMPLE", "{'scaler': faults.EXAMPLE}"))
    report = check_plugin(file)
    assert report.is_good, str(report)
    assert report.result("predict-works", "scaler").status == "passed"


def test_a_plugin_directory_is_checked(tmp_path: Path) -> None:
    """Its files are loaded as a configuration that names it would."""
    folder = tmp_path / unique_name("scaler_plugin")
    folder.mkdir()
    (folder / "scaler.py").write_text(GOOD)
    report = check_plugin(folder)
    assert report.result("entry-point-resolves").status == "passed", str(report)
    assert report.result("actions-belong-together", "scaler").status == "passed"


def test_one_entry_point_of_several(site: FakeSite) -> None:
    """The name of an entry point narrows the check to it."""
    module = unique_name("scaler")
    site.add("many", entry_points={"aimm.models": {"scaler": module, "broken": "nowhere"}}, modules={module: GOOD})
    assert {result.subject for result in check_plugin("scaler").results} == {"[aimm.models] scaler", "scaler"}


def test_what_is_expected_of_one_subject(site: FakeSite) -> None:
    """``subject:check`` is enough; an entry point is called as in the results."""
    site.add("broken", entry_points={"aimm.models": {"broken": "nowhere"}})
    report = check_plugin("broken", expected_failures={"[aimm.models] broken:entry-point-resolves": "not written yet"})
    assert report.result("entry-point-resolves").status == "expected-fail"


@pytest.mark.parametrize(
    ("group", "source", "target"),
    [("aimm.data_access", DATA, ":numbers"), ("aimm.tasks", TASKS.partition("def aimm_examples")[0], "")],
    ids=["data access", "tasks"],
)
def test_a_plugin_of_which_nothing_can_be_tried_is_red(site: FakeSite, group: str, source: str, target: str) -> None:
    """That it can be imported is not enough; the message says what is missing."""
    module = unique_name("untried")
    site.add("untried", entry_points={group: {"numbers": f"{module}{target}"}}, modules={module: source})
    (problem,) = check_plugin("untried").problems
    assert "there is no example: let the plugin supply aimm_examples() with call(...) for it" in problem


def test_no_pytest_is_needed(tmp_path: Path) -> None:
    """The kit is plain Python: it works where pytest cannot be imported."""
    (tmp_path / "checked.py").write_text(GOOD + SUPPLIED)
    (tmp_path / "pytest.py").write_text("raise ImportError('not here')")
    path = f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}"
    program = "from aimm import testing; report = testing.check_plugin('checked.py'); print(report, report.is_good)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.stdout.endswith("True\n"), done.stdout + done.stderr


def test_an_unknown_name_is_an_error(site: FakeSite) -> None:
    """The distributions that there are are listed."""
    site.add("acme", entry_points={"aimm.models": {"m": "nowhere"}})
    with pytest.raises(SubjectError, match=r"no plugin and no path is called 'acne'; .* are .*acme"):
        check_plugin("acne")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("pyproject.toml", "[project", r"pyproject.toml cannot be read: "),
        ("pyproject.toml", "[project]\nname = 'x'\n", r"declares no entry point in a group that begins with 'aimm\.'"),
        ("notes.txt", "", r"notes.txt is no project with a pyproject.toml, wheel, Python module or directory of them"),
    ],
)
def test_a_path_that_is_no_plugin_is_an_error(tmp_path: Path, file: str, content: str, message: str) -> None:
    """The message says what is expected there."""
    (tmp_path / file).write_text(content)
    with pytest.raises(SubjectError, match=message):
        check_plugin(tmp_path if file == "pyproject.toml" else tmp_path / file)


def test_examples_that_make_no_sense_are_an_error(site: FakeSite) -> None:
    """They come back from the process that found them."""
    module = unique_name("scaler")
    source = GOOD + "\n\ndef aimm_examples():\n    return 3\n"
    site.add("odd", entry_points={"aimm.models": {"scaler": module}}, modules={module: source})
    report = check_plugin("odd")
    assert "gives 3 for 'scaler'" in report.problems[0]


def test_expectations_that_make_no_sense_are_an_error(site: FakeSite) -> None:
    """Those of the caller at once, those of the plugin when it is loaded."""
    module = unique_name("scaler")
    source = GOOD + "\naimm_expected_failures = {'fits': 'old'}\n"
    site.add("odd", entry_points={"aimm.models": {"scaler": module}}, modules={module: source})
    for options in ({"expected_failures": {"fits": "old"}}, {}):
        with pytest.raises(CheckInputError, match="expected failure 'fits': there is no such check"):
            check_plugin("odd", **options)  # type: ignore[arg-type]

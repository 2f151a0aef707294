"""Graphs as their users run them: real plugins of tasks and models in an environment, real data, real files."""

import json
from pathlib import Path

import pytest

from environments import ROOT, Environment, build_wheel, make_environment, once

HELLO = ROOT / "example_plugins" / "aimm-hello-tasks"
GRAPHS = HELLO / "graphs"


def install(path: Path, base: Path, aimm: Path) -> None:
    """Make an environment with the example plugins of tasks and of scikit-learn."""
    venv = make_environment(path, base, aimm)
    for project in (HELLO, ROOT / "example_plugins" / "aimm-sklearn"):
        build_wheel(project, path / "wheels" / project.name, base)
    venv.pip("install", *(path / "wheels").rglob("*.whl"))


@pytest.fixture
def pipeline(workshop: Path, base: Path, aimm_wheel: Path) -> Environment:
    """The environment, shared by the tests here."""
    return Environment(once(workshop, "graphs", lambda path: install(path, base, aimm_wheel)), base)


def actions(listed: str) -> dict[str, str]:
    """What was done, or is to be done, with each step."""
    return {step["name"]: step["action"] for step in json.loads(listed)["steps"]}


@pytest.mark.timeout(900)
def test_load_split_train_score(pipeline: Environment, tmp_path: Path) -> None:
    """A classifier that is right nine times of ten; changed parameters run again only what hangs on them."""
    run = ("graph", "run", GRAPHS / "classify.yaml", "--out", tmp_path / "results", "--json", "-p")
    assert pipeline.aimm("graph", "check", GRAPHS / "classify.yaml").err == "the graph is sound\n"
    done = pipeline.aimm(*run, "data=wine", "-j", "2")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["results"]["scores.report"]["accuracy"] > 0.9
    assert json.loads((tmp_path / "results" / "scores.json").read_text())["samples"] == 54
    assert "| samples | 54.000 |" in (tmp_path / "results" / "report.md").read_text()
    assert found["artifacts"]["report"]["distribution"] == "aimm-hello-tasks"
    again = pipeline.aimm(*run, "data=wine", "-p", "strength=0.1", "--resume", "--dry-run")
    assert actions(again.out) == {"table": "reuse", "parts": "reuse", "model": "run", "scores": "run"}


@pytest.mark.timeout(900)
def test_any_installed_model_type(pipeline: Environment, tmp_path: Path) -> None:
    """A graph fits a model type of another plugin; its file then serves ``aimm predict``, and the fit is reused."""
    results = tmp_path / "results"
    run = ("graph", "run", GRAPHS / "model.yaml", "--out", results, "-p", "model_type=sklearn.svm.SVC", "--json")
    done = pipeline.aimm(*run)
    assert done.code == 0, done.err
    assert json.loads(done.out)["results"]["scores.report"]["accuracy"] > 0.9
    model = results / "model.aimm"
    predicted = pipeline.aimm("predict", model, "--data", "sklearn.datasets.iris", "--split", "test", "--score")
    assert predicted.code == 0, predicted.err
    model.unlink()
    resumed = pipeline.aimm(*run, "--resume")
    assert set(actions(resumed.out).values()) == {"reuse"}
    assert model.exists()  # it was written again from the kept instance, which was not fitted again

"""The example plugins as their users get them, and the main job of the README with one of them."""

import json
import re
import shutil
from pathlib import Path

import pytest

from environments import (
    ROOT,
    Environment,
    build_wheel,
    clean_environment,
    copied,
    make_environment,
    once,
    requirements_of_tests,
)
from terminal import run

EXAMPLES = sorted(path.parent for path in ROOT.glob("example_plugins/*/pyproject.toml"))
IRIS = ("--data", "sklearn.datasets.iris", "--split")


def install_example(path: Path, project: Path, base: Path, aimm: Path) -> None:
    """Make an environment with an example plugin, its dependencies, and what its tests need."""
    venv = make_environment(path, base, aimm)
    build_wheel(project, path / "wheel", base)
    wheel = next((path / "wheel").glob("*.whl"))
    lock = project / "requirements.txt"
    venv.pip("install", wheel, *requirements_of_tests(project), *(("-r", lock) if lock.exists() else ()))


@pytest.fixture
def example(request: pytest.FixtureRequest, workshop: Path, base: Path, aimm_wheel: Path) -> Environment:
    """The environment of the example plugin that the test is parametrised with, shared by the tests that use it."""
    project: Path = request.param
    made = once(workshop, project.name, lambda path: install_example(path, project, base, aimm_wheel))
    return Environment(made, base)


with_sklearn = pytest.mark.parametrize("example", [ROOT / "example_plugins" / "aimm-sklearn"], indirect=True)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("example", [ROOT / "example_plugins" / "aimm-train-tabular"], indirect=True)
def test_the_lock_of_an_example_has_all_that_it_needs(example: Environment) -> None:
    """Installing by the lock gives exactly its versions, and whatever those need in turn is in it."""
    folder = ROOT / "example_plugins" / "aimm-train-tabular"
    for lock in ("requirements.txt", "requirements-gpu.txt"):
        done = example.run_python(LOCK, folder / lock)
        assert (done.code, done.out) == (0, ""), done.err


LOCK = """
    import importlib.metadata, re, sys
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
    pinned = dict(line.split("==") for line in lines if re.match("[a-z]", line))
    source = open(sys.argv[1].replace(".txt", ".in"), encoding="utf-8").read().splitlines()
    wanted = [Requirement(line) for line in source if not line.startswith("#")]
    for name, version in pinned.items():
        try:
            installed = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            assert "gpu" in sys.argv[1], name
            continue  # nobody here has a GPU
        if installed.version != version:
            print(name, installed.version, "is installed, not", version)
        needs = map(Requirement, installed.requires or ())
        wanted += [need for need in needs if not need.marker or need.marker.evaluate({"extra": ""})]
    for need in wanted:
        version = pinned.get(canonicalize_name(need.name))
        if version is None or version not in need.specifier:
            print(need, "but the lock has", version)
"""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name, indirect=True)
def test_an_example_passes_its_own_tests(example: Environment, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Installed with its dependencies, its suite passes and skips nothing."""
    project: Path = request.node.callspec.params["example"]
    copy = tmp_path / project.name
    copy.mkdir()
    shutil.copy(project / "pyproject.toml", copy)
    copied(project / "tests", copy / "tests")
    shutil.copy(project / "README.md", copy)
    done = run(example.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=copy, env=clean_environment())
    assert done.code == 0, done.out[-5000:] + done.err
    assert re.search(r"\d+ passed", done.out)
    assert "skipped" not in done.out


@pytest.mark.timeout(900)
@with_sklearn
def test_the_main_job_from_the_command_line(example: Environment, tmp_path: Path) -> None:
    """Fit an SVC to a part of iris, save it, reload it in a new process, predict the rest: nine of ten are right."""
    assert "sklearn.datasets.iris" in example.aimm("plugins", "list").out
    file, predictions = tmp_path / "svc.aimm", tmp_path / "predictions.csv"
    fitted = example.aimm("fit", "sklearn.svm.SVC", *IRIS, "train", "--param", "kernel=linear", "-o", file)
    assert (fitted.code, fitted.out) == (0, ""), fitted.err
    predicted = example.aimm("predict", file, *IRIS, "test", "--score", "-o", predictions)
    assert predicted.code == 0, predicted.err
    assert float(predicted.out.split()[1]) >= 0.9
    heading, *rows = predictions.read_text().splitlines()
    assert heading == "prediction"
    assert len(rows) >= 15
    assert set(rows) == {"0", "1", "2"}


@pytest.mark.timeout(900)
@with_sklearn
def test_a_table_and_a_training_of_one_example_serve_the_models_of_another(
    example: Environment, workshop: Path, base: Path, tmp_path: Path
) -> None:
    """An SVC that learnt from a CSV file, and what ``aimm train`` made, are right for rows that they did not see."""
    project = ROOT / "example_plugins" / "aimm-train-tabular"
    wheels = once(workshop, "wheel-of-aimm-train-tabular", lambda path: build_wheel(project, path, base))
    # Beside the environment, which other tests share; all that it needs is there.
    beside = tmp_path / "beside"
    example.pip("install", "--no-deps", "--no-index", "--target", beside, next(wheels.glob("*.whl")))
    table = ("--data", "tabular.csv", "--data-param", f"path={beside / 'aimm_train_tabular' / 'iris.csv'}")
    test, cancer = ("--split", "test", "--score", "--json"), "tabular.breast_cancer"
    runs: list[tuple[str | Path, ...]] = [
        ("fit", "sklearn.svm.SVC", *table, "--split", "train", "-o", tmp_path / "svc.aimm"),
        ("predict", tmp_path / "svc.aimm", *table, *test),
        ("train", "--no-input", "--dataset", cancer, "--artifact-path", tmp_path / "run", "tabular", "forest"),
        ("predict", tmp_path / "run" / "model.aimm", "--data", cancer, *test),
    ]
    fitted, flowers, trained, tumours = (example.aimm(*words, PYTHONPATH=str(beside)) for words in runs)
    assert (fitted.code, trained.code) == (0, 0), fitted.err + trained.err
    for predicted, rows in ((flowers, 38), (tumours, 143)):
        assert predicted.code == 0, predicted.err
        assert json.loads(predicted.out)["count"] == rows
        assert json.loads(predicted.out)["accuracy"] >= 0.9


@pytest.mark.timeout(900)
@with_sklearn
def test_the_main_job_from_python(example: Environment, tmp_path: Path) -> None:
    """The same in Python, the second half in a new process."""
    fitted = example.run_python(
        """
        import sys
        from aimm import plugins, store
        plugins.initialize()
        assert "sklearn" not in sys.modules
        states = []
        train = plugins.exec_data_access("sklearn.datasets.iris", states.append, split="train")
        model = plugins.exec_instantiate("sklearn.svm.SVC", kernel="linear")
        model = plugins.exec_fit("sklearn.svm.SVC", model, states.append, train["X"], train["y"])
        store.save_model(sys.argv[1], "sklearn.svm.SVC", model)
        """,
        tmp_path / "svc.aimm",
    )
    assert fitted == (0, "", "")
    predicted = example.run_python(
        """
        import sys
        from aimm import plugins, store
        plugins.initialize()
        header, model = store.load_model(sys.argv[1])
        assert header.distribution == "aimm-sklearn"
        test = plugins.exec_data_access("sklearn.datasets.iris", split="test")
        model, prediction = plugins.exec_predict(header.model_type, model, None, test["X"])
        print((prediction == test["y"]).mean())
        """,
        tmp_path / "svc.aimm",
    )
    assert (predicted.code, predicted.err) == (0, "")
    assert float(predicted.out) >= 0.9


@pytest.mark.timeout(900)
@with_sklearn
def test_the_python_block_of_the_readme_runs(example: Environment) -> None:
    """What the README shows is what works."""
    text = (ROOT / "README.md").read_text("utf-8")
    block = re.search(r"## Use it\n+```python\n(.*?)```", text, re.DOTALL)
    assert block
    assert example.run_python(block[1]) == (0, "", "")


@pytest.mark.timeout(900)
@with_sklearn
def test_doctor_is_content_with_an_example(example: Environment) -> None:
    """An installed example plugin is healthy."""
    done = example.aimm("plugins", "doctor")
    assert done.code == 0, done.out


@pytest.mark.timeout(900)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name, indirect=True)
def test_the_conformance_kit_raises_no_false_alarm(example: Environment, request: pytest.FixtureRequest) -> None:
    """``aimm plugins check`` has no complaint about an example plugin, and runs enough checks."""
    done = example.aimm("plugins", "check", request.node.callspec.params["example"].name)
    assert done.code == 0, done.out
    assert "passed" in done.out.splitlines()[-1]

"""What the commands do, as ``aimm train`` runs them."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import aimm

DATA = ("--dataset", "tabular.breast_cancer")


def train(folder: Path, *words: str | Path, data: tuple[str, ...] = DATA) -> dict[str, Any]:
    """Run a training into the folder ``run``; returns its record."""
    done = aimm("train", "--no-input", "--json", *data, "--artifact-path", "run", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return record


@pytest.mark.parametrize(
    ("words", "architecture"),
    [(("forest", "--trees", "20"), "random forest"), (("boost", "cpu", "--rounds", "10"), "gradient boosting")],
)
def test_a_training_keeps_what_it_learned(tmp_path: Path, words: tuple[str, ...], architecture: str) -> None:
    """The model predicts nine of ten unseen tumours right; files and metadata tell how."""
    record = train(tmp_path, "tabular", *words)
    assert record["metrics"]["accuracy"] > 0.9
    assert record["metrics"]["rows_tested_on"] == 143
    assert record["plugin_metadata"]["architecture"] == architecture
    assert record["dataset"]["digest"].startswith("sha256:")
    names = {file["name"]: file["role"] for file in record["files"]}
    assert names.pop("model.skops") == "model"  # for nobody owns its type here
    assert names == dict.fromkeys(["report.json", "confusion.csv", "importances.csv"], "extra")
    rows = list(csv.reader((tmp_path / "run" / "confusion.csv").read_text().splitlines()))
    assert sum(int(cell) for row in rows[1:] for cell in row[1:]) == 143


def test_the_saved_model_predicts(tmp_path: Path) -> None:
    """What is in the file is the forest that was tested."""
    from aimm_train_tabular.data import breast_cancer
    from skops.io import get_untrusted_types, load

    train(tmp_path, "tabular", "forest", "--trees", "20")
    data, file = breast_cancer(), tmp_path / "run" / "model.skops"
    types = get_untrusted_types(file=file)
    assert all(name.startswith("sklearn.") for name in types)
    assert load(file, trusted=types).score(data["X"], data["y"]) > 0.95


def test_cross_validation_joins_the_folds(tmp_path: Path) -> None:
    """Each tumour is tested once; the accuracy has a mean and a deviation."""
    record = train(tmp_path, "tabular", "--kfold", "3", "forest", "--trees", "10")
    assert sum(record["metrics"]["rows_tested_on"]["folds"]) == 569
    assert record["metrics"]["accuracy"]["mean"] > 0.9
    assert {file["name"].split("/")[0] for file in record["files"]} == {"fold-1", "fold-2", "fold-3"}


def test_a_csv_file_is_a_data_set(tmp_path: Path) -> None:
    """The last column is the class, whatever it is called."""
    rows = [[str(i), str(i % 7), "many" if i > 20 else "few"] for i in range(40)]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["a", "b", "class"], *rows])
    record = train(tmp_path, "tabular", "forest", "--trees", "5", data=("--dataset", "t.csv"))
    assert record["metrics"]["accuracy"] > 0.7
    assert record["dataset"]["kind"] == "path"


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        ("", (), "found a heading of 0, and 0 rows"),
        (
            "a,rate\n1,0.5\n2,1.5\n",
            (),
            "expected classes in y, found numbers with fractions; to learn measures, 'aimm fit'",
        ),
        ("a,class\n1,x\n", (), "1 rows cannot be split"),
        ("a,class\n1,x\n2,y\n", ("--kfold", "3"), "2 rows cannot be split"),
    ],
    ids=["empty", "measures", "short", "folds"],
)
def test_a_file_that_is_no_table_is_explained(
    tmp_path: Path, content: str, words: tuple[str, ...], message: str
) -> None:
    """What was expected and what was found; nothing is saved."""
    (tmp_path / "t.csv").write_text(content)
    data = ("--dataset", "t.csv", "--artifact-path", "run")
    done = aimm("train", "--no-input", *data, "tabular", *words, "forest", cwd=tmp_path)
    assert done.returncode == (2 if "cannot be split" in message else 1)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("[1, 2]", "data set 'odd': it must return a mapping with 'X' and 'y'"),
        ("{'X': [{'a': 1}], 'y': [0]}", "data set 'odd': X must be a two-dimensional array of numbers: "),
        ("{'X': [1, 2], 'y': [0, 1]}", "found X of shape (2,), and y of shape (2,)"),
        ("{'X': [[1], [2]], 'y': [0]}", "found X of shape (2, 1), and y of shape (1,)"),
    ],
    ids=["no mapping", "dicts", "one dimension", "short"],
)
def test_data_that_is_no_table_is_explained(tmp_path: Path, returned: str, message: str) -> None:
    """Whatever a data access returns, the message says what it should."""
    (tmp_path / "plugins").mkdir()
    code = f"from aimm import plugins\n@plugins.data_access('odd')\ndef odd():\n    return {returned}\n"
    (tmp_path / "plugins" / "odd.py").write_text(code)
    words = ("train", "--no-input", "--dataset", "odd", "--artifact-path", "run", "tabular", "forest")
    done = aimm(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_configuration_says_how_many_trees(tmp_path: Path) -> None:
    """The section ``plugin`` is what the option falls back to."""
    (tmp_path / "train.yaml").write_text("plugin: {trees: 7}\n")
    done = aimm(
        *("train", "--json", "--no-input", *DATA, "--artifact-path", "run", "--config", "train.yaml"),
        *("tabular", "forest"),
        cwd=tmp_path,
    )
    assert json.loads(done.stdout)["plugin_metadata"]["trees"] == 7
    assert "Warning" not in done.stderr


def test_without_the_extra_the_gpu_command_names_it(tmp_path: Path) -> None:
    """What to install stands in the message."""
    done = aimm("train", "--no-input", *DATA, "--artifact-path", "run", "tabular", "boost", "gpu", cwd=tmp_path)
    assert done.returncode == 2
    assert 'pip install "aimm-train-tabular[gpu]"' in done.stderr


def test_showing_help_imports_nothing_heavy() -> None:
    """Neither listing the command nor its help needs scikit-learn or NumPy."""
    code = (
        "import sys\nfrom aimm.cli import main\n"
        "assert main(['train', '--help']) == 0 and main(['train', 'tabular', 'forest', '--help']) == 0\n"
        "assert not {'numpy', 'sklearn', 'xgboost'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""Models by name, in files of ``aimm``: fitted to one's own table, or trained by a command, and applied."""

import json
import shutil
from pathlib import Path

import aimm_train_tabular
import pytest
from command import aimm

IRIS = Path(aimm_train_tabular.__file__).with_name("iris.csv")
FOREST = "sklearn.ensemble.RandomForestClassifier"
OWNER = f"""
from aimm import plugins
from skops import io
from sklearn.ensemble import RandomForestClassifier

plugins.instantiate({FOREST!r})(RandomForestClassifier)
plugins.serialize([{FOREST!r}])(io.dumps)


@plugins.fit([{FOREST!r}])
def fit(model, X, y):
    return model.fit(X, y)


@plugins.predict([{FOREST!r}])
def predict(model, X):
    return model.predict(X)


@plugins.deserialize([{FOREST!r}])
def read(data):
    return io.loads(data, trusted=io.get_untrusted_types(data=data))
"""
"""Owns random forests, as aimm-sklearn does."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the measurements, and a plugin that owns random forests."""
    shutil.copy(IRIS, tmp_path / "measurements.csv")
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "owner.py").write_text(OWNER)
    return tmp_path


def test_a_model_is_fitted_to_a_file_and_applied(folder: Path) -> None:
    """Nine of ten flowers that it did not see are recognised; new ones, of which no kind is known, get one each."""
    data = ("--data", "tabular.csv", "--data-param", "path=measurements.csv", "--split")
    done = aimm("fit", FOREST, *data, "train", "--param", "random_state=0", "-o", "m.aimm", cwd=folder)
    assert done.returncode == 0, done.stderr
    done = aimm("predict", "m.aimm", *data, "test", "--score", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["count"] == 38
    assert json.loads(done.stdout)["accuracy"] > 0.9
    (folder / "new.csv").write_text("a,b,c,d\n5.1,3.5,1.4,0.2\n")
    new = ("--data", "tabular.csv", "--data-param", "path=new.csv", "--data-param", "target=null")
    done = aimm("predict", "m.aimm", *new, cwd=folder)
    assert (done.returncode, done.stdout) == (0, "prediction\nsetosa\n"), done.stderr


@pytest.mark.parametrize(
    ("trained_on", "applied_to"),
    [
        ("tabular.breast_cancer", ("tabular.breast_cancer",)),
        ("measurements.csv", ("tabular.csv", "--data-param", "path=measurements.csv")),
    ],
)
def test_a_trained_model_is_applied(folder: Path, trained_on: str, applied_to: tuple[str, ...]) -> None:
    """Where its type has an owner, it is a model file, and the part ``test`` is what the training tested it on."""
    words = ("train", "--json", "--no-input", "--dataset", trained_on, "--artifact-path", "run", "tabular", "forest")
    done = aimm(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert [file["name"] for file in record["files"] if file["role"] == "model"] == ["model.aimm"]
    done = aimm("predict", "run/model.aimm", "--data", *applied_to, "--split", "test", "--score", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accuracy"] == record["metrics"]["accuracy"]
    assert json.loads(done.stdout)["count"] == record["metrics"]["rows_tested_on"]

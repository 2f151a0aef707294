"""Data by name: a table in a CSV file becomes what models take."""

import math
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import aimm_train_tabular
import fsspec
import numpy as np
import pytest
from aimm_train_tabular.data import breast_cancer, csv_file

from aimm.errors import DatasetError, MissingExtraError

IRIS = Path(aimm_train_tabular.__file__).with_name("iris.csv")


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write a CSV file, and return its path."""

    def write(content: str | bytes) -> Path:
        file = tmp_path / "t.csv"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return write


def test_the_last_column_is_what_is_predicted() -> None:
    """All others are measurements, under their names."""
    data = csv_file(IRIS)
    assert data["X"].shape == (150, 4)
    assert data["X"][0].tolist() == [5.1, 3.5, 1.4, 0.2]
    assert data["feature_names"] == ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    assert sorted(set(data["y"].tolist())) == ["setosa", "versicolor", "virginica"]


def test_another_column_is_predicted_on_request(write: Any) -> None:
    """By its name, which may be a number; the last column is a measurement then."""
    file = write("2019,kind,size\n1,a,3\n2,b,4\n")
    data = csv_file(file, target="kind")
    assert (data["X"].tolist(), data["y"].tolist(), data["feature_names"]) == (
        [[1, 3], [2, 4]],
        ["a", "b"],
        ["2019", "size"],
    )
    data = csv_file(write("2019,size\n1,3\n2,4\n"), target=2019)
    assert (data["X"].tolist(), data["y"].tolist()) == ([[3], [4]], [1, 2])


def test_a_table_may_have_nothing_to_predict(write: Any) -> None:
    """Then every column is a measurement, in each part, and there is no ``y``."""
    file = write("a,b\n1,2\n3,4\n5,6\n7,8\n")
    assert csv_file(file, target=None)["X"].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    test = csv_file(file, target=None, split="test")
    assert test["X"].shape == (1, 2)
    assert set(test) == {"X", "feature_names"}


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1", "0"], "i", [1, 0]),
        (["1", "0.5"], "f", [1.0, 0.5]),
        (["1", "1e30"], "f", [1.0, 1e30]),
        (["1", str(10**30)], "f", [1.0, 1e30]),
        (["1", "few"], "U", ["1", "few"]),
        (["1_0", "2_0"], "U", ["1_0", "2_0"]),
    ],
)
def test_answers_are_numbers_if_all_of_them_are(write: Any, cells: list[str], kind: str, values: list[Any]) -> None:
    """Whole ones stay whole, for classes; what only looks like a number stays a word."""
    y = csv_file(write("a,y\n" + "".join(f"1,{cell}\n" for cell in cells)))["y"]
    assert (y.dtype.kind, y.tolist()) == (kind, values)


def test_a_file_of_a_spreadsheet_is_read(write: Any) -> None:
    """A byte order mark is no part of the first name, and empty lines are no rows."""
    data = csv_file(write("\ufeffa,b\r\n1,2\r\n\r\n3,4\r\n".encode()))
    assert (data["feature_names"], data["X"].tolist()) == (["a"], [[1], [3]])


@pytest.mark.parametrize("load", [breast_cancer, lambda *args: csv_file(IRIS, -1, *args)], ids=["cancer", "iris"])
def test_the_parts_make_up_the_whole(load: Any) -> None:
    """Three quarters and the others; each class has its share; another seed draws other rows."""
    train, test, whole = load("train"), load("test"), load()
    assert (len(train["X"]), len(test["X"])) == (len(whole["X"]) * 3 // 4, math.ceil(len(whole["X"]) / 4))
    assert sorted(np.vstack([train["X"], test["X"]]).tolist()) == sorted(whole["X"].tolist())
    for name in set(whole["y"].tolist()):
        assert abs((test["y"] == name).sum() - (whole["y"] == name).sum() / 4) <= 1
    assert np.array_equal(load("test")["X"], test["X"])
    assert not np.array_equal(load("test", 1)["X"], test["X"])


@pytest.mark.parametrize(
    "values", [[0.5, 0.5, 1.5, 1.5], [1, 1, 1, 2], [1, 2, 3, 4]], ids=["measures", "rare", "counts"]
)
def test_what_has_no_equal_shares_is_split_all_the_same(write: Any, values: list[float]) -> None:
    """Measures, and classes with a single row, go to either part."""
    file = write("a,y\n" + "".join(f"{number},{value}\n" for number, value in enumerate(values)))
    assert [len(csv_file(file, split=part)["y"]) for part in ("train", "test")] == [3, 1]


@pytest.mark.parametrize(
    ("content", "target", "message"),
    [
        (
            "",
            -1,
            "expected a heading, and rows with as many cells, commas between them; found a heading of 0, and 0 rows",
        ),
        ("a,b\n", -1, "found a heading of 2, and 0 rows"),
        ("a,b\n1,x\n2\n", -1, "found a heading of 2, and a row of 1"),
        ("a;b\n1;x\n", -1, "there is no column beside 'a;b', which holds the answers"),
        ("a,b\none,x\n", -1, "all columns but 'b' must be numbers: could not convert string to float: 'one'"),
        ("a,b\n1,x\n", None, "all columns must be numbers: could not convert string to float: 'x'"),
        ("a,b\n1,x\n", "c", "no column is called 'c'; the columns are a, b"),
        ("a,b\n1,x\n2,\n", -1, "not all rows have something in 'b'"),
        ("a,b\n1,é\n".encode("latin-1"), -1, "it cannot be read: 'utf-8' codec can't decode byte 0xe9"),
    ],
)
def test_a_file_that_is_no_table_is_explained(write: Any, content: Any, target: Any, message: str) -> None:
    """Which file, what was expected and what was found, also after a way through another process."""
    file = write(content)
    with pytest.raises(DatasetError) as caught:
        csv_file(file, target)
    assert str(caught.value).startswith(f"data set '{file}': ")
    assert message in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_what_cannot_be_had_is_explained(tmp_path: Path, write: Any) -> None:
    """A missing file, a part that there is not, and a single row, which has no parts."""
    with pytest.raises(DatasetError, match=r"data set '.*gone.csv': it cannot be read: .* No such file or directory"):
        csv_file(tmp_path / "gone.csv")
    with pytest.raises(ValueError, match="no part 'all' of the data: 'train' and 'test' are, None is all"):
        csv_file(IRIS, split="all")
    with pytest.raises(DatasetError, match="1 rows cannot be split: "):
        csv_file(write("a,b\n1,x\n"), split="train")


def test_a_file_may_be_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``~`` is understood, and ``file://``."""
    shutil.copy(IRIS, tmp_path / "mine.csv")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(csv_file("~/mine.csv")["y"]) == len(csv_file(f"file://{tmp_path}/mine.csv")["y"]) == 150


def test_a_url_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """By fsspec; messages name the URL, and what to install where fsspec is missing."""
    fsspec.filesystem("memory").pipe_file("/data/mine.csv", IRIS.read_bytes())
    assert len(csv_file("memory://data/mine.csv", split="test")["y"]) == 38
    with pytest.raises(DatasetError, match=r"data set 'memory://data/mine.csv': no column is called 'c'"):
        csv_file("memory://data/mine.csv", target="c")
    with pytest.raises(DatasetError, match=r"data set 'memory://gone.csv': it cannot be fetched: FileNotFoundError"):
        csv_file("memory://gone.csv")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingExtraError, match=r'pip install "aimm-plugins\[remote\]"'):
        csv_file("memory://data/mine.csv")

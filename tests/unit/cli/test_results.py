import array
import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import click
import numpy
import pytest

from aimm.cli._results import to_plain, truth_in, write_predictions
from aimm.cli._session import Session


class Frame:
    """Looks like a data frame."""

    columns = ("a", "b")

    def to_dict(self, orient: str) -> list[dict[str, int]]:
        assert orient == "records"
        return [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


class Series:
    """Looks like a series: it has ``to_dict``, and no columns."""

    def to_dict(self) -> dict[int, str]:
        return {0: "x"}

    def tolist(self) -> list[str]:
        return ["x", "y"]


SHAPES: list[tuple[Any, list[list[str]]]] = [
    ([1, 0], [["prediction"], ["1"], ["0"]]),
    ((1.5, None), [["prediction"], ["1.5"], [""]]),
    (numpy.array([1, 0]), [["prediction"], ["1"], ["0"]]),
    (numpy.array(["a,b", 'c"d']), [["prediction"], ["a,b"], ['c"d']]),
    (["two\nlines"], [["prediction"], ["two\nlines"]]),
    (numpy.array([[1, 2], [3, 4]]), [["prediction_0", "prediction_1"], ["1", "2"], ["3", "4"]]),
    ([[1, 2], [3]], [["prediction_0", "prediction_1"], ["1", "2"], ["3"]]),
    ([[[1, 2]], [[3, 4]]], [["prediction_0"], ["[1, 2]"], ["[3, 4]"]]),
    ([{"a": 1}, {"b": [2]}], [["a", "b"], ["1", ""], ["", "[2]"]]),
    ({"a": 1, "b": 2}, [["a", "b"], ["1", "2"]]),
    (Frame(), [["a", "b"], ["1", "2"], ["3", "4"]]),
    (Series(), [["prediction"], ["x"], ["y"]]),
    (array.array("d", [0.5]), [["prediction"], ["0.5"]]),
    (numpy.float64(0.5), [["prediction"], ["0.5"]]),
    (7, [["prediction"], ["7"]]),
    ("label", [["prediction"], ["label"]]),
    ([1, [2]], [["prediction"], ["1"], ["[2]"]]),
    ([], [["prediction"]]),
]


@pytest.mark.parametrize(("prediction", "rows"), SHAPES)
def test_csv_has_a_heading_and_a_row_for_each_prediction(
    prediction: Any, rows: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """One column, a column for each item, or the keys as columns, whatever the plugin returned."""
    write_predictions(Session(), prediction, None, as_json=False)
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == rows


@pytest.mark.parametrize(("prediction", "rows"), SHAPES)
def test_a_csv_file_is_what_stdout_would_be(prediction: Any, rows: list[list[str]], tmp_path: Path) -> None:
    """A file ending in .csv has the same rows."""
    write_predictions(Session(), prediction, str(tmp_path / "out.csv"), as_json=False)
    with (tmp_path / "out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == rows


@pytest.mark.parametrize(
    ("prediction", "plain"),
    [
        ((1, 2), [1, 2]),
        (numpy.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        ({1: numpy.array([1.5])}, {"1": [1.5]}),
        ([numpy.int64(3), numpy.bool_(True)], [3, True]),
        (Frame(), [{"a": 1, "b": 2}, {"a": 3, "b": 4}]),
        (b"bytes", "b'bytes'"),
        (Path("x"), "x"),
        (None, None),
        ({"deep": [{"x": (1,)}]}, {"deep": [{"x": [1]}]}),
        ([float("nan"), float("inf"), numpy.float64("-inf"), 1.0], [None, None, None, 1.0]),
    ],
)
def test_json_is_the_prediction_itself(prediction: Any, plain: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Arrays become lists, tuples too; what JSON has no word for becomes null or text."""
    write_predictions(Session(), prediction, None, as_json=True)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    assert json.loads(capsys.readouterr().out, parse_constant=refuse) == plain


def test_a_json_file_is_chosen_by_its_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file has the JSON; stdout stays empty and stderr tells of it."""
    file = tmp_path / "out.json"
    write_predictions(Session(), numpy.array([1, 2, 3]), str(file), as_json=False)
    assert json.loads(file.read_text()) == [1, 2, 3]
    out, err = capsys.readouterr()
    assert out == ""
    assert f"wrote {file}: 3 predictions" in err


def test_a_prediction_that_cannot_be_shown_leaves_the_file_alone(tmp_path: Path) -> None:
    """The text is complete before the old file is opened."""
    file = tmp_path / "out.json"
    file.write_text("old")
    circular: list[Any] = []
    circular.append(circular)
    with pytest.raises(RecursionError):
        write_predictions(Session(), circular, str(file), as_json=False)
    assert file.read_text() == "old"


@pytest.mark.parametrize(
    ("data", "truth"),
    [
        ({"X": [5], "y": [1, 0]}, [1, 0]),
        ({"X": [5], "y": numpy.array([1, 0])}, [1, 0]),
        (([5, 6], (1, 0)), [1, 0]),
        ((5, numpy.array([[1], [0]]), "more"), [[1], [0]]),
    ],
)
def test_the_truth_is_y_or_the_second_item(data: Any, truth: list[Any]) -> None:
    """Where a score finds what the predictions should be."""
    assert truth_in(data) == truth


@pytest.mark.parametrize("data", [{"X": [1]}, {"y": None}, {"y": 5}, ([1],), (), [1, 2], None, ([1], "yes")])
def test_data_without_truth_has_no_score(data: Any) -> None:
    """The message says what --score needs."""
    with pytest.raises(click.ClickException, match="--score needs data with a 'y', or a tuple whose second item"):
        truth_in(data)


@pytest.mark.parametrize(
    ("prediction", "got"),
    [([1, 2, 3], "not 3 predictions"), ([], "not 0 predictions"), ({"a": 1}, "not one dict"), (1, "not one int")],
)
def test_a_score_compares_one_to_one(prediction: Any, got: str) -> None:
    """More, fewer or no predictions than truth are refused with both numbers."""
    with pytest.raises(click.ClickException, match=f"one prediction for each of the 2 y of the data, {got}"):
        write_predictions(Session(), prediction, None, as_json=False, truth=[1, 2])


def test_a_score_beside_csv_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Stdout stays CSV and nothing else."""
    write_predictions(Session(), numpy.array([1, 2, 2]), None, as_json=False, truth=[1, 2, 3])
    assert capsys.readouterr() == ("prediction\n1\n2\n2\n", "accuracy 0.6667 (2 of 3)\n")


def test_a_score_beside_json_is_part_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Stdout stays one JSON document."""
    write_predictions(Session(), [1, 2], None, as_json=True, truth=[1, 3])
    assert json.loads(capsys.readouterr().out) == {"predictions": [1, 2], "accuracy": 0.5, "right": 1, "count": 2}


def test_numbers_with_fractions_are_scored_by_their_distance(capsys: pytest.CaptureFixture[str]) -> None:
    """Hardly two of them are ever equal; scikit-learn's r2_score gives the same."""
    write_predictions(Session(), [2.5, 0.0, 2.0, 8.0], None, as_json=True, truth=[3.0, -0.5, 2.0, 7.0])
    shown = json.loads(capsys.readouterr().out)
    assert shown["r2"] == pytest.approx(0.9486081370449679)
    assert (shown["mean_absolute_error"], shown["count"]) == (0.5, 4)


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ([1.0, 2.0], "R2 0.5000, mean absolute error 0.25 (2 values)"),
        ([1.0, 1.0], "R2 undefined, for all y are equal, mean"),
    ],
)
def test_a_distance_in_words(truth: list[float], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """R2 compares with the mean of y, which says nothing if all y are equal."""
    write_predictions(Session(), [1.0, 1.5], None, as_json=False, truth=truth)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("truth", "prediction", "error"),
    [
        ([1.5, 2.0], [1e200, 2.0], "5e+199"),
        ([1.5, 2.0], [math.inf, 2.0], "inf"),
        ([1.5, 2.0], [math.inf, -math.inf], "inf"),
        ([1.5, 2.0], [math.nan, 2.0], "nan"),
        ([math.inf, -math.inf], [1.5, 2.0], "inf"),
        ([1.5, 2.0], [1e308, 1e308], "inf"),
        ([0.5, 1e200], [0.5, -1e200], "1e+200"),
        ([1.5, 10**300], [1.5, -1], "5e+299"),
    ],
)
def test_numbers_past_all_measure_are_told_and_not_raised(
    truth: list[float], prediction: list[float], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that diverged gets a score that says so, in words and in JSON, which has null for it."""
    write_predictions(Session(), prediction, None, as_json=False, truth=truth)
    why = "undefined, for some numbers are infinite, NaN or too large"
    assert capsys.readouterr().err == f"R2 {why}, mean absolute error {error} (2 values)\n"
    write_predictions(Session(), prediction, None, as_json=True, truth=truth)
    assert json.loads(capsys.readouterr().out)["r2"] is None


@pytest.mark.parametrize(("truth", "prediction"), [([1.5, 2.0], [10**400, 2]), ([10**400, 2.0], [1.5, 2.0])])
def test_whole_numbers_without_a_float_have_no_score(truth: list[float], prediction: list[float]) -> None:
    """The message says which numbers are too large."""
    with pytest.raises(click.ClickException, match="--score: y or the predictions hold a whole number too large"):
        write_predictions(Session(), prediction, None, as_json=False, truth=truth)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_score_beside_a_file_goes_to_stdout(
    as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the predictions in a file, the score is the result on stdout."""
    write_predictions(Session(), [[1], [2]], str(tmp_path / "out.csv"), as_json, truth=[[1], [2]])
    out = capsys.readouterr().out
    if as_json:
        assert json.loads(out) == {"accuracy": 1.0, "right": 2, "count": 2}
    else:
        assert out == "accuracy 1.0000 (2 of 2)\n"


def test_plain_values_stay_as_they_are() -> None:
    """Text and bytes are no sequences to take apart."""
    assert to_plain({"a": "text", "b": b"bytes", "c": None}) == {"a": "text", "b": b"bytes", "c": None}

"""What callers hand over, checked as a whole before the first row is learned.

An online model cannot unlearn: a batch that is wrong at its last row must not have changed the model by its first ones.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any, NamedTuple, TypeAlias

Row: TypeAlias = dict[str, float]
Label: TypeAlias = bool | int | str | float


class Task(NamedTuple):
    """What a model predicts.

    Attributes:
        truth: Turns one true value into the type that the model learns from; raises TypeError if it cannot.
        loss: How wrong a prediction is, given the truth.
    """

    truth: Callable[[Any], Any]
    loss: Callable[[Any, Any], float]


def check_rows(X: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Check the rows of a batch and turn every value into a float.

    Values of numpy's narrow types would make the learned state narrow too, and then it is not the state that is saved.

    Raises:
        TypeError: A row, a feature name or a value is of the wrong kind.
        ValueError: A value is not finite.
    """
    if isinstance(X, (str, bytes, Mapping)):
        raise TypeError(f"X must be a list of rows, not one {type(X).__name__}: write [row]")
    return [_row(index, row) for index, row in enumerate(X)]


def check_truth(y: Iterable[Any], task: Task, rows: int) -> list[Label]:
    """Check the true values of a batch.

    Raises:
        TypeError: A value is not what the model learns from.
        ValueError: There are more or fewer of them than rows.
    """
    truth = [_truth(index, value, task) for index, value in enumerate(y)]
    if len(truth) != rows:
        raise ValueError(f"y has {len(truth)} values for the {rows} rows of X: give one value for each row")
    return truth


def binary(value: Any) -> bool:
    """The truth of a model with two classes."""
    if (value := _plain(value)) in (0, 1) and isinstance(value, int):
        return bool(value)
    raise TypeError(f"expected True or False (or 1 or 0), got {value!r}")


def label(value: Any) -> bool | int | str:
    """The truth of a model with any number of classes: what JSON keeps as it is."""
    value = _plain(value)
    if isinstance(value, (bool, int, str)):
        return value
    raise TypeError(f"expected a class label, a string, a whole number or a boolean, got {value!r}")


def number(value: Any) -> float:
    """The truth of a regression model."""
    if isinstance(value, Real) and math.isfinite(value):
        return float(value)
    raise TypeError(f"expected a finite number, got {value!r}")


def is_wrong(truth: Any, prediction: Any) -> float:
    """The loss of a classifier: 1 if the label is wrong."""
    return float(truth != prediction)


def distance(truth: float, prediction: float) -> float:
    """The loss of a regression model: the absolute error."""
    return float(abs(truth - prediction))


BINARY = Task(binary, is_wrong)
MULTICLASS = Task(label, is_wrong)
REGRESSION = Task(number, distance)


def _row(index: int, row: Any) -> Row:
    if not isinstance(row, Mapping):
        raise TypeError(
            f"row {index} of X is of type {type(row).__name__}, expected a dict of feature name to number; "
            "a data frame becomes a list of such rows by to_dict('records')"
        )
    return {_feature(index, name): _value(index, name, value) for name, value in row.items()}


def _feature(index: int, name: Any) -> str:
    if type(name) is str:
        return name
    raise TypeError(f"row {index} of X has the feature {name!r}; feature names must be strings: use {str(name)!r}")


def _value(index: int, name: str, value: Any) -> float:
    if not isinstance(value, Real):
        raise TypeError(
            f"row {index} of X: feature {name!r} is {value!r}, expected a number; encode it as one or leave it out"
        )
    if not math.isfinite(value):
        raise ValueError(
            f"row {index} of X: feature {name!r} is {value!r}, from which the model would never recover; "
            "leave the feature out of this row"
        )
    return float(value)


def _truth(index: int, value: Any, task: Task) -> Any:
    try:
        return task.truth(value)
    except TypeError as error:
        raise TypeError(f"value {index} of y: {error}") from None


def _plain(value: Any) -> Any:
    """A numpy scalar as the Python value that it stands for."""
    return value.item() if hasattr(value, "item") else value

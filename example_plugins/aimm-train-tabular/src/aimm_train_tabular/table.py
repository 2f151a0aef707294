"""A data set as rows of numbers, and the answer for each row: from a CSV file, or from a data access."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from aimm.errors import DatasetError
from aimm.train.interfaces import Dataset, Fold

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

LAST = -1
"""Stands for the last column, whatever its name."""


@dataclass(frozen=True)
class Table:
    """Rows and their answers.

    Attributes:
        X: A two-dimensional array, one row for each sample.
        y: The class of each row, or a measure; None if it is not known.
        features: The names of the columns.
    """

    X: Any
    y: Any
    features: list[str]

    @classmethod
    def of(cls, dataset: Dataset, state_cb: "Callable[[dict[Any, Any]], None]") -> "Table":
        """Read a data set to learn classes from: ``X`` and ``y`` of a data access, or a CSV file that ends with ``y``.

        Raises:
            DatasetError: It is neither, or ``y`` holds no classes.
        """
        if dataset.kind == "data access":
            table = cls._from_data(dataset.load(state_cb), dataset.source)
        else:
            table = cls.from_csv(dataset.path, dataset.source)
        if has_fractions(table.y):
            advice = "to learn measures, 'aimm fit' a regressor, such as sklearn.ensemble.RandomForestRegressor"
            raise DatasetError(dataset.source, f"expected classes in y, found numbers with fractions; {advice}")
        return table

    @classmethod
    def _from_data(cls, data: Any, source: str) -> "Table":
        import numpy as np

        if not isinstance(data, dict) or not {"X", "y"} <= data.keys():
            raise DatasetError(source, "it must return a mapping with 'X' and 'y'")
        try:
            X, y = np.asarray(data["X"], dtype=float), np.asarray(data["y"])
        except (TypeError, ValueError) as error:
            raise DatasetError(source, f"X must be a two-dimensional array of numbers: {error}") from error
        if X.ndim != 2 or y.shape != X.shape[:1]:
            expected = "X must be a two-dimensional array of numbers, and y have one class for each of its rows"
            raise DatasetError(source, f"{expected}; found X of shape {X.shape}, and y of shape {y.shape}")
        return cls(X, y, [str(name) for name in data.get("feature_names", range(X.shape[1]))])

    @classmethod
    def from_csv(cls, file: "str | os.PathLike[str]", source: str, target: str | int | None = LAST) -> "Table":
        """Read a CSV file: a heading, then rows of numbers; the column with the answers may also hold words.

        Args:
            file: The file.
            source: What it is called in messages.
            target: Name of the column with the answers; None if there is none.

        Raises:
            DatasetError: It is no such file.
        """
        import numpy as np

        heading, rows = _read(file, source)
        place = _answers_in(heading, target, source)
        inputs = [number for number in range(len(heading)) if number != place]
        if not inputs:
            raise DatasetError(source, f"there is no column beside {heading[0]!r}, which holds the answers")
        try:
            X = np.asarray([[float(row[number]) for number in inputs] for row in rows])
        except ValueError as error:
            others = "all columns" if place is None else f"all columns but {heading[place]!r}"
            raise DatasetError(source, f"{others} must be numbers: {error}") from error
        if place is not None and not all(row[place] for row in rows):
            raise DatasetError(source, f"not all rows have something in {heading[place]!r}")
        y = None if place is None else _numbers_or_words([row[place] for row in rows])
        return cls(X, y, [heading[number] for number in inputs])

    def __len__(self) -> int:
        return len(self.X)

    def rows(self, indices: Any) -> "Table":
        """A selection of rows."""
        return Table(self.X[indices], None if self.y is None else self.y[indices], self.features)

    def parts(self, fold: Fold | None, seed: int, test_size: float) -> "tuple[Table, Table]":
        """What to train on and what to test on; classes have about the same share of both.

        Raises:
            click.UsageError: There are too few rows.
        """
        from sklearn.model_selection import StratifiedKFold, train_test_split

        try:
            if fold is None:
                rows = range(len(self))
                learn, test = train_test_split(rows, test_size=test_size, random_state=seed, stratify=self.y)
            else:
                folds = StratifiedKFold(fold.count, shuffle=True, random_state=seed)
                learn, test = list(folds.split(self.X, self.y))[fold.index]
        except ValueError as error:
            raise click.UsageError(f"{len(self)} rows cannot be split: {error}") from error
        return self.rows(learn), self.rows(test)


def has_fractions(y: Any) -> bool:
    """Whether answers are measures, not classes: numbers of which some are not whole."""
    return y is not None and y.dtype.kind == "f" and bool((y % 1 != 0).any())


def _read(file: "str | os.PathLike[str]", source: str) -> tuple[list[str], list[list[str]]]:
    """The heading of a CSV file, and its rows, which are as long."""
    import csv

    try:
        with open(file, encoding="utf-8-sig", newline="") as stream:  # spreadsheets begin a file with a mark
            heading, *rows = [row for row in csv.reader(stream) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(source, f"it cannot be read: {error}") from error
    uneven = next((row for row in rows if len(row) != len(heading)), None)
    if not rows or uneven:
        found = f"a row of {len(uneven)}" if uneven else f"{len(rows)} rows"
        expected = "expected a heading, and rows with as many cells, commas between them"
        raise DatasetError(source, f"{expected}; found a heading of {len(heading)}, and {found}")
    return heading, rows


def _answers_in(heading: list[str], target: str | int | None, source: str) -> int | None:
    """Which column holds the answers."""
    if target is None:
        return None
    if target == LAST:
        return len(heading) - 1
    name = str(target)  # a number if the command line was given one: target=2019
    if name not in heading:
        raise DatasetError(source, f"no column is called {name!r}; the columns are {', '.join(heading)}")
    return heading.index(name)


def _numbers_or_words(cells: list[str]) -> Any:
    """Whole numbers if all cells are, else numbers if all are, else words."""
    import numpy as np

    column = np.asarray(cells)
    if any("_" in cell for cell in cells):  # a name, such as 1_2, though Python would read a number
        return column
    for kind in (np.int64, np.float64):
        with suppress(ValueError, OverflowError):
            return column.astype(kind)
    return column

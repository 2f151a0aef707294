"""A data set as the commands need it: rows of numbers, and the class of each row."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from aimm.train.interfaces import Dataset, Fold

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Table:
    """Rows and their classes.

    Attributes:
        X: A two-dimensional array, one row for each sample.
        y: The class of each row.
        features: The names of the columns.
    """

    X: Any
    y: Any
    features: list[str]

    @classmethod
    def of(cls, dataset: Dataset, state_cb: "Callable[[dict[Any, Any]], None]") -> "Table":
        """Read a data set: a data access that returns ``X`` and ``y``, or a CSV file whose last column is the class.

        Raises:
            click.UsageError: It is neither.
        """
        import numpy as np

        if dataset.kind != "data access":
            return cls._from_csv(dataset)
        data = dataset.load(state_cb)
        if not isinstance(data, dict) or not {"X", "y"} <= data.keys():
            raise click.UsageError(f"data set {dataset.source!r} must return a mapping with 'X' and 'y'")
        X, y = np.asarray(data["X"]), np.asarray(data["y"])
        return cls(X, y, [str(name) for name in data.get("feature_names", range(X.shape[1]))])

    @classmethod
    def _from_csv(cls, dataset: Dataset) -> "Table":
        import csv

        import numpy as np

        with open(dataset.path, encoding="utf-8", newline="") as file:
            heading, *rows = [row for row in csv.reader(file) if row] or [[]]
        uneven = next((row for row in rows if len(row) != len(heading)), None)
        if len(heading) < 2 or not rows or uneven:
            found = f"a row of {len(uneven)}" if uneven else f"{len(rows)} rows"
            raise click.UsageError(
                f"{dataset.source}: expected a heading, and rows with as many cells, the class in the last one;"
                f" found a heading of {len(heading)}, and {found}"
            )
        try:
            X = np.asarray([[float(value) for value in row[:-1]] for row in rows])
        except ValueError as error:
            raise click.UsageError(f"{dataset.source}: all columns but the last must be numbers: {error}") from error
        return cls(X, np.asarray([row[-1] for row in rows]), heading[:-1])

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, indices: Any) -> "Table":
        """A selection of rows."""
        return Table(self.X[indices], self.y[indices], self.features)

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

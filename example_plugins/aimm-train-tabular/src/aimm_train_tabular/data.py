"""Data by name: any table in a CSV file, and real measurements that are bundled with scikit-learn."""

import os
from tempfile import TemporaryDirectory
from typing import Any

from aimm.errors import DatasetError
from aimm.train.interfaces import Dataset
from aimm_train_tabular.table import LAST, Table, has_fractions


def csv_file(
    path: str | os.PathLike[str], target: str | int | None = LAST, split: str | None = None, seed: int = 0
) -> dict[str, Any]:
    """A table of your own, in a CSV file: a heading, then rows of numbers.

    Args:
        path: The file, or its URL, which needs fsspec.
        target: Name of the column that is ``y``, which may also hold words; the last one if not given; None if the
            table has none.
        split: ``train`` for three quarters, ``test`` for the others, None for all.
        seed: Which rows go to which part.

    Returns:
        ``X``, an array of rows; ``y``, whole numbers if all of it are, else numbers if all of it are, else words;
        ``feature_names``, the heading of ``X``.

    Raises:
        DatasetError: The file cannot be had, is no such table, or has a single row and cannot be split.
    """
    name = os.fspath(path)
    if "://" not in name:
        return _part(Table.from_csv(os.path.expanduser(name), name, target), name, split, seed)
    with TemporaryDirectory() as folder:
        table = Table.from_csv(Dataset(name, cache=folder).path, name, target)
    return _part(table, name, split, seed)


def breast_cancer(split: str | None = None, seed: int = 0) -> dict[str, Any]:
    """Wisconsin breast cancer: 569 tumours, 30 measurements of each, malignant (0) or benign (1).

    Source: W. N. Street, W. H. Wolberg, O. L. Mangasarian, 1993 (UCI Machine Learning Repository).

    Args:
        split: ``train`` for three quarters, ``test`` for the others, None for all.
        seed: Which tumours go to which part.

    Returns:
        ``X``, an array of rows; ``y``, the classes; ``feature_names`` and ``target_names``.
    """
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    table = Table(bunch.data, bunch.target, bunch.feature_names.tolist())
    part = _part(table, "tabular.breast_cancer", split, seed)
    return {**part, "target_names": bunch.target_names.tolist()}


def _part(table: Table, source: str, split: str | None, seed: int) -> dict[str, Any]:
    """What a data access returns; the parts are those of a training with the same seed and nothing said of sizes."""
    from sklearn.model_selection import train_test_split

    if split not in (None, "train", "test"):
        raise ValueError(f"there is no part {split!r} of the data: 'train' and 'test' are, None is all")
    if split is not None:
        try:
            rows = train_test_split(range(len(table)), random_state=seed, stratify=_strata(table.y))
        except ValueError as error:
            raise DatasetError(source, f"{len(table)} rows cannot be split: {error}") from error
        table = table.rows(rows[("train", "test").index(split)])
    answers = {} if table.y is None else {"y": table.y}
    return {"X": table.X, **answers, "feature_names": table.features}


def _strata(y: Any) -> Any:
    """The classes of which both parts get the same share; None if there are none, or too few rows of one."""
    import numpy as np

    if y is None or has_fractions(y):
        return None
    counts = np.unique(y, return_counts=True)[1]
    return y if counts.min() > 1 and len(counts) <= len(y) // 4 else None

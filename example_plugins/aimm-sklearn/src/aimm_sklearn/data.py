"""The real data sets that scikit-learn brings along, whole or as training and test part.

Every function takes:

* ``split``: ``"train"``, ``"test"``, or None for the whole data set;
* ``seed``: which rows go to which part (default 0): the same seed gives the same parts;
* ``test_size``: share of the rows in the test part (default 0.25).

It returns ``{"X": ..., "y": ...}``, both NumPy arrays. Where ``y`` is a class, both parts hold the classes in equal
proportions.
"""

from typing import Any

DEFAULT_TEST_SIZE = 0.25


def iris(split: str | None = None, seed: int = 0, test_size: float = DEFAULT_TEST_SIZE) -> dict[str, Any]:
    """150 flowers of three species, by four measures."""
    return _load("iris", split, seed, test_size, stratify=True)


def digits(split: str | None = None, seed: int = 0, test_size: float = DEFAULT_TEST_SIZE) -> dict[str, Any]:
    """1,797 hand-written digits, as images of 8 x 8 pixels."""
    return _load("digits", split, seed, test_size, stratify=True)


def wine(split: str | None = None, seed: int = 0, test_size: float = DEFAULT_TEST_SIZE) -> dict[str, Any]:
    """178 wines of three growers, by 13 chemical measures."""
    return _load("wine", split, seed, test_size, stratify=True)


def breast_cancer(split: str | None = None, seed: int = 0, test_size: float = DEFAULT_TEST_SIZE) -> dict[str, Any]:
    """569 tumours, benign or malignant, by 30 measures."""
    return _load("breast_cancer", split, seed, test_size, stratify=True)


def diabetes(split: str | None = None, seed: int = 0, test_size: float = DEFAULT_TEST_SIZE) -> dict[str, Any]:
    """442 patients by ten measures; ``y`` is how far their disease went within a year."""
    return _load("diabetes", split, seed, test_size, stratify=False)


def linnerud(split: str | None = None, seed: int = 0, test_size: float = DEFAULT_TEST_SIZE) -> dict[str, Any]:
    """20 athletes by three exercises; ``y`` is three measures of their bodies."""
    return _load("linnerud", split, seed, test_size, stratify=False)


def _load(name: str, split: str | None, seed: int, test_size: float, *, stratify: bool) -> dict[str, Any]:
    if split not in (None, "train", "test"):
        raise ValueError(f"sklearn.datasets.{name}: split is 'train', 'test', or None for everything, not {split!r}")
    from sklearn import datasets, model_selection

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    if split is None:
        return {"X": X, "y": y}
    train, test = model_selection.train_test_split(
        range(len(X)), test_size=test_size, random_state=seed, stratify=y if stratify else None
    )
    rows = train if split == "train" else test
    return {"X": X[rows], "y": y[rows]}

"""The data set that comes along: real measurements, bundled with scikit-learn."""

from typing import Any


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
    from sklearn.model_selection import train_test_split

    if split not in (None, "train", "test"):
        raise ValueError(f"there is no part {split!r} of the data: 'train' and 'test' are, None is all")
    bunch = load_breast_cancer()
    names = {"feature_names": bunch.feature_names.tolist(), "target_names": bunch.target_names.tolist()}
    if split is None:
        return {"X": bunch.data, "y": bunch.target, **names}
    X, X_test, y, y_test = train_test_split(bunch.data, bunch.target, random_state=seed, stratify=bunch.target)
    return {"X": X, "y": y, **names} if split == "train" else {"X": X_test, "y": y_test, **names}

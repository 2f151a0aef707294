"""Every scikit-learn estimator as an ``aimm`` model type; the bundled data sets as data accesses."""

from typing import Any

__version__ = "0.1.0"

aimm_expected_failures = {"bytes-are-stable": "skops numbers the objects in its files by their addresses"}


def aimm_examples() -> dict[str, Any]:
    """Name what the conformance kit checks, of the many that there are; it makes the data by scikit-learn's tags."""
    from aimm.testing import call

    data = dict.fromkeys(("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine"), call(split="train"))
    return {
        "sklearn.linear_model.LogisticRegression": None,
        "sklearn.preprocessing.StandardScaler": None,
        **{f"sklearn.datasets.{name}": arguments for name, arguments in data.items()},
    }

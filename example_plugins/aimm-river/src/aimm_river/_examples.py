"""Small batches for the conformance kit."""

from typing import Any

from aimm.testing import Example, call
from aimm_river.classifiers import GAUSSIAN_NB, LOGISTIC_REGRESSION, PERCEPTRON
from aimm_river.regressors import LINEAR_REGRESSION, PA_REGRESSOR

_ROWS = [{"length": 0.5 * i, "width": float(i % 4)} for i in range(12)]


def examples() -> dict[str, Any]:
    """An example for each model type.

    Every model can predict before it learned anything, and counts what it predicts.
    """
    labels = _example([row["length"] > 3 for row in _ROWS])
    numbers = _example([2 * row["length"] + row["width"] for row in _ROWS])
    return {
        **dict.fromkeys((LOGISTIC_REGRESSION, PERCEPTRON, GAUSSIAN_NB), labels),
        **dict.fromkeys((LINEAR_REGRESSION, PA_REGRESSOR), numbers),
    }


def _example(truth: list[Any]) -> Example:
    return Example(call(_ROWS, truth), call(_ROWS[::3]), stateful=True, predicts_unfitted=True)

"""The learned state of each river class in use, as plain numbers and back.

The order of features and classes is kept: river sums in that order, and another one would change the last bits.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from numpy import float64

from aimm_river._checks import Fields, PayloadError, check_count, check_number


class State(NamedTuple):
    """How to get the state out of a step of a pipeline, and into a fresh one."""

    dump: Callable[[Any], dict[str, Any]]
    load: Callable[[Any, Fields], None]


def _dump_scaler(scaler: Any) -> dict[str, Any]:
    # Predicting leaves zeros for features that were never learned; they are the defaults and need not be kept.
    return {name: [count, scaler.means[name], scaler.vars[name]] for name, count in scaler.counts.items()}


def _load_scaler(scaler: Any, fields: Fields) -> None:
    for name in fields:
        where = f"{fields.where}, {name}"
        count, mean, variance = fields.parts(name, 3)
        scaler.counts[name] = check_count(count, where, least=1)
        scaler.means[name] = check_number(mean, where)
        scaler.vars[name] = check_number(variance, where, least=0.0)


def _dump_glm(estimator: Any) -> dict[str, Any]:
    return {
        "iterations": estimator.optimizer.n_iterations,
        "intercept": float(estimator.intercept),
        "weights": {name: float(weight) for name, weight in estimator.weights.items()},
    }


def _load_glm(estimator: Any, fields: Fields) -> None:
    fields.only("iterations", "intercept", "weights")
    weights = fields.inner("weights")
    estimator.optimizer.n_iterations = fields.count("iterations")
    estimator.intercept = fields.number("intercept")
    estimator._weights.update({name: weights.number(name) for name in weights})


def _dump_pa(estimator: Any) -> dict[str, Any]:
    return {
        "intercept": float(estimator.intercept),
        "weights": {name: float(weight) for name, weight in estimator.weights.items()},
    }


def _load_pa(estimator: Any, fields: Fields) -> None:
    fields.only("intercept", "weights")
    weights = fields.inner("weights")
    estimator.intercept = fields.number("intercept")
    # river's own updates leave numpy's floats here. Since Python 3.12 sum() adds plain floats with less rounding than
    # numpy's, so plain floats of the same value would predict other last bits.
    estimator.weights.update({name: float64(weights.number(name)) for name in weights})


def _dump_gaussians(estimator: Any) -> dict[str, Any]:
    # A list, because JSON makes a string of every key: the classes True, 1 and "1" would become one.
    return {
        "classes": [
            {"label": label, "rows": rows, "features": _dump_features(estimator.gaussians.get(label, {}))}
            for label, rows in estimator.class_counts.items()
        ]
    }


def _dump_features(gaussians: dict[str, Any]) -> dict[str, Any]:
    variances = {name: gaussian._var for name, gaussian in gaussians.items()}
    return {name: [float(v.mean.n), float(v.mean._mean), float(v._S)] for name, v in variances.items()}


def _load_gaussians(estimator: Any, fields: Fields) -> None:
    fields.only("classes")
    for index, item in enumerate(fields.items("classes")):
        found = Fields(item, f"{fields.where}, class {index}")
        found.only("label", "rows", "features")
        label = found.get("label")
        if not isinstance(label, (bool, int, str)) or label in estimator.class_counts:
            raise PayloadError(f"{found.where}: {label!r} is no class label, or stands here twice")
        estimator.class_counts[label] = found.count("rows", least=1)
        _load_features(estimator.gaussians[label], found.inner("features"))


def _load_features(gaussians: Any, fields: Fields) -> None:
    for name in fields:
        where = f"{fields.where}, {name}"
        rows, mean, squares = fields.parts(name, 3)
        variance = gaussians[name]._var
        variance.mean.n = check_number(rows, where, least=1.0)
        variance.mean._mean = check_number(mean, where)
        # The sum of squares itself: going by the variance, as river's own constructor does, loses bits.
        variance._S = check_number(squares, where, least=0.0)


_GLM = State(_dump_glm, _load_glm)

STATES = {
    "GaussianNB": State(_dump_gaussians, _load_gaussians),
    "LinearRegression": _GLM,
    "LogisticRegression": _GLM,
    "PARegressor": State(_dump_pa, _load_pa),
    "Perceptron": _GLM,
    "StandardScaler": State(_dump_scaler, _load_scaler),
}
"""By the name that river gives the step of a pipeline."""

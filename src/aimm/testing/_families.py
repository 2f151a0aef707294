"""Examples for model types that nobody supplied one for, where the family is known.

An instance with ``get_params`` follows scikit-learn's conventions, and its tags say what data it takes. Otherwise a
model type whose ``fit`` takes ``X`` (and ``y``) and whose ``predict`` takes ``X`` gets rows of numbers and two classes.
"""

import random
import sys
from typing import Any

from aimm.plugins import PluginManager
from aimm.testing._examples import Arguments, Example, call

_SEEDS = ("random_state", "seed", "random_seed")
_ROWS, _COLUMNS = 36, 4
_MADE = "the example was made from the names of its arguments"


def make_example(manager: PluginManager, model_type: str) -> tuple[Example | None, str]:
    """An example for a model type of a known family.

    Args:
        manager: Where it is loaded.
        model_type: The model type.

    Returns:
        The example and how it came to be, or None and the reason why there is none.
    """
    try:
        takes = {action: manager.parameters(model_type, action) or [] for action in ("instantiate", "fit", "predict")}
        options = {**dict.fromkeys(_SEEDS, 0), "n_estimators": 5}
        arguments = call(**{name: value for name, value in options.items() if name in takes["instantiate"]})
        instance = manager.route(model_type).instantiate(None, **arguments.kwargs)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the checks will tell
        return None, f"it could not be created without an example: {type(error).__name__}: {error}"
    if callable(getattr(instance, "get_params", None)) and callable(getattr(instance, "fit", None)):
        return _for_estimator(instance, arguments, takes["fit"]), _MADE
    if takes["fit"][:1] == ["X"] and takes["predict"][:1] == ["X"]:
        X, y = _rows(), _labels(3)
        if "numpy" in sys.modules:
            X, y = _array(X), _array(y)
        fit = call(X, y) if "y" in takes["fit"] else call(X)
        return Example(fit, call(X[::5]), arguments), _MADE
    return None, "its family is not known"


def _for_estimator(instance: Any, arguments: Arguments, takes: list[str]) -> Example:
    tags = instance.__sklearn_tags__() if hasattr(instance, "__sklearn_tags__") else None
    if tags is None:
        kind = getattr(instance, "_estimator_type", "classifier")
        y = _targets() if kind == "regressor" else _labels(3)
        return Example(call(_array(_rows()), _array(y)), call(_array(_rows()[::5])), arguments)
    target = tags.target_tags
    if target.one_d_labels and not tags.input_tags.two_d_array:
        return Example(call(_array(_labels(3))), call(_array(_labels(3)[::5])), arguments)
    X, new = _inputs(tags.input_tags)
    if target.multi_output and not target.single_output:
        y = _array([[value, -value] for value in _targets()])
    elif tags.estimator_type == "regressor":
        y = _array(_targets())
    else:
        y = _array(_labels(3 if tags.classifier_tags is None or tags.classifier_tags.multi_class else 2))
    fit = call(X, y) if "y" in takes or "Y" in takes else call(X)
    return Example(fit, call(new), arguments, predicts_unfitted=not tags.requires_fit)


def _inputs(tags: Any) -> tuple[Any, Any]:
    """Data that suit the tags: what to fit to, and what to predict for."""
    rows = _rows()
    if tags.dict:
        named = [{f"x{i}": value for i, value in enumerate(row)} for row in rows]
        return named, named[::5]
    if tags.string and not tags.two_d_array:
        texts = [" ".join(f"word{int(abs(value))}" for value in row) for row in rows]
        return texts, texts[::5]
    if tags.one_d_array and not tags.two_d_array:
        column = _array([row[0] for row in rows])
        return column, column[::5]
    X = _array(rows)
    if tags.pairwise:
        return X @ X.T, (X @ X.T)[::5]
    if tags.positive_only:
        X = abs(X)
    if tags.categorical:
        X = X.round()
    return X, X[::5]


def _rows() -> list[list[float]]:
    """Three clouds of points, the same at every call."""
    numbers = random.Random(7)
    return [[3.0 * (i % 3) + numbers.gauss(0, 0.5) + j for j in range(_COLUMNS)] for i in range(_ROWS)]


def _labels(classes: int) -> list[int]:
    return [i % 3 % classes for i in range(_ROWS)]


def _targets() -> list[float]:
    return [2.0 * row[0] - row[1] + 10.0 for row in _rows()]


def _array(values: Any) -> Any:
    import numpy

    return numpy.array(values)

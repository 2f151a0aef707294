"""Every estimator of scikit-learn, and what it learned or says."""

import warnings
from typing import Any

import numpy as np
from cases import CASES, Case, athletes, flowers, patients
from exceptions import NOTHING_TO_PREDICT
from scipy import sparse
from sklearn.base import is_regressor
from sklearn.utils import all_estimators, get_tags

from aimm.plugins import PluginManager


def public_name(estimator: type[Any]) -> str:
    """The import path without the private modules in it: where scikit-learn's documentation says it is."""
    modules = estimator.__module__.split(".")
    public = [m for i, m in enumerate(modules) if not any(part.startswith("_") for part in modules[: i + 1])]
    return ".".join([*public, estimator.__name__])


def _all() -> dict[str, type[Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # walking through every module meets deprecated ones
        return dict(all_estimators())


ESTIMATORS = _all()


def case_of(name: str) -> Case:
    """How this estimator is created and fitted: its own case, or the one for its kind."""
    if name in CASES:
        return CASES[name]
    instance = ESTIMATORS[name]()
    target = get_tags(instance).target_tags
    if target.multi_output and not target.single_output:
        return Case(athletes)
    return Case(patients if is_regressor(instance) else flowers)


def fitted(manager: PluginManager, name: str) -> Any:
    """A fitted instance of this estimator, made by the plugin."""
    model_type, case = public_name(ESTIMATORS[name]), case_of(name)
    instance = manager.exec_instantiate(model_type, None, **case.arguments)
    return manager.exec_fit(model_type, instance, None, *case.data().fit)


def outcome(manager: PluginManager, name: str, instance: Any) -> Any:
    """What an instance says about new data; where it cannot, what it learned."""
    data = case_of(name).data().predict
    if name not in NOTHING_TO_PREDICT:
        return manager.exec_predict(public_name(ESTIMATORS[name]), instance, None, *data)[1]
    for method in ("score_samples", "kneighbors"):
        if hasattr(instance, method):
            return getattr(instance, method)(*data)
    learned = {k: v for k, v in vars(instance).items() if k.endswith("_") and isinstance(v, np.ndarray)}
    assert learned.keys() & {"labels_", "embedding_", "covariance_", "row_labels_", "negative_outlier_factor_"}
    return list(learned.values())


def assert_same(left: Any, right: Any) -> None:
    """Fail unless two outcomes are equal to the last bit."""
    assert type(left) is type(right)
    if isinstance(left, (list, tuple)) and any(isinstance(part, np.ndarray) for part in left):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
    elif sparse.issparse(left):
        assert left.shape == right.shape
        assert (left != right).nnz == 0
    else:
        np.testing.assert_array_equal(left, right)

"""Loaded content that compiled code would follow without looking: indices that must stay inside their arrays.

That a type is trusted says nothing about the numbers in it. A forged decision tree whose node points outside the tree
crashes the process when it predicts, so trees, nearest-neighbour trees, splines and sparse matrices are checked here.
"""

from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

_LEAF = -1
_NO_PARTS = (type, ModuleType, FunctionType)
"""What an estimator refers to but is not made of: a spline knows the module of its arrays, which knows everything."""


def check(instance: Any) -> None:
    """Look through a loaded estimator.

    Raises:
        ValueError: Something in it points outside of what it belongs to.
    """
    for part in _parts(instance):
        kind = type(part)
        for name in (f"{base.__module__}.{base.__name__}" for base in kind.__mro__):
            if name in _CHECKS:
                _CHECKS[name](part)


def _parts(instance: Any) -> Iterator[Any]:
    """The instance and everything that it is made of, each once."""
    # What was seen is held, not its id alone: some attributes are made anew at each look, and ids come again.
    seen: dict[int, Any] = {}
    pending = [instance]
    while pending:
        part = pending.pop()
        if id(part) in seen or isinstance(part, (str, bytes, int, float, type(None))):
            continue
        seen[id(part)] = part
        yield part
        if isinstance(part, dict):
            pending.extend(part.values())
        elif isinstance(part, (list, tuple, set)):
            pending.extend(part)
        elif isinstance(part, np.ndarray):
            pending.extend(part.flat if part.dtype == object else ())
        elif not isinstance(part, _NO_PARTS):
            pending.extend(getattr(part, "__dict__", {}).values())


def _require(condition: Any, problem: str) -> None:
    if not condition:
        raise ValueError(problem)


def _check_links(left: Any, right: Any, inner: Any) -> None:
    # Parents stand before their children, so links that only lead onwards reach a leaf, never a loop.
    for child in (left, right):
        onwards = child[inner].astype(np.int64)
        _require(((onwards > np.flatnonzero(inner)) & (onwards < len(inner))).all(), "a tree's node leads outside it")


def _check_tree(tree: Any) -> None:
    count = tree.node_count
    _require(0 < count <= tree.capacity and tree.n_outputs > 0 and tree.max_n_classes > 0, "a tree's sizes are wrong")
    inner = tree.children_left != _LEAF
    _check_links(tree.children_left, tree.children_right, inner)
    used = tree.feature[inner]
    _require(((used >= 0) & (used < tree.n_features)).all(), "a tree asks for a feature that does not exist")


def _check_decision_tree(estimator: Any) -> None:
    if hasattr(estimator, "tree_"):
        _require(estimator.tree_.n_features == estimator.n_features_in_, "a tree was made for other features")


def _check_tree_ensemble(ensemble: Any) -> None:
    # These hand rows to their trees without a second look at the number of columns.
    estimators = np.ravel(np.asarray(getattr(ensemble, "estimators_", []), dtype=object))
    width = getattr(ensemble, "_max_features", None) or getattr(ensemble, "n_features_in_", None)
    _require(all(tree.n_features_in_ == width for tree in estimators), "a tree was made for other features")


def _check_boosted(ensemble: Any) -> None:
    _check_tree_ensemble(ensemble)
    if hasattr(ensemble, "estimators_"):
        shape = np.shape(ensemble.estimators_)
        _require(len(shape) == 2 and shape[1] == ensemble.n_trees_per_iteration_, "the stages of trees are wrong")


def _check_histogram_boosted(ensemble: Any) -> None:
    if not hasattr(ensemble, "_predictors"):
        return
    bins = ensemble._bin_mapper
    categorical = np.asarray(bins.is_categorical_, dtype=bool)
    _require(categorical.shape == (ensemble.n_features_in_,), "the bins were made for other features")
    for feature in np.flatnonzero(categorical):
        values = np.asarray(bins.bin_thresholds_[feature])
        _require(((values >= 0) & (values < 256)).all(), "a category is out of range")
    for predictor in (predictor for stage in ensemble._predictors for predictor in stage):
        _check_predictor(predictor, categorical)


def _check_predictor(predictor: Any, categorical: Any) -> None:
    nodes, bitsets = predictor.nodes, predictor.raw_left_cat_bitsets
    _require(len(nodes) > 0, "a tree has no node")
    inner = nodes["is_leaf"] == 0
    _check_links(nodes["left"], nodes["right"], inner)
    split = nodes[inner]
    used = split["feature_idx"]
    _require(((used >= 0) & (used < len(categorical))).all(), "a tree asks for a feature that does not exist")
    by_category = split[split["is_categorical"] != 0]
    _require(categorical[by_category["feature_idx"]].all(), "a tree takes a number for a category")
    _require(np.ndim(bitsets) == 2 and np.shape(bitsets)[1] == 8, "the categories of a tree are wrong")
    _require((by_category["bitset_idx"] < len(bitsets)).all(), "a tree asks for a category that does not exist")


def _rebuild_neighbours(tree: Any) -> None:
    # Built anew from its data, which takes the same steps to the same tree, instead of believing its indices.
    data, *_, metric, weights = tree.__getstate__()
    _require(weights is None or len(weights) == len(data), "a nearest-neighbour tree's weights are wrong")
    leaf_size = tree.__getstate__()[4]
    rebuilt = type(tree)(data, leaf_size=leaf_size, metric=metric, sample_weight=weights)
    tree.__setstate__(rebuilt.__getstate__())


def _check_spline(spline: Any) -> None:
    # The constructor checks that knots, coefficients and degree fit; loading went around it. The coefficients are kept
    # with their axis in front.
    type(spline)(spline.t, spline.c, spline.k, axis=0)


def _check_sparse(matrix: Any) -> None:
    matrix.check_format(full_check=True)


_CHECKS: dict[str, Callable[[Any], None]] = {
    "scipy.interpolate._bsplines.BSpline": _check_spline,
    "scipy.interpolate._bsplines._BSpline": _check_spline,
    "scipy.sparse._compressed._cs_matrix": _check_sparse,
    "sklearn.ensemble._forest.BaseForest": _check_tree_ensemble,
    "sklearn.ensemble._gb.BaseGradientBoosting": _check_boosted,
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.BaseHistGradientBoosting": _check_histogram_boosted,
    "sklearn.ensemble._iforest.IsolationForest": _check_tree_ensemble,
    "sklearn.neighbors._ball_tree.BallTree": _rebuild_neighbours,
    "sklearn.neighbors._kd_tree.KDTree": _rebuild_neighbours,
    "sklearn.tree._classes.BaseDecisionTree": _check_decision_tree,
    "sklearn.tree._tree.Tree": _check_tree,
}
"""Full name of a class, or of a base class, to its check. By name: what was not loaded need not be imported."""

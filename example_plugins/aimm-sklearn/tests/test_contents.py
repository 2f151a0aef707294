"""Forged numbers in types that are trusted: what compiled code would follow outside of its arrays."""

from typing import Any

import numpy as np
import pytest
import skops.io
from aimm_sklearn.errors import PayloadError
from cases import flowers
from scipy.interpolate import BSpline
from scipy.sparse import csr_matrix
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.manifold import SpectralEmbedding
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import SplineTransformer
from sklearn.tree import DecisionTreeClassifier

from aimm.plugins import PluginManager


def reload(manager: PluginManager, model_type: str, instance: Any) -> Any:
    """Load what skops writes, without the checks of serialize."""
    return manager.exec_deserialize(f"sklearn.{model_type}", skops.io.dumps(instance))


def tree() -> DecisionTreeClassifier:
    """A small fitted tree."""
    return DecisionTreeClassifier(random_state=0).fit(*flowers().fit)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("left_child", 10**6, "leads outside"),
        ("left_child", -7, "leads outside"),
        ("right_child", 0, "leads outside"),
        ("right_child", -1, "leads outside"),
        ("feature", 4, "a feature that does not exist"),
        ("feature", -2, "a feature that does not exist"),
    ],
)
def test_a_forged_node_is_refused(manager: PluginManager, field: str, value: int, problem: str) -> None:
    """A decision tree that would lead outside its nodes or columns, or in circles, is not loaded."""
    forged = tree()
    state = forged.tree_.__getstate__()
    state["nodes"][field][0] = value
    forged.tree_.__setstate__(state)
    with pytest.raises(PayloadError, match=problem):
        reload(manager, "tree.DecisionTreeClassifier", forged)


def test_a_tree_of_other_features_is_refused(manager: PluginManager) -> None:
    """A tree is not loaded into an estimator that lets fewer columns through."""
    forged = tree()
    forged.n_features_in_ = 2
    with pytest.raises(PayloadError, match="made for other features"):
        reload(manager, "tree.DecisionTreeClassifier", forged)


@pytest.mark.parametrize(
    ("model_type", "ensemble"),
    [
        ("ensemble.RandomForestClassifier", RandomForestClassifier(3)),
        ("ensemble.IsolationForest", IsolationForest(n_estimators=3)),
        ("ensemble.GradientBoostingClassifier", GradientBoostingClassifier(n_estimators=3)),
    ],
)
def test_an_ensemble_with_a_strange_tree_is_refused(manager: PluginManager, model_type: str, ensemble: Any) -> None:
    """Ensembles do not check what they hand to their trees, so their trees must be made for it."""
    X, y = flowers().fit
    forged, wide = ensemble.fit(X, y), ensemble.__class__(n_estimators=3).fit(np.c_[X, X], y)
    forged.estimators_ = wide.estimators_
    with pytest.raises(PayloadError, match="made for other features"):
        reload(manager, model_type, forged)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("left", 10**6, "leads outside"),
        ("right", 0, "leads outside"),
        ("feature_idx", 4, "a feature that does not exist"),
        ("is_categorical", 1, "a number for a category"),
    ],
)
def test_a_forged_histogram_tree_is_refused(manager: PluginManager, field: str, value: int, problem: str) -> None:
    """The trees of histogram boosting are checked like all others."""
    forged = HistGradientBoostingClassifier(max_iter=2).fit(*flowers().fit)
    forged._predictors[0][0].nodes[field][0] = value
    with pytest.raises(PayloadError, match=problem):
        reload(manager, "ensemble.HistGradientBoostingClassifier", forged)


@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_forged_neighbours_are_not_believed(manager: PluginManager, algorithm: str) -> None:
    """A nearest-neighbour tree is built anew from its data, whatever indices the bytes hold."""
    honest = KNeighborsClassifier(algorithm=algorithm).fit(*flowers().fit)
    forged = KNeighborsClassifier(algorithm=algorithm).fit(*flowers().fit)
    state = list(forged._tree.__getstate__())
    state[1] = np.full_like(state[1], 10**9)
    forged._tree.__setstate__(tuple(state))
    loaded = reload(manager, "neighbors.KNeighborsClassifier", forged)
    np.testing.assert_array_equal(loaded.kneighbors(*flowers().predict), honest.kneighbors(*flowers().predict))


def test_a_spline_without_its_coefficients_is_refused(manager: PluginManager) -> None:
    """A spline whose knots and coefficients do not fit is not loaded."""
    forged = SplineTransformer().fit(*flowers().fit)
    honest = forged.bsplines_[0]
    forged.bsplines_[0] = BSpline.construct_fast(honest.t, honest.c[:1], honest.k)
    with pytest.raises(PayloadError, match="Knots, coefficients and degree"):
        reload(manager, "preprocessing.SplineTransformer", forged)


@pytest.mark.filterwarnings("ignore:Graph is not fully connected:UserWarning")
def test_a_sparse_matrix_with_strange_indices_is_refused(manager: PluginManager) -> None:
    """A sparse matrix whose indices lie outside its shape is not loaded."""
    forged = SpectralEmbedding().fit(flowers().fit[0])
    forged.affinity_matrix_ = csr_matrix(np.eye(3))
    forged.affinity_matrix_.indices[0] = 1000
    with pytest.raises(PayloadError, match="indices"):
        reload(manager, "manifold.SpectralEmbedding", forged)


@pytest.mark.parametrize(
    ("model_type", "instance"),
    [
        (
            "ensemble.HistGradientBoostingClassifier",
            HistGradientBoostingClassifier(categorical_features=[3]),
        ),
        ("ensemble.IsolationForest", IsolationForest(max_features=2, n_estimators=5)),
        ("ensemble.GradientBoostingClassifier", GradientBoostingClassifier(init="zero", n_estimators=5)),
        ("tree.DecisionTreeClassifier", DecisionTreeClassifier(ccp_alpha=0.01)),
        ("tree.DecisionTreeClassifier", DecisionTreeClassifier(max_leaf_nodes=4)),
        ("neighbors.KNeighborsClassifier", KNeighborsClassifier(algorithm="ball_tree", p=3)),
        ("preprocessing.SplineTransformer", SplineTransformer(extrapolation="periodic")),
    ],
)
def test_honest_content_passes(manager: PluginManager, model_type: str, instance: Any) -> None:
    """Options that lead to unusual content make the round trip too."""
    X, y = np.floor(flowers().fit[0]), flowers().fit[1]
    loaded = reload(manager, model_type, instance.fit(X, y))
    method = "predict" if hasattr(instance, "predict") else "transform"
    np.testing.assert_array_equal(getattr(loaded, method)(X), getattr(instance, method)(X))


def test_an_estimator_that_was_never_fitted_passes(manager: PluginManager) -> None:
    """There is nothing to check before fit."""
    for instance in (tree().__class__(), GradientBoostingClassifier(), HistGradientBoostingClassifier()):
        assert type(reload(manager, f"{type(instance).__module__.split('.')[1]}.{type(instance).__name__}", instance))
    assert reload(manager, "feature_extraction.text.TfidfTransformer", TfidfTransformer())

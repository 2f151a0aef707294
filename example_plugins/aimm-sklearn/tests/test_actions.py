"""instantiate, fit, predict and parameters of a few estimators that stand for the rest."""

from typing import Any

import numpy as np
import pytest
from aimm_sklearn.errors import NoPredictionError
from cases import flowers
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.svm import SVC

from aimm.plugins import PluginManager


def test_arguments_reach_the_constructor(manager: PluginManager) -> None:
    """What instantiate is given, the constructor gets."""
    instance = manager.exec_instantiate("sklearn.svm.SVC", None, C=10.0, kernel="linear")
    assert isinstance(instance, SVC)
    assert (instance.C, instance.kernel) == (10.0, "linear")


def test_a_wrong_argument_is_reported_by_scikit_learn(manager: PluginManager) -> None:
    """The error of a constructor comes through as itself."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'gama'"):
        manager.exec_instantiate("sklearn.svm.SVC", None, gama=1)


def test_fit_reports_its_beginning_and_end(manager: PluginManager) -> None:
    """The progress of a fit starts at 0 and ends at 1."""
    states: list[dict[str, Any]] = []
    manager.exec_fit("sklearn.svm.SVC", SVC(), states.append, *flowers().fit)
    assert states == [{"progress": 0.0}, {"progress": 1.0}]


def test_gradient_boosting_reports_its_steps_and_stays_the_same(manager: PluginManager) -> None:
    """Progress at every stage changes nothing of the model."""
    states: list[dict[str, Any]] = []
    model_type, instance = "sklearn.ensemble.GradientBoostingClassifier", GradientBoostingClassifier(n_estimators=4)
    watched = manager.exec_fit(model_type, instance.set_params(random_state=0), states.append, *flowers().fit)
    plain = GradientBoostingClassifier(n_estimators=4, random_state=0).fit(*flowers().fit)
    assert [state["progress"] for state in states] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    np.testing.assert_array_equal(watched.predict_proba(*flowers().predict), plain.predict_proba(*flowers().predict))


def test_the_callers_own_monitor_is_kept(manager: PluginManager) -> None:
    """A monitor given by the caller is called, and progress then is begin and end only."""
    states: list[dict[str, Any]] = []
    instance = GradientBoostingClassifier(n_estimators=4)
    fitted = manager.exec_fit(
        "sklearn.ensemble.GradientBoostingClassifier",
        instance,
        states.append,
        *flowers().fit,
        monitor=lambda step, *_: step == 1,
    )
    assert (len(fitted.estimators_), len(states)) == (2, 2)


def test_predict_of_a_transformer_transforms(manager: PluginManager) -> None:
    """The prediction of what only transforms is the transformed data."""
    model_type = "sklearn.preprocessing.StandardScaler"
    (X, _), instance = flowers().fit, manager.exec_instantiate(model_type)
    _, scaled = manager.exec_predict(model_type, manager.exec_fit(model_type, instance, None, X), None, X)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("model_type", "arguments", "advice"),
    [
        ("sklearn.cluster.DBSCAN", {}, r"read labels_ .* sklearn\.cluster\.KMeans"),
        ("sklearn.manifold.TSNE", {}, r"read embedding_ .* sklearn\.manifold\.Isomap"),
        ("sklearn.neighbors.LocalOutlierFactor", {}, "novelty=True"),
        ("sklearn.neighbors.KernelDensity", {}, "it offers score_samples"),
        ("sklearn.neighbors.NearestNeighbors", {}, "it offers kneighbors"),
        ("sklearn.covariance.OAS", {}, "it offers score"),
        ("sklearn.cluster.SpectralBiclustering", {}, "it offers biclusters_"),
    ],
)
def test_an_estimator_without_prediction_teaches(
    manager: PluginManager, model_type: str, arguments: dict[str, Any], advice: str
) -> None:
    """The refusal to predict says what this kind of estimator offers instead."""
    with pytest.raises(NoPredictionError, match=advice):
        manager.exec_predict(model_type, manager.exec_instantiate(model_type, None, **arguments), None, [[0.0]])


@pytest.mark.parametrize(
    ("model_type", "action", "expected"),
    [
        ("sklearn.dummy.DummyRegressor", "instantiate", ["strategy", "constant", "quantile"]),
        ("sklearn.svm.SVC", "fit", ["X", "y", "sample_weight"]),
        ("sklearn.svm.SVC", "predict", ["X"]),
        ("sklearn.preprocessing.LabelEncoder", "fit", ["y"]),
        ("sklearn.preprocessing.LabelEncoder", "predict", ["y"]),
        ("sklearn.feature_extraction.text.CountVectorizer", "fit", ["raw_documents", "y"]),
        ("sklearn.cross_decomposition.PLSSVD", "predict", ["X"]),
        ("sklearn.cluster.DBSCAN", "predict", None),
    ],
)
def test_parameters_are_those_of_the_method_that_is_called(
    manager: PluginManager, model_type: str, action: str, expected: list[str] | None
) -> None:
    """Whoever asks gets the argument names of the constructor, of fit, and of predict or transform."""
    assert manager.parameters(model_type, action) == expected

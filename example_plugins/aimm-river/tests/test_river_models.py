import json
from typing import Any

import numpy as np
import pytest
from river import linear_model, optim, preprocessing
from river_cases import STREAMS, quiet

from aimm import plugins

LOGISTIC = "river.linear_model.LogisticRegression"
ROW = {"a": 1.0, "b": -2.0}


def test_fit_returns_the_very_instance_and_counts_its_rows(
    manager: plugins.PluginManager, model_type: str, train: Any
) -> None:
    """A fit learns in place."""
    instance = manager.exec_instantiate(model_type)
    assert manager.exec_fit(model_type, instance, quiet, train["X"], train["y"]) is instance
    assert instance.statistics.learned == 250


def test_predict_with_the_truth_returns_the_very_instance_changed(
    manager: plugins.PluginManager, model_type: str, fitted: Any, later: Any
) -> None:
    """A prediction that is told the truth learns from it, which is why exec_predict returns the instance."""
    before = manager.exec_serialize(model_type, fitted)
    instance, predictions = manager.exec_predict(model_type, fitted, quiet, later["X"], later["y"])
    assert instance is fitted
    assert len(predictions) == 150
    assert (fitted.statistics.learned, fitted.statistics.judged) == (400, 150)
    assert manager.exec_serialize(model_type, fitted) != before


def test_predict_without_the_truth_learns_nothing(
    manager: plugins.PluginManager, model_type: str, fitted: Any, later: Any
) -> None:
    """A prediction that is not told the truth changes the statistics alone, and can be repeated."""
    _, first = manager.exec_predict(model_type, fitted, quiet, later["X"])
    _, second = manager.exec_predict(model_type, fitted, quiet, later["X"])
    assert first == second
    assert (fitted.statistics.learned, fitted.statistics.predicted, fitted.statistics.judged) == (250, 300, 0)


def test_each_row_is_predicted_before_it_is_learned(manager: plugins.PluginManager) -> None:
    """The truth of a row is seen by the rows after it and never by itself."""
    instance = manager.exec_instantiate("river.naive_bayes.GaussianNB")
    _, predictions = manager.exec_predict("river.naive_bayes.GaussianNB", instance, quiet, [ROW, ROW], ["x", "y"])
    assert predictions == [None, "x"]


def test_the_model_is_the_one_of_river(manager: plugins.PluginManager) -> None:
    """Fit and predict give what the same pipeline gives in river's own hands."""
    data = manager.exec_data_access("river.datasets.phishing", limit=400)
    own: Any = preprocessing.StandardScaler() | linear_model.LogisticRegression(optimizer=optim.SGD(0.1))
    expected = []
    for row, truth in zip(data["X"], data["y"], strict=True):
        expected.append(own.predict_one(row))
        own.learn_one(row, truth)
    instance = manager.exec_instantiate(LOGISTIC, learning_rate=0.1)
    assert manager.exec_predict(LOGISTIC, instance, quiet, data["X"], data["y"])[1] == expected


@pytest.mark.parametrize(
    ("model_type", "most"),
    [
        ("river.linear_model.LogisticRegression", 0.15),
        ("river.linear_model.Perceptron", 0.2),
        ("river.naive_bayes.GaussianNB", 0.3),
        ("river.linear_model.LinearRegression", 1.0),
    ],
)
def test_the_models_learn_something(manager: plugins.PluginManager, model_type: str, most: float) -> None:
    """After the first part of a real stream, the second is predicted well."""
    first = manager.exec_data_access(STREAMS[model_type], split="train")
    second = manager.exec_data_access(STREAMS[model_type], split="test")
    instance = manager.exec_fit(model_type, manager.exec_instantiate(model_type), quiet, first["X"], first["y"])
    manager.exec_predict(model_type, instance, quiet, second["X"], second["y"])
    assert instance.statistics.mean_loss < most


def test_predictions_can_be_sent_as_json(
    manager: plugins.PluginManager, model_type: str, fitted: Any, later: Any
) -> None:
    """No prediction is of a type that only numpy knows."""
    _, predictions = manager.exec_predict(model_type, fitted, quiet, later["X"])
    assert json.loads(json.dumps(predictions)) == predictions


@pytest.mark.parametrize("rows", [1, 3, 99, 100, 101, 250])
def test_fit_reports_monotone_progress_to_the_end(manager: plugins.PluginManager, rows: int) -> None:
    """States are JSON, rise strictly, are at most a hundred and end with everything."""
    states: list[dict[str, Any]] = []
    manager.exec_fit(LOGISTIC, manager.exec_instantiate(LOGISTIC), states.append, [ROW] * rows, [True] * rows)
    progress = [state["progress"] for state in states]
    assert json.loads(json.dumps(states)) == states
    assert progress == sorted(set(progress))
    assert 0 < len(states) <= 100
    assert states[-1] == {"progress": 1.0, "rows": rows}


def test_an_empty_batch_is_done_at_once(manager: plugins.PluginManager) -> None:
    """Nothing to learn is no error."""
    states: list[dict[str, Any]] = []
    manager.exec_fit(LOGISTIC, manager.exec_instantiate(LOGISTIC), states.append, [], [])
    assert states == [{"progress": 1.0, "rows": 0}]


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        ([ROW, [1.0]], [True, True], TypeError, "row 1 of X is of type list, expected a dict"),
        ([ROW, {"a": "red"}], [True, True], TypeError, "feature 'a' is 'red', expected a number"),
        ([ROW, {0: 1.0}], [True, True], TypeError, "row 1 of X has the feature 0; feature names must be strings"),
        ([ROW, {"a": float("nan")}], [True, True], ValueError, "would never recover"),
        (ROW, [True], TypeError, "must be a list of rows"),
        ([ROW, ROW], [True], ValueError, "y has 1 values for the 2 rows"),
        ([ROW, ROW], [True, "yes"], TypeError, "value 1 of y: expected True or False"),
        ([ROW, ROW], [True, 0.5], TypeError, "value 1 of y: expected True or False"),
    ],
)
@pytest.mark.parametrize("action", ["fit", "predict"])
def test_a_wrong_batch_is_refused_as_a_whole(
    manager: plugins.PluginManager, action: str, X: Any, y: Any, error: type[Exception], message: str
) -> None:
    """An error in a late row is found before the first is learned, and says where it is."""
    instance = manager.exec_instantiate(LOGISTIC)
    before = manager.exec_serialize(LOGISTIC, instance)
    with pytest.raises(error, match=message):
        getattr(manager, f"exec_{action}")(LOGISTIC, instance, quiet, X, y)
    assert manager.exec_serialize(LOGISTIC, instance) == before


@pytest.mark.parametrize(
    ("model_type", "truth", "message"),
    [
        ("river.linear_model.LinearRegression", "high", "expected a finite number, got 'high'"),
        ("river.linear_model.LinearRegression", float("inf"), "expected a finite number, got inf"),
        ("river.naive_bayes.GaussianNB", 0.5, "expected a class label"),
    ],
)
def test_a_truth_of_the_wrong_kind_is_refused(
    manager: plugins.PluginManager, model_type: str, truth: Any, message: str
) -> None:
    """Each model says what it learns from."""
    with pytest.raises(TypeError, match=message):
        manager.exec_fit(model_type, manager.exec_instantiate(model_type), quiet, [ROW], [truth])


def test_scalars_of_numpy_are_taken_at_full_precision(manager: plugins.PluginManager) -> None:
    """Narrow numbers do not make the learned state narrow."""
    narrow, wide = manager.exec_instantiate(LOGISTIC), manager.exec_instantiate(LOGISTIC)
    values = np.linspace(-1, 1, 20, dtype=np.float32)
    manager.exec_fit(LOGISTIC, narrow, quiet, [{"a": value} for value in values], list(values > 0))
    manager.exec_fit(LOGISTIC, wide, quiet, [{"a": float(v)} for v in values], [bool(v > 0) for v in values])
    assert manager.exec_serialize(LOGISTIC, narrow) == manager.exec_serialize(LOGISTIC, wide)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), "fast", True])
def test_a_senseless_learning_rate_is_refused(manager: plugins.PluginManager, value: Any) -> None:
    """Parameters are checked when the instance is made, not when it fails to learn."""
    with pytest.raises(ValueError, match="learning_rate must be a finite number above zero"):
        manager.exec_instantiate(LOGISTIC, learning_rate=value)


def test_a_model_that_judged_nothing_has_no_mean_loss(manager: plugins.PluginManager) -> None:
    """No rows is not the same as no errors."""
    assert manager.exec_instantiate(LOGISTIC).statistics.mean_loss is None

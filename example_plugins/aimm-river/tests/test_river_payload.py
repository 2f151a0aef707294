import json
from collections.abc import Callable
from typing import Any

import pytest
from river_cases import quiet

from aimm import plugins

LOGISTIC = "river.linear_model.LogisticRegression"
GAUSSIAN = "river.naive_bayes.GaussianNB"
ROWS = [{"a": 1.0, "b": 3.0}, {"a": -1.0, "b": 2.5}]


def payload(manager: plugins.PluginManager, model_type: str = LOGISTIC) -> Any:
    """The document of a small fitted instance."""
    instance = manager.exec_fit(model_type, manager.exec_instantiate(model_type), quiet, ROWS, [True, False])
    return json.loads(bytes(manager.exec_serialize(model_type, instance)))


def load(manager: plugins.PluginManager, document: Any, model_type: str = LOGISTIC) -> Any:
    """What deserialize makes of a document."""
    return manager.exec_deserialize(model_type, json.dumps(document).encode())


def test_a_round_trip_predicts_bit_for_bit(
    manager: plugins.PluginManager, model_type: str, fitted: Any, later: Any
) -> None:
    """An instance that went through bytes predicts what the original predicts."""
    copy = manager.exec_deserialize(model_type, manager.exec_serialize(model_type, fitted))
    expected = manager.exec_predict(model_type, fitted, quiet, later["X"])[1]
    assert manager.exec_predict(model_type, copy, quiet, later["X"])[1] == expected


def test_a_round_trip_learns_on_bit_for_bit(
    manager: plugins.PluginManager, model_type: str, fitted: Any, later: Any
) -> None:
    """An instance that went through bytes goes on learning as the original does."""
    copy = manager.exec_deserialize(model_type, manager.exec_serialize(model_type, fitted))
    for instance in fitted, copy:
        manager.exec_predict(model_type, instance, quiet, later["X"], later["y"])
    assert manager.exec_serialize(model_type, copy) == manager.exec_serialize(model_type, fitted)


def test_features_that_come_and_go_survive(manager: plugins.PluginManager, model_type: str) -> None:
    """A feature that was predicted with before it was learned makes no difference."""
    first, second = manager.exec_instantiate(model_type), manager.exec_instantiate(model_type)
    manager.exec_predict(model_type, first, quiet, [{"z": 1.0}])
    for instance in first, second:
        manager.exec_fit(model_type, instance, quiet, [{"b": 1.0}, {"a": 2.0}, {"a": 3.0, "z": 1.0}], [1, 0, 1])
    copy = manager.exec_deserialize(model_type, manager.exec_serialize(model_type, first))
    rows = [{"z": 2.0, "a": 0.5, "b": 0.1}, {"new": 1.0}]
    expected = manager.exec_predict(model_type, second, quiet, rows, [0, 1])[1]
    assert manager.exec_predict(model_type, copy, quiet, rows, [0, 1])[1] == expected


def test_an_instance_that_learned_nothing_survives(manager: plugins.PluginManager, model_type: str) -> None:
    """A fresh instance goes through bytes like any other."""
    content = manager.exec_serialize(model_type, manager.exec_instantiate(model_type))
    assert manager.exec_serialize(model_type, manager.exec_deserialize(model_type, content)) == content


def test_parameters_survive(manager: plugins.PluginManager) -> None:
    """What an instance was made with is part of its bytes."""
    instance = manager.exec_instantiate(LOGISTIC, learning_rate=0.5, l2=0.125)
    copy = manager.exec_deserialize(LOGISTIC, manager.exec_serialize(LOGISTIC, instance))
    assert copy.parameters == {"learning_rate": 0.5, "intercept_learning_rate": 0.01, "l2": 0.125}


def test_classes_keep_their_types(manager: plugins.PluginManager) -> None:
    """The labels 1 and "1" stay two classes."""
    rows = [{"a": 1.0}, {"a": -1.0}, {"a": 1.1}, {"a": -1.1}]
    instance = manager.exec_fit(GAUSSIAN, manager.exec_instantiate(GAUSSIAN), quiet, rows, [1, "1"] * 2)
    copy = manager.exec_deserialize(GAUSSIAN, manager.exec_serialize(GAUSSIAN, instance))
    assert manager.exec_predict(GAUSSIAN, copy, quiet, rows)[1] == [1, "1", 1, "1"]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like_object_is_read(manager: plugins.PluginManager, kind: Callable[[bytes], Any]) -> None:
    """Deserialize takes what ByteString stands for."""
    content = bytes(manager.exec_serialize(LOGISTIC, manager.exec_instantiate(LOGISTIC)))
    assert manager.exec_deserialize(LOGISTIC, kind(content)).model_type == LOGISTIC


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\x80\x04N.",
        b"\xff",
        b"[" * 100_000,
        b"1" * 5_000,
        b"[]",
        b"null",
        b'{"format": NaN}',
        b'{"format": "aimm-river", "format": "aimm-river"}',
    ],
)
def test_foreign_bytes_are_refused(manager: plugins.PluginManager, content: bytes) -> None:
    """Whatever is no document of ours is one kind of error, a ValueError that says what was expected."""
    with pytest.raises(ValueError, match=r"expected the bytes|must be a JSON object|no number of JSON|stands twice"):
        manager.exec_deserialize(LOGISTIC, content)


def test_what_is_no_bytes_is_refused(manager: plugins.PluginManager) -> None:
    """A document that is not bytes yet is told apart from a broken one."""
    not_bytes: Any = "{}"
    with pytest.raises(ValueError, match="memoryview: a bytes-like object is required, not 'str'"):
        manager.exec_deserialize(LOGISTIC, not_bytes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "format must be 'aimm-river', found 'other': these are not bytes of this plugin"),
        ({"version": 2}, "version must be 1, found 2: upgrade aimm-river"),
        ({"version": True}, "version must be 1, found True"),
        ({"model_type": "river.linear_model.Perceptron"}, "deserialise them under the model type that they are of"),
        ({"extra": 1}, "the document has the unknown field 'extra'"),
        ({"parameters": {}}, "parameters lacks the field 'learning_rate'"),
        ({"statistics": {"learned": -1, "predicted": 0, "judged": 0, "loss": 0.0}}, "learned must be a whole number"),
        ({"statistics": {"learned": 1.5, "predicted": 0, "judged": 0, "loss": 0.0}}, "learned must be a whole number"),
        ({"steps": {}}, "steps lacks the field 'StandardScaler'"),
        ({"steps": []}, r"steps must be a JSON object, found \[\]"),
    ],
)
def test_a_document_that_was_changed_is_refused(
    manager: plugins.PluginManager, changes: dict[str, Any], message: str
) -> None:
    """Every field is checked, and the message names the one that is wrong."""
    with pytest.raises(ValueError, match=message):
        load(manager, payload(manager) | changes)


@pytest.mark.parametrize(
    ("step", "field", "value", "message"),
    [
        ("LogisticRegression", "iterations", -1, "iterations must be a whole number of 0 or above, found -1"),
        ("LogisticRegression", "iterations", True, "iterations must be a whole number"),
        ("LogisticRegression", "intercept", "0.0", "intercept must be a finite float, found '0.0'"),
        ("LogisticRegression", "weights", {"a": None}, "weights, a must be a finite float, found None"),
        ("StandardScaler", "a", [0, 1.0, 1.0], "StandardScaler, a must be a whole number of 1 or above, found 0"),
        ("StandardScaler", "a", [1, 1.0, -1.0], "StandardScaler, a must be a finite float of 0.0 or above"),
        ("StandardScaler", "a", [1, 1.0], "StandardScaler, a must have 3 values, found 2"),
        ("StandardScaler", "a", 7, "StandardScaler, a must be a list, found 7"),
    ],
)
def test_a_state_that_cannot_be_is_refused(
    manager: plugins.PluginManager, step: str, field: str, value: Any, message: str
) -> None:
    """What river would only stumble over later does not get in."""
    document = payload(manager)
    document["steps"][step][field] = value
    with pytest.raises(ValueError, match=message):
        load(manager, document)


def test_a_number_beyond_all_floats_is_refused(manager: plugins.PluginManager) -> None:
    """JSON can write numbers that Python reads as infinite."""
    content = json.dumps(payload(manager)).replace('"loss": 0.0', '"loss": 1e999').encode()
    with pytest.raises(ValueError, match=r"loss must be a finite float of 0.0 or above, found inf"):
        manager.exec_deserialize(LOGISTIC, content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": None}, "None is no class label"),
        ({"label": False}, "False is no class label, or stands here twice"),
        ({"rows": 0}, "class 0, rows must be a whole number of 1 or above"),
        ({"features": {"a": [0.0, 1.0, 1.0]}}, "features, a must be a finite float of 1.0 or above"),
    ],
)
def test_a_class_that_cannot_be_is_refused(
    manager: plugins.PluginManager, change: dict[str, Any], message: str
) -> None:
    """The classes of naive Bayes are checked one by one."""
    document = payload(manager, GAUSSIAN)
    document["steps"]["GaussianNB"]["classes"][0] |= change
    with pytest.raises(ValueError, match=message):
        load(manager, document, GAUSSIAN)


def test_a_model_that_diverged_is_not_serialised(manager: plugins.PluginManager) -> None:
    """Infinite weights have no exact JSON, and a model with them predicts nothing: the error says what to do."""
    instance = manager.exec_instantiate("river.linear_model.LinearRegression", learning_rate=1e300)
    manager.exec_fit("river.linear_model.LinearRegression", instance, quiet, ROWS * 5, [1e300, -1e300] * 5)
    with pytest.raises(ValueError, match="so it has diverged; go back to the instance that was saved last"):
        manager.exec_serialize("river.linear_model.LinearRegression", instance)

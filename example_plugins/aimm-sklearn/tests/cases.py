"""For every estimator: how it is created, and real data that suit it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_linnerud
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier


@dataclass(frozen=True)
class Data:
    """What ``fit`` and ``predict`` are given."""

    fit: tuple[Any, ...]
    predict: tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """How one estimator is created and fitted."""

    data: Callable[[], Data]
    arguments: dict[str, Any] = field(default_factory=dict)


def _held_out(X: Any, y: Any) -> Data:
    X_train, X_test, y_train, _ = train_test_split(X, y, random_state=0)
    return Data((X_train, y_train), (X_test,))


@cache
def flowers() -> Data:
    """Three species of iris."""
    return _held_out(*load_iris(return_X_y=True))


@cache
def patients() -> Data:
    """Progress of diabetes, for regression."""
    X, y = load_diabetes(return_X_y=True)
    return _held_out(X[:160], y[:160])


@cache
def athletes() -> Data:
    """Three targets at once."""
    return _held_out(*load_linnerud(return_X_y=True))


def body_mass() -> Data:
    """A single feature, in one dimension."""
    (X, y), (X_test,) = patients().fit, patients().predict
    return Data((X[:, 2], y), (X_test[:, 2],))


def whole_numbers() -> Data:
    """Whole numbers; what is predicted was seen in fitting, as encoders ask."""
    X, y = load_iris(return_X_y=True)
    return Data((np.floor(X), y), (np.floor(X[::3]),))


def species() -> Data:
    """Targets alone, for what encodes them."""
    _, y = load_iris(return_X_y=True)
    return Data((y,), (y[::3],))


def large_measures() -> Data:
    """For each flower the names of the measures that are above the mean."""
    iris = load_iris()
    rows = [
        [n for n, large in zip(iris.feature_names, row, strict=True) if large] for row in iris.data > iris.data.mean(0)
    ]
    return Data((rows,), (rows[::3],))


def named_measures() -> Data:
    """Each flower as a dict."""
    iris = load_iris()
    rows = [dict(zip(iris.feature_names, map(float, row), strict=True)) for row in iris.data]
    return Data((rows[::2],), (rows[1::2],))


def sentences() -> Data:
    """Text: what scikit-learn writes about its data."""
    lines = [line for line in load_iris().DESCR.splitlines() if line.strip(" -=:.|")]
    return Data((lines[::2],), (lines[1::2],))


def images() -> Data:
    """Sixteen digits a picture: patches are a tenth of a picture high, and a digit has eight rows."""
    pictures = load_digits().images[:64].reshape(4, 4, 4, 8, 8).swapaxes(2, 3).reshape(4, 32, 32)
    return Data((pictures[:2],), (pictures[2:],))


def pages() -> Data:
    """Twenty digits a row: random projections want many columns for each row."""
    rows = load_digits().data[:1780].reshape(-1, 1280)
    return Data((rows[:4],), (rows[4:],))


def similarities() -> Data:
    """A kernel matrix."""
    (X, _), (X_test,) = flowers().fit, flowers().predict
    return Data((X @ X.T,), (X_test @ X.T,))


def binary() -> Data:
    """Two classes."""
    X, y = flowers().fit
    return Data((X, y == 2), flowers().predict)


def labels() -> Data:
    """Two labels at once."""
    X, y = flowers().fit
    return Data((X, np.c_[y == 0, y == 1]), flowers().predict)


def half_labelled() -> Data:
    """Every other flower without its species."""
    X, y = flowers().fit
    return Data((X, np.where(np.arange(len(y)) % 2, y, -1)), flowers().predict)


_CLASSIFIER = LogisticRegression(max_iter=1000)
_NAMED = [("linear", LogisticRegression(max_iter=1000)), ("tree", DecisionTreeClassifier(random_state=0))]

CASES: dict[str, Case] = {
    "CCA": Case(athletes),
    "PLSCanonical": Case(athletes),
    "PLSSVD": Case(athletes),
    "CategoricalNB": Case(whole_numbers),
    "OneHotEncoder": Case(whole_numbers),
    "OrdinalEncoder": Case(whole_numbers),
    "TargetEncoder": Case(whole_numbers),
    "IsotonicRegression": Case(body_mass),
    "LabelBinarizer": Case(species),
    "LogisticRegressionCV": Case(binary),
    "LabelEncoder": Case(species),
    "MultiLabelBinarizer": Case(large_measures),
    "DictVectorizer": Case(named_measures),
    "FeatureHasher": Case(named_measures),
    "CountVectorizer": Case(sentences),
    "HashingVectorizer": Case(sentences),
    "TfidfVectorizer": Case(sentences),
    "PatchExtractor": Case(images),
    "GaussianRandomProjection": Case(pages),
    "SparseRandomProjection": Case(pages),
    "KernelCenterer": Case(similarities),
    # These cannot be created, or fitted, with defaults alone: they are given the estimator they stand around.
    "ClassifierChain": Case(labels, {"estimator": _CLASSIFIER}),
    "ColumnTransformer": Case(
        flowers, {"transformers": [("scaled", StandardScaler(), [0, 1])], "remainder": "passthrough"}
    ),
    "FeatureUnion": Case(flowers, {"transformer_list": [("a", StandardScaler()), ("b", MinMaxScaler())]}),
    "FixedThresholdClassifier": Case(binary, {"estimator": _CLASSIFIER}),
    "FrozenEstimator": Case(flowers, {"estimator": DecisionTreeClassifier(random_state=0).fit(*flowers().fit)}),
    "GridSearchCV": Case(flowers, {"estimator": _CLASSIFIER, "param_grid": {"C": [0.1, 1.0]}}),
    "MultiOutputClassifier": Case(labels, {"estimator": _CLASSIFIER}),
    "MultiOutputRegressor": Case(athletes, {"estimator": LinearRegression()}),
    "OneVsOneClassifier": Case(flowers, {"estimator": _CLASSIFIER}),
    "OneVsRestClassifier": Case(flowers, {"estimator": _CLASSIFIER}),
    "OutputCodeClassifier": Case(flowers, {"estimator": _CLASSIFIER}),
    "Pipeline": Case(flowers, {"steps": [("scaled", StandardScaler()), ("svm", LinearSVC())]}),
    "RandomizedSearchCV": Case(
        flowers, {"estimator": _CLASSIFIER, "param_distributions": {"C": [0.1, 1.0, 10.0]}, "n_iter": 2}
    ),
    "RegressorChain": Case(athletes, {"estimator": LinearRegression()}),
    "RFE": Case(flowers, {"estimator": _CLASSIFIER}),
    "RFECV": Case(flowers, {"estimator": _CLASSIFIER}),
    "SelectFromModel": Case(flowers, {"estimator": _CLASSIFIER}),
    "SelfTrainingClassifier": Case(half_labelled, {"estimator": _CLASSIFIER}),
    "SequentialFeatureSelector": Case(flowers, {"estimator": _CLASSIFIER}),
    "SparseCoder": Case(flowers, {"dictionary": np.eye(4)}),
    "StackingClassifier": Case(flowers, {"estimators": _NAMED}),
    "StackingRegressor": Case(patients, {"estimators": [("linear", LinearRegression())]}),
    "TunedThresholdClassifierCV": Case(binary, {"estimator": _CLASSIFIER}),
    "VotingClassifier": Case(flowers, {"estimators": _NAMED}),
    "VotingRegressor": Case(patients, {"estimators": [("linear", LinearRegression())]}),
}

"""Load, split, train and score, on the data sets that come with scikit-learn."""

from typing import Any, Literal, NamedTuple

import numpy as np
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from aimm.tasks import register

_LOADERS = {"iris": load_iris, "wine": load_wine, "breast_cancer": load_breast_cancer}


class Table(NamedTuple):
    """Features, one row for each sample, and the class of each."""

    features: np.ndarray
    target: np.ndarray


class Split(NamedTuple):
    """A table in two parts."""

    train_features: np.ndarray
    test_features: np.ndarray
    train_target: np.ndarray
    test_target: np.ndarray


class Scores(NamedTuple):
    """How good a classifier is."""

    report: dict[str, float]
    confusion: np.ndarray


@register
def load(name: Literal["iris", "wine", "breast_cancer"] = "iris") -> Table:
    """Load a data set."""
    return Table(*_LOADERS[name](return_X_y=True))


@register
def split(features: np.ndarray, target: np.ndarray, *, test_size: float = 0.3, seed: int = 0) -> Split:
    """Split a table; every class keeps its share in both parts."""
    return Split(*train_test_split(features, target, test_size=test_size, random_state=seed, stratify=target))


@register
def train(features: np.ndarray, target: np.ndarray, strength: float = 1.0) -> Pipeline:
    """Train a logistic regression on scaled features."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000)).fit(features, target)


@register
def score(model: Pipeline, features: np.ndarray, target: np.ndarray) -> Scores:
    """Score a classifier on samples that it has not seen."""
    return compare(model.predict(features), target)


@register
def compare(predicted: Any, target: np.ndarray) -> Scores:
    """Score predictions, whichever model made them."""
    report = {"accuracy": float(accuracy_score(target, predicted)), "samples": float(len(target))}
    return Scores(report, confusion_matrix(target, predicted))

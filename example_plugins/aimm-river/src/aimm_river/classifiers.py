"""The classifiers: their import declares three model types."""

from collections.abc import Iterable, Mapping
from typing import Any

from river import compose, linear_model, naive_bayes, optim, preprocessing

from aimm import plugins
from aimm_river._batch import BINARY, MULTICLASS, Label
from aimm_river._online import OnlineModel
from aimm_river._parameters import not_negative, positive
from aimm_river._payload import pack, unpack

LOGISTIC_REGRESSION = "river.linear_model.LogisticRegression"
PERCEPTRON = "river.linear_model.Perceptron"
GAUSSIAN_NB = "river.naive_bayes.GaussianNB"
MODEL_TYPES = [LOGISTIC_REGRESSION, PERCEPTRON, GAUSSIAN_NB]

# Most of river's constructors carry no annotations, so a strict type checker refuses to call them.
_river: Any = linear_model
_GaussianNB: Any = naive_bayes.GaussianNB
_StandardScaler: Any = preprocessing.StandardScaler
_Pipeline: Any = compose.Pipeline


@plugins.instantiate(LOGISTIC_REGRESSION)
def logistic_regression(
    learning_rate: float = 0.01, intercept_learning_rate: float = 0.01, l2: float = 0.0
) -> OnlineModel:
    """Make a logistic regression behind a standard scaler, for two classes.

    Args:
        learning_rate: Step size of the weights.
        intercept_learning_rate: Step size of the intercept; zero keeps it at zero.
        l2: Strength of the penalty on large weights.
    """
    parameters = {
        "learning_rate": positive("learning_rate", learning_rate),
        "intercept_learning_rate": not_negative("intercept_learning_rate", intercept_learning_rate),
        "l2": not_negative("l2", l2),
    }
    estimator = _river.LogisticRegression(
        optimizer=optim.SGD(parameters["learning_rate"]),
        intercept_lr=parameters["intercept_learning_rate"],
        l2=parameters["l2"],
    )
    return OnlineModel(LOGISTIC_REGRESSION, parameters, _Pipeline(_StandardScaler(), estimator), BINARY)


@plugins.instantiate(PERCEPTRON)
def perceptron(l2: float = 0.0) -> OnlineModel:
    """Make a perceptron behind a standard scaler, for two classes.

    Args:
        l2: Strength of the penalty on large weights.
    """
    parameters = {"l2": not_negative("l2", l2)}
    return OnlineModel(PERCEPTRON, parameters, _Pipeline(_StandardScaler(), _river.Perceptron(**parameters)), BINARY)


@plugins.instantiate(GAUSSIAN_NB)
def gaussian_nb() -> OnlineModel:
    """Make a naive Bayes classifier with one Gaussian for each class and feature, for any number of classes."""
    return OnlineModel(GAUSSIAN_NB, {}, _Pipeline(_GaussianNB()), MULTICLASS)


@plugins.fit(MODEL_TYPES, state_cb_arg_name="state_cb", instance_arg_name="model")
def fit(
    X: Iterable[Mapping[str, Any]], y: Iterable[Any], *, model: OnlineModel, state_cb: plugins.StateCallback
) -> OnlineModel:
    """Learn a batch row by row; see :meth:`OnlineModel.fit`."""
    return model.fit(X, y, state_cb)


@plugins.predict(MODEL_TYPES)
def predict(model: OnlineModel, X: Iterable[Mapping[str, Any]], y: Iterable[Any] | None = None) -> list[Label | None]:
    """Predict the label of each row, and learn from it where the truth is given; see :meth:`OnlineModel.predict`."""
    return model.predict(X, y)


@plugins.serialize(MODEL_TYPES)
def serialize(model: OnlineModel) -> bytes:
    """Turn an instance into a JSON document."""
    return pack(model)


# A deserialize function is not told for which model type it is called: with one for each, each accepts only its own.
@plugins.deserialize([LOGISTIC_REGRESSION])
def deserialize_logistic_regression(content: plugins.ByteString) -> OnlineModel:
    """Turn the bytes of a logistic regression back into an instance."""
    return unpack(content, LOGISTIC_REGRESSION, logistic_regression)


@plugins.deserialize([PERCEPTRON])
def deserialize_perceptron(content: plugins.ByteString) -> OnlineModel:
    """Turn the bytes of a perceptron back into an instance."""
    return unpack(content, PERCEPTRON, perceptron)


@plugins.deserialize([GAUSSIAN_NB])
def deserialize_gaussian_nb(content: plugins.ByteString) -> OnlineModel:
    """Turn the bytes of a naive Bayes classifier back into an instance."""
    return unpack(content, GAUSSIAN_NB, gaussian_nb)

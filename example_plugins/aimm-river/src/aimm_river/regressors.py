"""The regression models: their import declares two model types."""

from collections.abc import Iterable, Mapping
from typing import Any

from river import compose, linear_model, optim, preprocessing

from aimm import plugins
from aimm_river._batch import REGRESSION, Label
from aimm_river._online import OnlineModel
from aimm_river._parameters import not_negative, positive
from aimm_river._payload import pack, unpack

LINEAR_REGRESSION = "river.linear_model.LinearRegression"
PA_REGRESSOR = "river.linear_model.PARegressor"
MODEL_TYPES = [LINEAR_REGRESSION, PA_REGRESSOR]

# Most of river's constructors carry no annotations, so a strict type checker refuses to call them.
_river: Any = linear_model
_StandardScaler: Any = preprocessing.StandardScaler
_Pipeline: Any = compose.Pipeline


@plugins.instantiate(LINEAR_REGRESSION)
def linear_regression(
    learning_rate: float = 0.01, intercept_learning_rate: float = 0.01, l2: float = 0.0
) -> OnlineModel:
    """Make a linear regression behind a standard scaler.

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
    estimator = _river.LinearRegression(
        optimizer=optim.SGD(parameters["learning_rate"]),
        intercept_lr=parameters["intercept_learning_rate"],
        l2=parameters["l2"],
    )
    return OnlineModel(LINEAR_REGRESSION, parameters, _Pipeline(_StandardScaler(), estimator), REGRESSION)


@plugins.instantiate(PA_REGRESSOR)
def pa_regressor(aggressiveness: float = 1.0, tolerance: float = 0.1) -> OnlineModel:
    """Make a passive-aggressive regression behind a standard scaler.

    Args:
        aggressiveness: The longest step for one row, river's ``C``.
        tolerance: How large an error may be before the model changes, river's ``eps``.
    """
    parameters = {
        "aggressiveness": positive("aggressiveness", aggressiveness),
        "tolerance": not_negative("tolerance", tolerance),
    }
    estimator = _river.PARegressor(C=parameters["aggressiveness"], eps=parameters["tolerance"])
    return OnlineModel(PA_REGRESSOR, parameters, _Pipeline(_StandardScaler(), estimator), REGRESSION)


@plugins.fit(MODEL_TYPES, state_cb_arg_name="state_cb", instance_arg_name="model")
def fit(
    X: Iterable[Mapping[str, Any]], y: Iterable[Any], *, model: OnlineModel, state_cb: plugins.StateCallback
) -> OnlineModel:
    """Learn a batch row by row; see :meth:`OnlineModel.fit`."""
    return model.fit(X, y, state_cb)


@plugins.predict(MODEL_TYPES)
def predict(model: OnlineModel, X: Iterable[Mapping[str, Any]], y: Iterable[Any] | None = None) -> list[Label | None]:
    """Predict the value of each row, and learn from it where the truth is given; see :meth:`OnlineModel.predict`."""
    return model.predict(X, y)


@plugins.serialize(MODEL_TYPES)
def serialize(model: OnlineModel) -> bytes:
    """Turn an instance into a JSON document."""
    return pack(model)


# A deserialize function is not told for which model type it is called: with one for each, each accepts only its own.
@plugins.deserialize([LINEAR_REGRESSION])
def deserialize_linear_regression(content: plugins.ByteString) -> OnlineModel:
    """Turn the bytes of a linear regression back into an instance."""
    return unpack(content, LINEAR_REGRESSION, linear_regression)


@plugins.deserialize([PA_REGRESSOR])
def deserialize_pa_regressor(content: plugins.ByteString) -> OnlineModel:
    """Turn the bytes of a passive-aggressive regression back into an instance."""
    return unpack(content, PA_REGRESSOR, pa_regressor)

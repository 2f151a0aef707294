"""The hook plugin: owns every scikit-learn estimator under its import path, ``sklearn.svm.SVC``.

``aimm`` imports this module at every start, so what it needs of scikit-learn, NumPy and skops is imported inside the
hooks: by the first use of a name that begins with ``sklearn.``, not before.
"""

from typing import Any

from aimm.plugins import ByteString, StateCallback, hookimpl


@hookimpl
def resolve_model_type(model_type: str) -> bool:
    """Own a model type if it is the public import path of an estimator class."""
    if not model_type.startswith("sklearn."):
        return False
    from aimm_sklearn import _estimators

    return _estimators.find(model_type) is not None


@hookimpl
def similar_model_types(model_type: str) -> list[str]:
    """Name the estimators whose import path comes near."""
    if not model_type.startswith("sklearn."):
        return []
    from aimm_sklearn import _estimators

    return _estimators.similar(model_type)


@hookimpl
def parameters(model_type: str, action: str) -> list[str] | None:
    """Name the arguments of the constructor, of ``fit``, and of what ``predict`` calls."""
    from aimm_sklearn import _estimators

    return _estimators.parameters(model_type, action)


@hookimpl
def instantiate(model_type: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call the constructor of the estimator."""
    from aimm_sklearn import _estimators

    return _estimators.get(model_type)(*args, **kwargs)


@hookimpl
def fit(instance: Any, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call ``fit`` of the estimator; report that it began and ended, and each step of one that tells its steps."""
    from aimm_sklearn import _estimators

    state_cb({"progress": 0.0})
    fitted = instance.fit(*args, **_estimators.with_monitor(instance, state_cb, args, kwargs))
    state_cb({"progress": 1.0})
    return fitted


@hookimpl
def predict(model_type: str, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call ``predict``, or ``transform`` of an estimator that only transforms."""
    from aimm_sklearn import _estimators

    return _estimators.prediction_of(model_type, instance)(*args, **kwargs)


@hookimpl
def serialize(model_type: str, instance: Any) -> bytes:
    """Write the estimator with skops."""
    from aimm_sklearn import _payload

    return _payload.dump(model_type, instance)


@hookimpl
def deserialize(model_type: str, instance_bytes: ByteString) -> Any:
    """Read an estimator with skops, once all its types are known to be trusted."""
    from aimm_sklearn import _payload

    return _payload.load(model_type, instance_bytes)

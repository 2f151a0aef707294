"""What wrappers are tried on: a model type and a data access that do exactly what they are told."""

from typing import Any

from aimm import plugins

NAME = "aimm.testing.probe"


class Told:
    """What the next call does, and what the last one got.

    Attributes:
        result: What it returns.
        error: What it raises instead.
        seen: The arguments that reached it.
    """

    result: Any = None
    error: Exception | None = None
    seen: tuple[Any, ...] = ()


def _do(*seen: Any) -> Any:
    Told.seen = seen
    if Told.error is not None:
        raise Told.error
    return Told.result


def fetch(*args: Any, **kwargs: Any) -> Any:
    """Fetch data as told."""
    return _do(args, kwargs)


@plugins.instantiate(NAME)
def instantiate(*args: Any, **kwargs: Any) -> Any:
    """Create an instance as told."""
    return _do(args, kwargs)


@plugins.fit([NAME])
def fit(instance: Any, *args: Any, **kwargs: Any) -> Any:
    """Fit as told."""
    return _do(instance, args, kwargs)


@plugins.predict([NAME])
def predict(instance: Any, *args: Any, **kwargs: Any) -> Any:
    """Predict as told."""
    return _do(instance, args, kwargs)


@plugins.serialize([NAME])
def serialize(instance: Any) -> Any:
    """Serialise as told."""
    return _do(instance)


@plugins.deserialize([NAME])
def deserialize(instance_bytes: Any) -> Any:
    """Deserialise as told."""
    return _do(instance_bytes)

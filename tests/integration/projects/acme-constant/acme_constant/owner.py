"""Owns ``acme.constant.<number>``: predicts that number."""

from typing import Any

from aimm.plugins import hookimpl

PREFIX = "acme.constant."


@hookimpl
def resolve_model_type(model_type: str) -> bool:
    """Own every constant."""
    return model_type.removeprefix(PREFIX).isdigit()


@hookimpl
def instantiate(model_type: str) -> int:
    """Read the number from the name."""
    return int(model_type.removeprefix(PREFIX))


@hookimpl
def fit(instance: int) -> int:
    """There is nothing to learn."""
    return instance


@hookimpl
def predict(instance: int, kwargs: dict[str, Any]) -> list[int]:
    """The number for each row."""
    return [instance for _ in kwargs["rows"]]


@hookimpl
def parameters(action: str) -> list[str]:
    """Predict takes rows, nothing else takes anything."""
    return {"predict": ["rows"], "fit": ["X"]}.get(action, [])


@hookimpl
def serialize(instance: int) -> bytes:
    """The number as text."""
    return str(instance).encode()


@hookimpl
def deserialize(instance_bytes: bytes) -> int:
    """The number again."""
    return int(bytes(instance_bytes))

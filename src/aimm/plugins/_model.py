"""Models as classes: the abstract base and the decorator that registers all five actions at once."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from aimm import errors
from aimm._types import ByteString
from aimm.plugins._registry import Record, Source, declare

if TYPE_CHECKING:  # only type checkers know defaults of type variables before Python 3.13
    from typing_extensions import TypeVar as TypeVarWithDefault

    from aimm.plugins._protocols import ModelLike

    Prediction = TypeVarWithDefault("Prediction", covariant=True, default=Any)
else:
    Prediction = TypeVar("Prediction", covariant=True)

T = TypeVar("T", bound="type[ModelLike]")
_METHODS = ("fit", "predict", "serialize", "deserialize")


class Model(ABC, Generic[Prediction]):
    """Interface unifying multiple plugin entry points under same type.

    ``__init__`` is treated as instantiation function. ``Model[Prediction]`` tells type checkers what ``predict``
    returns; a bare ``Model`` may return anything.
    """

    @abstractmethod
    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Fit the instance and return it."""

    @abstractmethod
    def predict(self, *args: Any, **kwargs: Any) -> Prediction:
        """Return a prediction; the instance may change by it."""

    @abstractmethod
    def serialize(self) -> ByteString:
        """Return the instance as bytes."""

    @classmethod
    @abstractmethod
    def deserialize(cls, instance_bytes: ByteString) -> "Model[Prediction]":
        """Return the instance that :meth:`serialize` turned into these bytes."""


def model(cls: T) -> T:
    """Register a class under the model type module + class name.

    ``instantiate`` is the class itself; ``fit``, ``predict``, ``serialize`` and ``deserialize`` are its methods of
    those names. An action whose attribute is None is not offered.

    Args:
        cls: A subclass of :class:`Model`, or a class that looks like one.

    Returns:
        The class unchanged.

    Raises:
        DeclarationError: It is no class, or lacks one of the methods, or leaves one abstract; nothing was registered.
        DuplicateError: The model type is taken; nothing was registered.
    """
    check_model_class(cls, f"@model on {cls!r}")
    declare(model_records(cls, f"{cls.__module__}.{cls.__name__}"), sys._getframe(1))
    return cls


def model_records(cls: type, model_type: str, source: Source | None = None) -> list[Record]:
    """The records that declare a class as a model type."""
    functions: dict[str, Callable[..., Any] | None] = {"instantiate": cls}
    functions.update((name, getattr(cls, name)) for name in _METHODS)
    stamp = source or Source(cls.__module__)
    return [Record(action, model_type, function, stamp) for action, function in functions.items() if function]


def check_model_class(cls: Any, what: str) -> None:
    """Refuse what cannot serve as a model class.

    Args:
        cls: The object to check.
        what: How to call it in the message.

    Raises:
        DeclarationError: See :func:`model`.
    """
    if not isinstance(cls, type):
        raise errors.DeclarationError(f"{what}: expected a class with the methods {', '.join(_METHODS)}")
    missing = [name for name in _METHODS if not hasattr(cls, name)]
    if missing:
        raise errors.DeclarationError(f"{what}: the class has no {' and no '.join(map(repr, missing))}")
    odd = [name for name in _METHODS if getattr(cls, name) is not None and not callable(getattr(cls, name))]
    if odd:
        raise errors.DeclarationError(f"{what}: {' and '.join(map(repr, odd))} cannot be called")
    abstract = sorted(getattr(cls, "__abstractmethods__", ()))
    if abstract:
        raise errors.DeclarationError(f"{what}: the class leaves {' and '.join(map(repr, abstract))} abstract")

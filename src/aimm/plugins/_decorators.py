"""The six decorators: each writes records to the active registry and returns the function as it was."""

import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, List, TypeVar  # noqa: UP035 - List appears in the seed's signatures

from aimm import errors
from aimm._types import ByteString
from aimm.plugins._registry import Record, Source, declare

# The very type of the function goes out as it came in, parameters, defaults and overloads included.
F = TypeVar("F", bound=Callable[..., Any])
Serialize = TypeVar("Serialize", bound=Callable[[Any], ByteString | Awaitable[ByteString]])
Deserialize = TypeVar("Deserialize", bound=Callable[[bytes], Any])
_UNSTAMPED = Source("")


def data_access(name: str, state_cb_arg_name: str | None = None) -> Callable[[F], F]:
    """Mark a data access function.

    The decorated function can take any number of positional and keyword arguments and should return the accessed data.

    Args:
        name: Name of the data access.
        state_cb_arg_name: Keyword under which the function wants the state callback, if it does. The callback takes one
            JSON-serialisable dict.

    Returns:
        A decorator that returns the function unchanged.

    Raises:
        DeclarationError: The name, the keyword or the decorated object is of the wrong kind.
        DuplicateError: The name is taken; nothing was changed.
    """
    return _decorator("data_access", [name], state_cb_arg_name)


def instantiate(model_type: str, state_cb_arg_name: str | None = None) -> Callable[[F], F]:
    """Mark a function that creates model instances.

    The decorated function can take any number of positional and keyword arguments and should return the new instance.

    Args:
        model_type: Name of the model type.
        state_cb_arg_name: Keyword under which the function wants the state callback, if it does.

    Returns:
        A decorator that returns the function unchanged.

    Raises:
        DeclarationError: The name, the keyword or the decorated object is of the wrong kind.
        DuplicateError: The name is taken; nothing was changed.
    """
    return _decorator("instantiate", [model_type], state_cb_arg_name)


def fit(
    model_types: List[str],  # noqa: UP006
    state_cb_arg_name: str | None = None,
    instance_arg_name: str | None = None,
) -> Callable[[F], F]:
    """Mark a function that fits model instances.

    The decorated function takes at least the instance, any number of further arguments, and should return the updated
    instance.

    Args:
        model_types: Names of the model types that it fits.
        state_cb_arg_name: Keyword under which the function wants the state callback, if it does.
        instance_arg_name: Keyword under which it wants the instance; if not set, the instance is the first positional
            argument.

    Returns:
        A decorator that returns the function unchanged.

    Raises:
        DeclarationError: A name, a keyword or the decorated object is of the wrong kind.
        DuplicateError: A name is taken; none of the names was registered.
    """
    return _decorator("fit", model_types, state_cb_arg_name, instance_arg_name)


def predict(
    model_types: List[str],  # noqa: UP006
    state_cb_arg_name: str | None = None,
    instance_arg_name: str | None = None,
) -> Callable[[F], F]:
    """Mark a function that predicts with model instances.

    The decorated function takes at least the instance, any number of further arguments, and should return the
    prediction. It may change the instance.

    Args:
        model_types: Names of the model types that it predicts with.
        state_cb_arg_name: Keyword under which the function wants the state callback, if it does.
        instance_arg_name: Keyword under which it wants the instance; if not set, the instance is the first positional
            argument.

    Returns:
        A decorator that returns the function unchanged.

    Raises:
        DeclarationError: A name, a keyword or the decorated object is of the wrong kind.
        DuplicateError: A name is taken; none of the names was registered.
    """
    return _decorator("predict", model_types, state_cb_arg_name, instance_arg_name)


def serialize(model_types: List[str]) -> Callable[[Serialize], Serialize]:  # noqa: UP006
    """Mark a function that turns an instance into bytes: ``(instance: Any) -> ByteString``.

    Args:
        model_types: Names of the model types that it serialises.

    Returns:
        A decorator that returns the function unchanged.

    Raises:
        DeclarationError: A name or the decorated object is of the wrong kind.
        DuplicateError: A name is taken; none of the names was registered.
    """
    return _decorator("serialize", model_types)


def deserialize(model_types: List[str]) -> Callable[[Deserialize], Deserialize]:  # noqa: UP006
    """Mark a function that turns bytes into an instance: ``(instance_bytes: ByteString) -> Any``.

    Args:
        model_types: Names of the model types that it deserialises.

    Returns:
        A decorator that returns the function unchanged.

    Raises:
        DeclarationError: A name or the decorated object is of the wrong kind.
        DuplicateError: A name is taken; none of the names was registered.
    """
    return _decorator("deserialize", model_types)


def _decorator(
    action: str,
    names: Iterable[str],
    state_cb_arg_name: str | None = None,
    instance_arg_name: str | None = None,
) -> Callable[[F], F]:
    checked = _check_names(action, names)
    _check_keyword(action, "state_cb_arg_name", state_cb_arg_name)
    _check_keyword(action, "instance_arg_name", instance_arg_name)
    if state_cb_arg_name and state_cb_arg_name == instance_arg_name:
        raise errors.DeclarationError(
            f"@{action}: state_cb_arg_name and instance_arg_name are both {state_cb_arg_name!r}"
        )

    def decorate(function: F) -> F:
        if not callable(function):
            raise errors.DeclarationError(f"@{action}({checked!r}) expects a function, not {function!r}")
        records = [
            Record(action, name, function, _UNSTAMPED, state_cb_arg_name or None, instance_arg_name or None)
            for name in checked
        ]
        declare(records, sys._getframe(1))
        return function

    return decorate


def _check_names(action: str, names: Iterable[str]) -> list[str]:
    if isinstance(names, (str, bytes)) or callable(names):
        shown = f"'{names}'" if isinstance(names, str) else repr(names)
        raise errors.DeclarationError(f"@{action} expects a list of model types, not {shown}: write @{action}([...])")
    try:
        listed = list(names)
    except TypeError:
        raise errors.DeclarationError(f"@{action} expects a list of model types, not {names!r}") from None
    for name in listed:
        if not isinstance(name, str) or not name:
            raise errors.DeclarationError(f"@{action} expects a name, a string that is not empty, not {name!r}")
    return list(dict.fromkeys(listed))


def _check_keyword(action: str, argument: str, keyword: str | None) -> None:
    if keyword and not (isinstance(keyword, str) and keyword.isidentifier()):
        raise errors.DeclarationError(f"@{action}: {argument} must be the name of an argument, not {keyword!r}")

"""Which arguments a plugin function takes from its caller, read from its signature."""

import functools
from collections.abc import Callable
from typing import Any

import pytest

from aimm.plugins import PluginManager
from aimm.plugins._registry import Record, Source
from aimm.plugins._signature import parameter_names
from support import class_source


def names(action: str, function: Callable[..., Any], **options: str) -> list[str] | None:
    """The parameter names of a record."""
    return parameter_names(Record(action, "x", function, Source("m"), **options))


class _Model:
    def __init__(self, depth: int = 1) -> None: ...
    def fit(self, X: Any, y: Any = None) -> None: ...
    @classmethod
    def deserialize(cls, instance_bytes: bytes) -> None: ...
    def __call__(self, instance: Any, X: Any) -> None: ...


class _Endless:
    def __init__(self, **options: Any) -> None: ...


@pytest.mark.parametrize(
    ("action", "function", "expected"),
    [
        ("data_access", lambda split, seed=0: None, ["split", "seed"]),
        ("data_access", lambda: None, []),
        ("instantiate", _Model, ["depth"]),
        ("instantiate", lambda first, second: None, ["first", "second"]),
        ("fit", _Model.fit, ["X", "y"]),
        ("fit", _Model(), ["X"]),
        ("fit", functools.partial(_Model.fit, y=1), ["X", "y"]),
        ("fit", lambda instance, /, X, *, y: None, ["X", "y"]),
        ("fit", lambda instance, X, **rest: None, ["X"]),
        ("predict", lambda instance: None, []),
        ("serialize", lambda instance: None, []),
        ("deserialize", _Model.deserialize, []),
    ],
)
def test_names_without_the_instance(action: str, function: Any, expected: list[str]) -> None:
    """The instance, where it comes first, is not the caller's to give; everything else is, in order."""
    assert names(action, function) == expected


@pytest.mark.parametrize(
    ("function", "options", "expected"),
    [
        (lambda X, model, cb: None, {"instance_arg_name": "model", "state_cb_arg_name": "cb"}, ["X"]),
        (lambda model, X, cb=None: None, {"state_cb_arg_name": "cb"}, ["X"]),
        (lambda X, *, model: None, {"instance_arg_name": "model"}, ["X"]),
    ],
)
def test_what_aimm_passes_by_name_is_left_out(function: Any, options: dict[str, str], expected: list[str]) -> None:
    """Instance and state callback, under whatever names, are not the caller's to give."""
    assert names("fit", function, **options) == expected


@pytest.mark.parametrize(
    ("action", "function"),
    [
        ("fit", lambda *args: None),
        ("fit", lambda instance, *args: None),
        ("fit", lambda instance, **kwargs: None),
        ("fit", lambda *args, **kwargs: None),
        ("instantiate", _Endless),
        ("instantiate", dict),
    ],
)
def test_what_takes_anything_is_unknown(action: str, function: Any) -> None:
    """A function that takes whatever it is given, or has no signature, tells nothing."""
    assert names(action, function) is None


def test_a_wrapped_function_shows_the_inner_signature() -> None:
    """A decorator that uses ``functools.wraps`` does not hide the names."""

    def inner(instance: Any, X: Any, y: Any) -> None: ...

    @functools.wraps(inner)
    def outer(*args: Any, **kwargs: Any) -> Any:
        return inner(*args, **kwargs)

    assert names("fit", outer) == ["X", "y"]


def test_the_manager_asks_the_signature(manager: PluginManager, make_module: Any) -> None:
    """``plugins.parameters`` reads signatures of whatever owns an action."""
    name = make_module(class_source(decorated=True))
    manager.initialize({"names": [name]})
    assert manager.parameters(f"{name}.Forest", "instantiate") == ["n"]
    assert manager.parameters(f"{name}.Forest", "fit") == ["X", "y", "epochs"]
    assert manager.parameters(f"{name}.Forest", "predict") == ["X"]

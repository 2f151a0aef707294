"""The Protocols of hooks, which type checkers read, say what the specifications say."""

import inspect
from collections.abc import Generator
from typing import Any, get_origin, get_type_hints

import pytest

from aimm import plugins
from aimm.plugins import hookspecs
from aimm.plugins._hooks import SPECIFICATIONS
from aimm.plugins._protocols import __dict__ as PROTOCOLS

WRAPPED = ("instantiate", "fit", "predict", "serialize", "deserialize", "data_access", "run_task")
HOOKS = [hook for hook in SPECIFICATIONS if hook not in ("data_access", "run_task")]


def protocol(hook: str, kind: str) -> Any:
    """The call of the Protocol of a hook."""
    return getattr(plugins, "".join(map(str.capitalize, hook.split("_"))) + kind).__call__


def parameters(function: Any) -> list[tuple[str, Any]]:
    """Names and types, without ``self`` and the result."""
    hints = get_type_hints(function)
    return [(name, hints[name]) for name in inspect.signature(function).parameters if name != "self"]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_the_types_of_its_specification(hook: str) -> None:
    """Parameters and result agree, in names, order and types."""
    specification, found = getattr(hookspecs, hook), protocol(hook, "Hook")
    assert parameters(found) == parameters(specification)
    assert get_type_hints(found)["return"] == get_type_hints(specification)["return"]


@pytest.mark.parametrize("hook", WRAPPED)
def test_a_wrapper_is_a_generator_with_the_parameters_of_its_specification(hook: str) -> None:
    """It takes what the specification takes, and yields once."""
    found = protocol(hook, "Wrapper")
    assert parameters(found) == parameters(getattr(hookspecs, hook))
    assert get_origin(get_type_hints(found)["return"]) is Generator


def test_every_protocol_is_exported() -> None:
    """Each class of the module is a public name of the package."""
    own = {name for name, value in PROTOCOLS.items() if getattr(value, "__module__", "") == "aimm.plugins._protocols"}
    assert own - {"Args", "Kwargs"} <= set(plugins.__all__)

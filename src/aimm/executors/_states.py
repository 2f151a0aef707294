"""What a plugin may report: JSON, checked where it is reported, and copied."""

import json
from collections.abc import Mapping
from typing import Any

from aimm.errors import StateRefusedError


def encode_state(state: Any, action: str, name: str, owner: str = "") -> str:
    """A state as JSON.

    Args:
        state: What the plugin reported.
        action: The action that reports.
        name: The model type or data access name.
        owner: Whose the plugin is.

    Raises:
        StateRefusedError: It is no mapping, or ``json.dumps`` does not accept it.
    """
    if not isinstance(state, Mapping):
        raise StateRefusedError(action, name, owner, f"it is {_kind(state)}, not a dict")
    try:
        return json.dumps(state if type(state) is dict else dict(state))
    except (TypeError, ValueError, RecursionError) as error:
        raise StateRefusedError(action, name, owner, _culprit(state) or f"{type(error).__name__}: {error}") from None


def _culprit(state: Mapping[Any, Any]) -> str:
    for key, value in state.items():
        if not isinstance(key, (str, int, float, bool, type(None))):
            return f"its key {key!r} is {_kind(key)}"
        try:
            json.dumps(value)
        except (TypeError, ValueError, RecursionError) as error:
            return f"its {key!r} is {_kind(value)} ({error})"
    return ""


def _kind(value: Any) -> str:
    module, name = type(value).__module__, type(value).__qualname__
    return name if module == "builtins" else f"{module}.{name}"

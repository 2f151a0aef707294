"""Run a call where its plugins are: the one place that every executor ends in."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aimm import plugins
from aimm._types import StateCallback
from aimm.errors import PluginExitError, StateRefusedError, owner_text
from aimm.executors._states import encode_state


class Around:
    """Stands as the argument of ``predict`` and runs in the worker: gets the data itself, and keeps what comes out."""

    def run(self, predict: Callable[[Any], Any]) -> Any:
        """Do the work.

        Args:
            predict: From the data to the prediction.

        Returns:
            What the job's result has in the place of the prediction.
        """
        raise NotImplementedError


def perform(
    manager: plugins.PluginManager,
    action: str,
    name: str,
    instance: Any,
    state_cb: StateCallback | None,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Any:
    """Call the ``exec_*`` function of an action.

    Returns:
        What it returns; for a ``fit`` that returns nothing, the instance that was passed in.
    """
    function = getattr(manager, f"exec_{action}")
    if action == "fit":
        fitted = function(name, instance, state_cb, *args, **kwargs)
        return instance if fitted is None else fitted
    if action == "predict":
        if args and isinstance(args[0], Around):
            return instance, args[0].run(lambda data: function(name, instance, state_cb, data, **kwargs)[1])
        return function(name, instance, state_cb, *args, **kwargs)
    if action == "serialize":
        return function(name, instance, *args, **kwargs)
    if action == "deserialize":
        return function(name, *args, **kwargs)
    return function(name, state_cb, *args, **kwargs)


def perform_plain(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call a function that is no ``exec_*``; it may end neither the host nor the worker.

    Raises:
        PluginExitError: It raised ``SystemExit``.
    """
    try:
        return function(*args, **kwargs)
    except SystemExit as error:
        name = getattr(function, "__qualname__", getattr(function, "name", type(function).__name__))
        raise PluginExitError("call", name, f"module {function.__module__!r}", str(error.code)) from error


def reporter(
    manager: plugins.PluginManager | None, action: str, name: str, send: Callable[[str], None]
) -> StateCallback:
    """A state callback for a plugin: checks each state and sends it on as JSON.

    Args:
        manager: Whose plugin it is, for messages.
        action: The action that runs.
        name: The model type or data access name.
        send: Where states go.
    """

    def report(state: Any) -> None:
        try:
            text = encode_state(state, action, name)
        except StateRefusedError as error:
            raise error.named(whose(manager, action, name)) from None
        send(text)

    return report


def whose(manager: plugins.PluginManager | None, action: str, name: str) -> str:
    """The owner of an action in words; empty if there is none."""
    if manager is None:
        return ""
    try:
        owner = manager.owner(name, action)
    except Exception:  # noqa: BLE001 - only for a message about something else
        return ""
    return owner_text(owner.plugin, owner.distribution, owner.version)

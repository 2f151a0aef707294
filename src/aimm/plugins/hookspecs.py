"""The hook specifications: the file to read when writing a hook plugin.

A hook plugin is a module or an object, declared in the entry-point group ``aimm.plugins`` or named in the
configuration, whose functions carry :data:`hookimpl`. An implementation takes any subset of the specified parameters,
by name and without defaults. Two uses:

* An *owner* implements :func:`model_types` or :func:`resolve_model_type`, and any of the five actions for those types.
* A *wrapper*, ``@hookimpl(wrapper=True)``, stands around an action of *every* owner, or around every task: it yields
  once, gets the result (or the exception) at the ``yield``, and returns the result or another one.
"""

from collections.abc import Sequence
from typing import Any

import pluggy

from aimm._types import ByteString, StateCallback
from aimm.errors import PluginFailure

PROJECT = "aimm"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function as the implementation of the hook of the same name."""


@hookspec(firstresult=True)
def instantiate(model_type: str, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Create an instance of a model type.

    Args:
        model_type: Name of the model type.
        state_cb: Callable that takes a state, a JSON-serialisable dict.
        args: Positional arguments of the caller.
        kwargs: Keyword arguments of the caller.

    Returns:
        The new instance.
    """


@hookspec(firstresult=True)
def fit(model_type: str, instance: Any, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Fit an instance.

    Args:
        model_type: Name of the model type.
        instance: The instance to fit.
        state_cb: Callable that takes a state, a JSON-serialisable dict.
        args: Positional arguments of the caller.
        kwargs: Keyword arguments of the caller.

    Returns:
        The fitted instance.
    """


@hookspec(firstresult=True)
def predict(
    model_type: str, instance: Any, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Predict with an instance, which may change by it.

    Args:
        model_type: Name of the model type.
        instance: The instance to predict with.
        state_cb: Callable that takes a state, a JSON-serialisable dict.
        args: Positional arguments of the caller.
        kwargs: Keyword arguments of the caller.

    Returns:
        The prediction.
    """


@hookspec(firstresult=True)
def serialize(model_type: str, instance: Any) -> ByteString:  # type: ignore[empty-body]
    """Turn an instance into bytes.

    Args:
        model_type: Name of the model type.
        instance: The instance.

    Returns:
        Its bytes.
    """


@hookspec(firstresult=True)
def deserialize(model_type: str, instance_bytes: ByteString) -> Any:
    """Turn bytes back into an instance.

    Args:
        model_type: Name of the model type.
        instance_bytes: What ``serialize`` returned.

    Returns:
        The instance.
    """


@hookspec(firstresult=True)
def data_access(name: str, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Fetch data. For wrappers only: owners of data declare its name in the group ``aimm.data_access``.

    Args:
        name: Name of the data access.
        state_cb: Callable that takes a state, a JSON-serialisable dict.
        args: Positional arguments of the caller.
        kwargs: Keyword arguments of the caller.

    Returns:
        The data.
    """


@hookspec(firstresult=True)
def run_task(task: str, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a task. For wrappers only: tasks are declared with the decorator ``register`` of :mod:`aimm.tasks`.

    Args:
        task: Full name of the task, ``plugin.module.function``.
        state_cb: Callable that takes a state, a JSON-serialisable dict.
        args: Positional arguments of the caller.
        kwargs: Keyword arguments of the caller.

    Returns:
        What the task returns.
    """


@hookspec
def model_types() -> Sequence[str]:  # type: ignore[empty-body]
    """The model types that this plugin owns; asked once, when the plugin is loaded.

    Returns:
        Their names.
    """


@hookspec
def resolve_model_type(model_type: str) -> bool:  # type: ignore[empty-body]
    """Whether this plugin owns a model type that nobody declares by name; asked when it is first used.

    Args:
        model_type: A name that somebody wants to use.

    Returns:
        True if the plugin owns it. More than one owner is a conflict, settled by ``prefer:`` in the configuration.
    """


@hookspec
def similar_model_types(model_type: str) -> Sequence[str]:  # type: ignore[empty-body]
    """The model types of this plugin that may be meant by a name that nobody owns; asked for the message about it.

    For plugins with :func:`resolve_model_type`, of whose names nobody else knows.

    Args:
        model_type: A name that this plugin does not own.

    Returns:
        Names, the likeliest first; none if none comes near.
    """


@hookspec
def parameters(model_type: str, action: str) -> Sequence[str] | None:
    """The names of the arguments that an action of one of this plugin's model types takes.

    The command line uses them to hand over data by name.

    Args:
        model_type: One of this plugin's model types.
        action: ``instantiate``, ``fit`` or ``predict``.

    Returns:
        Names in positional order, without the instance and the state callback; None if they cannot be known.
    """


@hookspec
def plugin_loaded(plugin: str, distribution: str | None, version: str | None) -> None:
    """Hear that a plugin was loaded.

    Args:
        plugin: Its name.
        distribution: Distribution that declares it; None for a plugin that the configuration names.
        version: Version of that distribution.
    """


@hookspec
def plugin_failed(failure: PluginFailure) -> None:
    """Hear that a plugin failed.

    Args:
        failure: Which plugin, at what stage, why, and what to do.
    """


@hookspec
def settings_schema() -> dict[str, Any]:  # type: ignore[empty-body]
    """The JSON Schema (2020-12) of this plugin's settings.

    The settings are what the configuration holds under ``settings: {<plugin name>: ...}``; they are checked before
    :func:`configure` is called.

    Returns:
        The schema; its root describes an object.
    """


@hookspec
def configure(settings: dict[str, Any]) -> None:
    """Take the settings; called when the plugin is loaded, before anything else is asked of it, and when they change.

    Args:
        settings: Checked settings; empty if the configuration has none for this plugin.
    """

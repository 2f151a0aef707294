"""The steps of a graph on an executor: found there by name, with model instances that travel as their plugin wants."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from aimm.errors import TaskNotFoundError
from aimm.executors import Carried, Executor, ManagerCall, get_executor
from aimm.plugins import PluginManager, StateCallback
from aimm.tasks import call_task, find_task
from aimm.tasks.graph._checkpoint import model_type_of
from aimm.tasks.graph._plan import Call


class Submits(Protocol):
    """Whatever runs a function elsewhere: a ``concurrent.futures.Executor``, or what looks like one."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run a function; the future has its result."""


class Elsewhere:
    """Hands steps to an executor.

    Args:
        executor: The executor, or the name of one; one of :mod:`aimm.executors` also gets deadline and state callback.
        manager: Whose tasks they are.
        timeout: Deadline for each step in seconds, or None.
    """

    def __init__(self, executor: Submits | str, manager: PluginManager, timeout: float | None) -> None:
        self._executor = get_executor(executor) if isinstance(executor, str) else executor
        self._manager, self._timeout = manager, timeout
        self._instances: dict[int, tuple[Any, str]] = {}

    def submit(
        self, call: Call, args: Sequence[Any], kwargs: Mapping[str, Any], state_cb: StateCallback | None
    ) -> "Future[Any]":
        """Run a step."""
        record = call.record
        function = ManagerCall(run_here, self._manager, "task", record.name, record.source.describe())
        given = (
            record.function.__module__,
            [self._packed(value) for value in args],
            {name: self._packed(kwargs[name]) for name in kwargs},
        )
        if isinstance(self._executor, Executor):
            return self._executor.submit(function, record.name, *given, timeout=self._timeout, state_cb=state_cb)
        return self._executor.submit(function, record.name, *given)

    def opened(self, call: Call, args: tuple[tuple[Any, ...], dict[str, Any]], value: Any) -> Any:
        """What a step gave; a model instance is remembered, for those that take it."""
        value = _opened(value)
        model_type = model_type_of(call.record.name, *args)
        if model_type is not None:
            self._instances[id(value)] = value, model_type
        return value

    def _packed(self, value: Any) -> Any:
        known = self._instances.get(id(value))
        return value if known is None else Carried(self._manager, known[1], value)


def run_here(
    manager: PluginManager,
    name: str,
    module: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    state_cb: StateCallback | None = None,
) -> Any:
    """Run a task in the process that it was sent to.

    Args:
        manager: Whose task.
        name: Its full name.
        module: The module that declares it, for one that was declared by a plain import.
        args: Positional arguments.
        kwargs: Keyword arguments.
        state_cb: Receives its states.

    Returns:
        What the task returns; a model instance as what can be pickled.
    """
    try:
        record = find_task(name, manager=manager)
    except TaskNotFoundError:  # registered by a plain import over there
        importlib.import_module(module)
        record = find_task(name, manager=manager)
    opened = tuple(map(_opened, args)), {key: _opened(kwargs[key]) for key in kwargs}
    value = call_task(record, *opened, state_cb, manager=manager)
    model_type = model_type_of(name, *opened)
    return value if model_type is None else Carried(manager, model_type, value)


def _opened(value: Any) -> Any:
    return value.instance if isinstance(value, Carried) else value

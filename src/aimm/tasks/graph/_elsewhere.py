"""Running tasks where an executor runs them: in threads, in other processes, on other machines."""

import importlib
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, NamedTuple, Protocol
from weakref import WeakValueDictionary

from aimm.errors import PluginLoadError, TaskNotFoundError
from aimm.plugins import PluginManager, PluginsConfig, StateCallback, default_manager
from aimm.tasks._records import TaskRecord


class Submits(Protocol):
    """Whatever runs a function elsewhere: a ``concurrent.futures.Executor``, or what looks like one."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run a function; the future has its result."""


class Home(NamedTuple):
    """Whose tasks are run, as plain data.

    Attributes:
        token: The same for the same manager in the same run.
        is_default: Whether it is the default manager, in which plain imports declare.
        config: Its configuration.
        module: The module of the task, for one that a plain import declares.
    """

    token: str
    is_default: bool
    config: PluginsConfig
    module: str


_here: "WeakValueDictionary[str, PluginManager]" = WeakValueDictionary()
_made: dict[str, PluginManager] = {}


class Elsewhere:
    """Hands tasks to an executor.

    Args:
        executor: The executor, or the name of one of :mod:`aimm.executors`.
        manager: Whose tasks they are.
    """

    def __init__(self, executor: Submits | str, manager: PluginManager) -> None:
        self._tells_states = isinstance(executor, str)
        if isinstance(executor, str):
            from aimm.executors import get_executor

            executor = get_executor(executor)
        else:
            from aimm.executors import Executor

            self._tells_states = isinstance(executor, Executor)
        config, token = manager.config, uuid.uuid4().hex
        settings = {name: dict(values) for name, values in config.settings.items()}
        self._executor = executor
        self._home = Home(
            token, manager is default_manager, config._replace(prefer=dict(config.prefer), settings=settings), ""
        )
        _here[token] = manager  # for executors that stay in this process

    def submit(
        self, record: TaskRecord, args: tuple[Any, ...], kwargs: dict[str, Any], state_cb: StateCallback
    ) -> "Future[Any]":
        """Run a task; the future has what it returns."""
        home = self._home._replace(module=record.function.__module__)
        states: dict[str, Any] = {"state_cb": state_cb} if self._tells_states else {}
        return self._executor.submit(run_task_of, home, record.name, args, kwargs, **states)


def run_task_of(
    home: Home, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], state_cb: StateCallback | None = None
) -> Any:
    """Run a task where its record is not at hand: what an executor is given."""
    from aimm.tasks import call_task, find_task

    manager = _here.get(home.token) or _made.get(home.token)
    if manager is None:
        manager = _made[home.token] = default_manager if home.is_default else PluginManager()
        with suppress(PluginLoadError):  # what fails here failed in the host too; whether it matters the call will tell
            manager.initialize(home.config)
    try:
        record = find_task(name, manager=manager)
    except TaskNotFoundError:
        importlib.import_module(home.module)
        record = find_task(name, manager=manager)
    return call_task(record, args, kwargs, state_cb, manager=manager)

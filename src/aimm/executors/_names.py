"""From a name to an executor: the built-in ones, and those that packages declare in the group ``aimm.executors``."""

import importlib
import threading
from collections.abc import Callable
from typing import Any

from aimm import plugins
from aimm._types import StateCallback
from aimm.errors import ExecutorNotFoundError, ExecutorOptionError
from aimm.executors._call import UNSET
from aimm.executors._executor import Executor
from aimm.executors._job import Job

GROUP = "aimm.executors"
BUILT_IN = {
    "inline": ("aimm.executors._inline", "InlineExecutor"),
    "process": ("aimm.executors._process", "ProcessExecutor"),
    "dask": ("aimm.executors._dask", "DaskExecutor"),
}
_shared: dict[str, Executor] = {}
_lock = threading.Lock()


def submit(
    executor: Executor | str,
    function: Callable[..., Any],
    /,
    *args: Any,
    timeout: float | None = None,
    state_cb: StateCallback | None = UNSET,
    **kwargs: Any,
) -> Job:
    """Run a call on an executor.

    Args:
        executor: An executor, or the name of one, which then is made once and shared; see :func:`get_executor`.
        function: An ``exec_*`` function, or any function that can be imported.
        *args: Its arguments; see :meth:`Executor.submit`.
        timeout: Deadline in seconds, from when the call begins to run.
        state_cb: Receives the states.
        **kwargs: Keyword arguments of the function.

    Returns:
        The job.

    Raises:
        ExecutorNotFoundError: No executor has this name.
        MissingExtraError: What it needs is not installed.
        PluginUnavailableError: The package that declares it is broken.
        StateCallbackError: ``state_cb`` cannot be called.
        ExecutorOptionError: ``timeout`` is no positive number.
        ExecutorClosedError: The executor is shut down.
    """
    chosen = get_executor(executor) if isinstance(executor, str) else executor
    return chosen.submit(function, *args, timeout=timeout, state_cb=state_cb, **kwargs)


def get_executor(name: str) -> Executor:
    """The shared executor of a name, made at the first call with default options; it ends with the process.

    Args:
        name: ``inline``, ``process``, ``dask:ADDRESS``, or the name of a third party's executor, with what it takes
            behind a colon.

    Raises:
        ExecutorNotFoundError: No executor has this name.
        MissingExtraError: What it needs is not installed.
        PluginUnavailableError: The package that declares it is broken.
    """
    found = _shared.get(name)
    if found is None or found.is_closed:
        _factory(name)  # before the lock is taken: a plugin that is being loaded may ask for an executor
        with _lock:
            found = _shared.get(name)
            if found is None or found.is_closed:
                found = _shared[name] = make_executor(name)
    return found


def make_executor(name: str, **options: Any) -> Executor:
    """Make an executor.

    Args:
        name: As for :func:`get_executor`.
        **options: What the executor takes, such as ``memory``.

    Raises:
        ExecutorNotFoundError: No executor has this name.
        ExecutorOptionError: It does not take these options.
        MissingExtraError: What it needs is not installed.
        PluginUnavailableError: The package that declares it is broken.
    """
    kind, _, address = name.partition(":")
    factory = _factory(name)
    try:
        made = factory(address, **options) if address else factory(**options)
    except TypeError as error:
        raise ExecutorOptionError(kind, str(error)) from error
    if not isinstance(made, Executor):
        raise ExecutorOptionError(kind, f"its factory made {type(made).__name__}, not an aimm.executors.Executor")
    return made


def executor_names(manager: plugins.PluginManager = plugins.default_manager) -> list[str]:
    """The names of all executors, built-in ones first; nothing is imported.

    Args:
        manager: Whose configuration says which packages count.
    """
    declared = {candidate.name for candidate in manager.discover().in_group(GROUP)}
    return [*BUILT_IN, *sorted(declared - BUILT_IN.keys())]


def _factory(name: str) -> Callable[..., Any]:
    kind = name.partition(":")[0]
    if kind in BUILT_IN:
        module, attribute = BUILT_IN[kind]
        found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
        return found
    for candidate in plugins.discover().in_group(GROUP):
        if candidate.name == kind:
            factory: Callable[..., Any] = plugins.default_manager.require(candidate, "executor", kind)[0]
            return factory
    raise ExecutorNotFoundError(name, executor_names())

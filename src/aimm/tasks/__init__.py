"""Tasks: functions that plugins register, called by name, with typed inputs and outputs; and artifacts.

Plugin authors use :func:`register` and :class:`ArtifactTaskInterface`. Callers use :func:`call`, or a graph.
"""

from typing import Any

from aimm._types import ignore_state
from aimm.errors import StateCallbackError, TaskNotFoundError
from aimm.plugins import PluginManager, StateCallback
from aimm.tasks._artifacts import load_artifact, save_artifact
from aimm.tasks._catalog import catalog_of
from aimm.tasks._folder import ArtifactInfo, read_artifacts
from aimm.tasks._interface import ArtifactTaskInterface
from aimm.tasks._outputs import split_outputs
from aimm.tasks._records import HandlerRecord, Output, Parameter, TaskRecord
from aimm.tasks._register import ARTIFACT, TASK, register
from aimm.tasks._watch import unchanged

__all__ = [
    "ArtifactInfo",
    "ArtifactTaskInterface",
    "HandlerRecord",
    "Output",
    "Parameter",
    "TaskRecord",
    "call",
    "call_task",
    "exists",
    "find_handler",
    "find_task",
    "funcs",
    "get",
    "handlers",
    "info",
    "load_artifact",
    "names",
    "read_artifacts",
    "register",
    "save_artifact",
    "split_outputs",
    "tasks",
    "unchanged",
]


def find_task(name: str, *, manager: PluginManager | None = None) -> TaskRecord:
    """Find a task; its plugin is loaded if need be.

    Args:
        name: ``plugin.module.function``, or an end of it that fits one task only (``module.function``, ``function``).
        manager: Whose plugins are searched; the default one if not given.

    Raises:
        TaskNotFoundError: There is none of this name.
        TaskConflictError: The end of a name fits several tasks.
        PluginUnavailableError: Its plugin is broken; the original exception is the cause.
    """
    return catalog_of(manager).task(name)


def find_handler(name: str, *, manager: PluginManager | None = None) -> HandlerRecord:
    """Find an artifact handler; its plugin is loaded if need be.

    Args:
        name: Name of the class, or ``plugin.module.Class``. A handler of a plugin goes before a built-in one.
        manager: Whose plugins are searched; the default one if not given.

    Raises:
        TaskNotFoundError: There is none of this name.
        TaskConflictError: The name of a class fits several handlers.
        PluginUnavailableError: Its plugin is broken; the original exception is the cause.
        DeclarationError: Its ``validation()`` is no mapping of arguments to schemas.
    """
    return catalog_of(manager).handler(name)


def call_task(
    record: TaskRecord,
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    state_cb: StateCallback | None = None,
    *,
    manager: PluginManager | None = None,
) -> Any:
    """Run a task, through the ``run_task`` wrappers if there are any.

    Args:
        record: The task.
        args: Positional arguments.
        kwargs: Keyword arguments.
        state_cb: Receives the states that the task reports.
        manager: Whose plugins these are; the default one if not given.

    Returns:
        What the task returns; of an ``async def`` one, its result.

    Raises:
        StateCallbackError: ``state_cb`` cannot be called.
        AsyncCallError: An ``async def`` task, while an event loop runs in this thread.
        PluginExitError: The task called ``sys.exit``.
    """
    if state_cb is not None and not callable(state_cb):
        raise StateCallbackError(TASK, record.name, type(state_cb).__name__)
    entry = catalog_of(manager).manager.entry(TASK, record.name)
    return entry.invoke(None, state_cb or ignore_state, args, {} if kwargs is None else kwargs)


def call(plugin_module_function: str, /, *args: Any, **kwargs: Any) -> Any:
    """Run a task of the default manager by name.

    Args:
        plugin_module_function: As for :func:`find_task`. It is positional-only, so that a task may take any keyword.
        *args: Positional arguments.
        **kwargs: Keyword arguments.

    Raises:
        TaskNotFoundError: There is none of this name.
        TaskConflictError: The end of a name fits several tasks.
        PluginUnavailableError: Its plugin is broken.
    """
    catalog = catalog_of()
    entry = catalog.manager.entry(TASK, catalog.full_name(plugin_module_function))
    return entry.invoke(None, ignore_state, args, kwargs)


def get(*name: str) -> Any:
    """The function behind a task.

    Args:
        *name: Its name as one string, or its parts; the name of a module means the first task in it.

    Raises:
        TaskNotFoundError: There is none of this name.
    """
    return info(*name).function


def info(*name: str) -> TaskRecord:
    """Everything that is known about a task.

    Args:
        *name: Its name as one string, or its parts; the name of a module means the first task in it.

    Raises:
        TaskNotFoundError: There is none of this name.
    """
    full = ".".join(name)
    catalog = catalog_of()
    found = catalog.in_module(full)
    return catalog.task(found[0].name if found else full)


def exists(*name: str) -> bool:
    """Whether there is such a task, or a module with tasks; a plugin that is broken raises its error.

    Args:
        *name: The name as one string, or its parts.

    Raises:
        PluginUnavailableError: The plugin that would have it is broken.
    """
    try:
        info(*name)
    except TaskNotFoundError:
        return False
    return True


def funcs(*module: str) -> list[str]:
    """The names of the functions that a module registers, in the order of registration.

    Args:
        *module: Name of the module as one string, or its parts.

    Raises:
        TaskNotFoundError: The module registers none.
    """
    catalog = catalog_of()
    full = ".".join(module)
    found = catalog.in_module(full) or catalog.refuse_module(full)
    return [record.name.rpartition(".")[2] for record in found]


def names(package: str = "") -> list[str]:
    """The modules with tasks, sorted by the sort value of their first task, then as registered.

    Every plugin with tasks is loaded; one that is broken is left out, and ``aimm plugins doctor`` says why.

    Args:
        package: Only those of this plugin, without its name; all of them, with their full names, if not given.
    """
    return catalog_of().modules(package)


def tasks(*, manager: PluginManager | None = None) -> list[str]:
    """The full names of all tasks; every plugin with tasks is loaded.

    Args:
        manager: Whose plugins; the default one if not given.
    """
    catalog = catalog_of(manager)
    catalog.load_all()
    return catalog.names(TASK)


def handlers(*, manager: PluginManager | None = None) -> list[str]:
    """The full names of all artifact handlers; every plugin with tasks is loaded.

    Args:
        manager: Whose plugins; the default one if not given.
    """
    catalog = catalog_of(manager)
    catalog.load_all()
    return catalog.names(ARTIFACT)

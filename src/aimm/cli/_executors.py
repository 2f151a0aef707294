"""``--executor``, ``--timeout`` and ``--memory``: where the commands run plugins."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from aimm import plugins
from aimm.plugins import StateCallback

F = TypeVar("F", bound=Callable[..., Any])
Run = Callable[..., Any]


def executor_options(command: F) -> F:
    """Add the options to a command, which gets them as ``executor``, ``timeout`` and ``memory``."""
    for option in (
        click.option("--memory", metavar="SIZE", help="Most memory that a worker may allocate, such as 2GB."),
        click.option(
            "--timeout",
            type=click.FloatRange(0, min_open=True),
            metavar="SECONDS",
            help="Deadline for each call of a plugin.",
        ),
        click.option(
            "--executor", metavar="NAME", help="Where plugins run: inline, process, dask:ADDRESS or that of a package."
        ),
    ):
        command = option(command)
    return command


@contextmanager
def running(
    manager: plugins.PluginManager, executor: str | None, timeout: float | None, memory: str | None
) -> Iterator[Run]:
    """Get ``run(action, model_type, instance, state_cb, args, kwargs)``, which runs an action where the options say.

    Args:
        manager: Whose plugins.
        executor: The ``--executor`` value; with ``--timeout`` or ``--memory`` alone it is ``process``.
        timeout: The ``--timeout`` value.
        memory: The ``--memory`` value.
    """
    with executor_for(executor, timeout, memory) as made:

        def run(
            action: str,
            name: str,
            instance: Any,
            state_cb: StateCallback,
            args: Sequence[Any],
            kwargs: Mapping[str, Any],
        ) -> Any:
            first = () if action == "instantiate" else (instance,)
            if made is None:
                # By the route, whose own parameters have no names that a plugin's could clash with.
                return getattr(manager.route(name), action)(*first, state_cb, *args, **kwargs)
            function = getattr(manager, f"exec_{action}")
            return made.submit(function, name, *first, *args, timeout=timeout, state_cb=state_cb, **kwargs).result()

        yield run


@contextmanager
def executor_for(executor: str | None, timeout: float | None, memory: str | None) -> Iterator[Any]:
    """Make the executor that the options ask for, and end it; None without any of them.

    Args:
        executor: The ``--executor`` value; with ``--timeout`` or ``--memory`` alone it is ``process``.
        timeout: The ``--timeout`` value.
        memory: The ``--memory`` value.
    """
    if executor is None and timeout is None and memory is None:
        yield None
        return
    from aimm.executors import make_executor

    made = make_executor(executor or "process", **({} if memory is None else {"memory": memory}))
    try:
        yield made
    except BaseException:
        made.shutdown(wait=False, cancel_futures=True)
        raise
    made.shutdown()

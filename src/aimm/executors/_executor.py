"""What an executor is."""

import concurrent.futures
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from aimm._types import StateCallback
from aimm.errors import ExecutorOptionError
from aimm.executors._call import UNSET, Call
from aimm.executors._job import Job


class Executor(concurrent.futures.Executor):
    """Runs calls somewhere. A ``with`` block shuts it down at its end: after the last job, or at once after an error.

    A new kind of executor implements :meth:`start` and :meth:`shutdown`.

    Attributes:
        name: What messages call it.
        is_closed: Whether it takes no more jobs; :func:`~aimm.executors.get_executor` then makes a new one.
    """

    name = "executor"
    is_closed = False

    def submit(  # type: ignore[override]
        self,
        function: Callable[..., Any],
        /,
        *args: Any,
        timeout: float | None = None,
        state_cb: StateCallback | None = UNSET,
        **kwargs: Any,
    ) -> Job:
        """Run a call.

        Args:
            function: An ``exec_*`` function, of :mod:`aimm.plugins` or of a manager; or any function that can be
                imported.
            *args: Its arguments, as in a direct call. The state callback may stand in its place; where it is given by
                keyword, its place is left out: ``submit(exec_fit, "m", instance, X, y, state_cb=print)``.
            timeout: Deadline in seconds, from when the call begins to run.
            state_cb: Receives the states, in order, on a thread of its own. A plain function gets it as the
                keyword argument ``state_cb``.
            **kwargs: Keyword arguments of the function.

        Returns:
            The job. Whatever goes wrong with the call is its exception.

        Raises:
            StateCallbackError: ``state_cb`` cannot be called.
            ExecutorOptionError: ``timeout`` is no positive number.
            ExecutorClosedError: The executor is shut down.
        """
        if timeout is not None and not timeout > 0:
            raise ExecutorOptionError(self.name, f"timeout={timeout!r}: expected a number of seconds above 0, or None")
        call = Call(function, args, kwargs, state_cb)
        job = Job(call.action, call.name, call.state_cb, timeout)
        self.start(call, job)
        return job

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        # Whoever presses Ctrl-C because a plugin hangs must not wait for that plugin.
        self.shutdown(cancel_futures=kind is not None)

    @abstractmethod
    def start(self, call: Call, job: Job) -> None:
        """Begin to run a call, or put it into the queue, and return at once.

        An implementation calls ``job.set_running_or_notify_cancel()`` when it runs, ``job.report()`` for each state,
        ``job.settle()`` at its end, and has itself told by ``job.on_stop()`` when it is to stop.

        Args:
            call: The call; ``call.packed()`` is its form for other processes.
            job: What to report to.

        Raises:
            ExecutorClosedError: The executor is shut down.
        """

    @abstractmethod
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more jobs, and let go of all processes, threads and files.

        Args:
            wait: Whether to return only when the jobs are done.
            cancel_futures: Whether to stop those that are not, running ones too.
        """

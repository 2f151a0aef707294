"""Errors of :mod:`aimm.executors`."""

import signal
from collections.abc import Sequence
from concurrent.futures import CancelledError

from aimm.errors import AimmError


def _call(action: str, name: str, owner: str) -> str:
    what = f"{action} of {name!r}" if action else f"the call of {name}"
    return f"{what} by {owner}" if owner else what


class ExecutorError(AimmError):
    """Base of what goes wrong with a job beside the plugin's own exceptions.

    Attributes:
        action: The action that ran, such as ``fit``; empty for a plain function.
        name: The model type or data access name, or the name of the function.
        owner: Whose it is: plugin, distribution and version; empty if unknown.
    """

    def __init__(self, action: str, name: str, owner: str = "") -> None:
        super().__init__(action, name, owner)
        self.action, self.name, self.owner = action, name, owner

    def __str__(self) -> str:
        return f"{_call(self.action, self.name, self.owner)} did not end well"

    def named(self, owner: str) -> "ExecutorError":
        """Say whose it is, where that was not known when the error was made."""
        self.owner = owner
        self.args = (*self.args[:2], owner, *self.args[3:])
        return self


class WorkerCrashed(ExecutorError, RuntimeError):
    """The worker process died while it ran the plugin, or before it could.

    Attributes:
        exitcode: Its exit code; negative for the signal that ended it; None if unknown.
        attempts: How often the call was tried.
    """

    def __init__(self, action: str, name: str, owner: str = "", exitcode: int | None = None, attempts: int = 1) -> None:
        super().__init__(action, name, owner)
        self.exitcode, self.attempts = exitcode, attempts
        self.args = (action, name, owner, exitcode, attempts)

    @property
    def signal(self) -> str:
        """Name of the signal that ended the worker, such as ``SIGSEGV``; empty if it was none."""
        if self.exitcode is None or self.exitcode >= 0:
            return ""
        try:
            return signal.Signals(-self.exitcode).name
        except ValueError:
            return f"signal {-self.exitcode}"

    def __str__(self) -> str:
        died = f"by {self.signal}" if self.signal else f"with exit code {self.exitcode}"
        died = "for an unknown reason" if self.exitcode is None else died
        tries = f" (tried {self.attempts} times)" if self.attempts > 1 else ""
        return (
            f"{_call(self.action, self.name, self.owner)}: the worker process ended {died}{tries}; the worker is "
            f"replaced, other jobs are not affected. {self._hint}"
        )

    @property
    def _hint(self) -> str:
        if self.signal == "SIGKILL":
            return "Most likely the system ran out of memory: use less data at a time, or fewer workers"
        if self.exitcode == 1:
            return "If it died before it ran anything, the main program may lack 'if __name__ == \"__main__\":'"
        return "To look into it, run the same call with the executor 'inline'"


class MemoryLimitExceeded(MemoryError, ExecutorError):  # this way round it has MemoryError's own __new__
    """The plugin asked for more memory than its worker may have.

    Attributes:
        limit: The limit in bytes.
    """

    def __init__(self, action: str, name: str, owner: str = "", limit: int = 0) -> None:
        ExecutorError.__init__(self, action, name, owner)
        self.limit = limit
        self.args = (action, name, owner, limit)

    def __str__(self) -> str:
        return (
            f"{_call(self.action, self.name, self.owner)} needs more memory than its worker may have "
            f"({self.limit / 2**20:,.0f} MiB): raise the limit, or use less data at a time"
        )


class DeadlineExceeded(ExecutorError, TimeoutError):
    """The plugin took longer than its deadline, and was stopped.

    Attributes:
        timeout: The deadline in seconds, counted from when the call began to run.
    """

    def __init__(self, action: str, name: str, owner: str = "", timeout: float = 0) -> None:
        super().__init__(action, name, owner)
        self.timeout = timeout
        self.args = (action, name, owner, timeout)

    def __str__(self) -> str:
        return f"{_call(self.action, self.name, self.owner)} took longer than {self.timeout:g} s and was stopped"


class Cancelled(ExecutorError, CancelledError):
    """The job was cancelled."""

    def __str__(self) -> str:
        return f"{_call(self.action, self.name, self.owner)} was cancelled"


class NotTransferableError(ExecutorError, TypeError):
    """Something cannot be carried between the processes.

    Attributes:
        part: What it is: ``arguments``, ``result`` or ``exception``.
        reason: Why, as ``Type: message``; for an exception, the exception itself.
        traceback: The plugin's traceback as text, for an exception; else empty.
    """

    def __init__(
        self, action: str, name: str, owner: str = "", part: str = "", reason: str = "", traceback: str = ""
    ) -> None:
        super().__init__(action, name, owner)
        self.part, self.reason, self.traceback = part, reason, traceback
        self.args = (action, name, owner, part, reason, traceback)

    def __str__(self) -> str:
        call = _call(self.action, self.name, self.owner)
        if self.part == "exception":
            return f"{call} raised an exception that cannot be pickled, which was {self.reason}"
        return (
            f"{call}: its {self.part} cannot be pickled ({self.reason}); use data that can, "
            "or run it with the executor 'inline'"
        )


class StateRefusedError(ExecutorError, TypeError, ValueError):
    """A plugin reported a state that is no JSON object.

    Attributes:
        reason: What is wrong with it, and where.
    """

    def __init__(self, action: str, name: str, owner: str = "", reason: str = "") -> None:
        super().__init__(action, name, owner)
        self.reason = reason
        self.args = (action, name, owner, reason)

    def __str__(self) -> str:
        return (
            f"{_call(self.action, self.name, self.owner)} reported a state that is refused: {self.reason}; "
            "a state is a dict that json.dumps accepts"
        )


class ExecutorNotFoundError(AimmError, LookupError, ValueError):
    """There is no executor of this name.

    Attributes:
        name: The name that was asked for.
        known: The names that exist.
    """

    def __init__(self, name: str, known: Sequence[str] = ()) -> None:
        super().__init__(name, tuple(known))
        self.name, self.known = name, tuple(known)

    def __str__(self) -> str:
        from difflib import get_close_matches

        near = get_close_matches(self.name.partition(":")[0], self.known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        known = f"(known: {', '.join(map(repr, self.known))})"
        return f"no executor is called {self.name!r} {known}; packages add more in the group 'aimm.executors'{hint}"


class ExecutorOptionError(AimmError, TypeError, ValueError):
    """An executor cannot be made, or be used, like this.

    Attributes:
        executor: Name of the executor.
        reason: What is wrong, and what was expected.
    """

    def __init__(self, executor: str, reason: str) -> None:
        super().__init__(executor, reason)
        self.executor, self.reason = executor, reason

    def __str__(self) -> str:
        return f"executor {self.executor!r}: {self.reason}"


class ExecutorClosedError(AimmError, RuntimeError):
    """The executor was shut down, or its cluster is gone, and takes no more jobs.

    Attributes:
        executor: Name of the executor.
    """

    def __init__(self, executor: str) -> None:
        super().__init__(executor)
        self.executor = executor

    def __str__(self) -> str:
        return f"executor {self.executor!r} is shut down and takes no more jobs: make a new one"


class PartitionError(AimmError, ValueError):
    """A partitioned data set cannot be read, or an output folder not continued.

    Attributes:
        place: The folder or file.
        reason: What is wrong, and what to do.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"

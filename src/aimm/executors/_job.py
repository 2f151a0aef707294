"""The job: a future that also tells how far it is."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any

from aimm._types import StateCallback
from aimm.errors import Cancelled

KEPT_STATES = 10_000
"""How many of the newest states a job keeps for those who begin to iterate late."""
_log = logging.getLogger("aimm.executors")
_lock = threading.Lock()
"""Guards what is only ever held for a few instructions, in all jobs."""


class Job(Future[Any]):
    """A call that runs somewhere: a :class:`concurrent.futures.Future` that reports progress and can be stopped.

    It can be awaited, and works with ``concurrent.futures.wait`` and ``as_completed``.

    Args:
        action: The action that runs, such as ``fit``; empty for a plain function.
        name: The model type or data access name, or the name of the function.
        state_cb: Receives each state, in order, on a thread of the job's own.
        timeout: Deadline in seconds, from when the call begins to run.

    Attributes:
        action: As given.
        name: As given.
        timeout: As given.
    """

    def __init__(
        self, action: str, name: str, state_cb: StateCallback | None = None, timeout: float | None = None
    ) -> None:
        super().__init__()
        self.action, self.name, self.timeout = action, name, timeout
        self._stop: Callable[[Job], None] | None = None
        self._state_cb = state_cb
        self._states: deque[Any] = deque(maxlen=KEPT_STATES)
        self._reported = 0
        self._news: threading.Condition | None = None
        self._teller: threading.Thread | None = None
        self._asked: BaseException | None = None

    def __repr__(self) -> str:
        what = f"{self.action} of {self.name!r}" if self.action else self.name
        return f"<job {what}: {self._state.lower()}>"

    def __await__(self) -> Generator[Any, None, Any]:
        import asyncio

        return asyncio.wrap_future(self).__await__()

    @property
    def state(self) -> Any:
        """The newest state that the plugin reported; None before the first one."""
        try:
            return self._states[-1]
        except IndexError:
            return None

    def states(self, timeout: float | None = None) -> Iterator[Any]:
        """Iterate over the states, from the first one to the end of the job; each one waits for the next.

        Args:
            timeout: Seconds to wait for each state.

        Raises:
            TimeoutError: No state came in time, and the job goes on.
        """
        seen, news = 0, self._condition_of_news()
        while True:
            with news:
                if not news.wait_for(lambda: self._reported > seen or self.done(), timeout):  # noqa: B023
                    raise TimeoutError(f"no state of {self!r} within {timeout} s")
                seen = max(seen, self._reported - len(self._states))
                fresh = list(self._states)[seen - self._reported :] if self._reported > seen else []
                seen = self._reported
            if not fresh:
                return
            yield from fresh

    def cancel(self) -> bool:
        """Stop the job: take it out of the queue, or ask the plugin, and kill its worker if it does not listen.

        Returns:
            False if the job is done already, else True; it is done with :class:`~aimm.errors.Cancelled` soon.
        """
        if self.done():
            return False
        self.ask_to_stop(Cancelled(self.action, self.name))
        return True

    def cancelled(self) -> bool:
        """Whether the job ended because it was cancelled."""
        return self.done() and isinstance(super().exception(), Cancelled)

    # What follows is for executors.

    def ask_to_stop(self, reason: BaseException) -> None:
        """Stop the job for a reason, which becomes its exception; the first reason counts."""
        with _lock:
            if self._asked is not None:
                return
            self._asked = reason
        if self._stop is not None:
            self._stop(self)
        elif not self.running():
            self.settle(error=reason)

    @property
    def asked(self) -> BaseException | None:
        """Why the job is to stop; None if it is not."""
        return self._asked

    def on_stop(self, stop: Callable[["Job"], None]) -> None:
        """Have a function called when the job is to stop; at once if that was asked before."""
        with _lock:
            self._stop = stop
            asked = self._asked
        if asked is not None:
            stop(self)

    def begin(self) -> None:
        """Say that the call runs now, if that was not said before a further attempt."""
        if self.running() or self.done():
            return
        with suppress(InvalidStateError, RuntimeError):  # it has ended just now
            self.set_running_or_notify_cancel()

    def report(self, state: Any) -> None:
        """Hand on a state as it came through JSON; never waits for the callback."""
        news = self._condition_of_news()
        with news:
            if self.done():
                return
            self._states.append(state)
            self._reported += 1
            news.notify_all()
            if self._state_cb is not None and self._teller is None:
                self._teller = threading.Thread(target=self._tell, name=f"states of {self.name}", daemon=True)
                self._teller.start()

    def settle(self, result: Any = None, error: BaseException | None = None) -> bool:
        """End the job with a result or an error; only the first end counts.

        Returns:
            Whether this was it.
        """
        try:
            if error is None:
                self.set_result(result)
            else:
                self.set_exception(error)
        except InvalidStateError:
            return False
        finally:
            self._stop = None
        with _lock:
            news = self._news
        if news is not None:
            with news:
                news.notify_all()
        return True

    def _condition_of_news(self) -> threading.Condition:
        # Made when somebody is interested, which most calls never are: it costs as much as the rest of a job.
        with _lock:
            if self._news is None:
                self._news = threading.Condition()
            return self._news

    def _tell(self) -> None:
        complained = False
        for state in self.states():
            try:
                self._state_cb(state)  # type: ignore[misc]
            except Exception:  # noqa: BLE001 - the caller's own trouble, which must not become the job's
                if not complained:
                    _log.exception("the state callback of %r raised; the job goes on", self)
                complained = True

"""The executor ``inline``: this process, a thread for each of the jobs that run at once."""

import json
import threading
from collections import deque
from typing import Any
from weakref import WeakKeyDictionary

from aimm.errors import DeadlineExceeded, ExecutorClosedError, PluginExitError
from aimm.executors._call import Call, Kept
from aimm.executors._executor import Executor
from aimm.executors._job import Job
from aimm.executors._perform import perform, perform_plain, reporter


class InlineExecutor(Executor):
    """Runs plugins in this process: nothing is copied, and nothing is isolated.

    A plugin that is to stop sees ``KeyboardInterrupt`` at its next report of a state. One that never reports goes on
    after its job has ended, for a thread cannot be killed; and a crash takes the process with it.

    Args:
        workers: How many jobs run at once.
    """

    name = "inline"

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        self._queue: deque[tuple[Call, Job]] = deque()
        self._running: set[Job] = set()
        self._changed = threading.Condition()
        self.is_closed = False
        self._instances: WeakKeyDictionary[Kept, Any] = WeakKeyDictionary()

    def start(self, call: Call, job: Job) -> None:
        """See :meth:`Executor.start`."""
        with self._changed:
            if self.is_closed:
                raise ExecutorClosedError(self.name)
            self._queue.append((call, job))
        job.on_stop(self._stop)
        self._next()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See :meth:`Executor.shutdown`."""
        with self._changed:
            self.is_closed = True
            jobs = [job for _, job in self._queue] + list(self._running)
        if cancel_futures:
            for job in jobs:
                job.cancel()
        with self._changed:
            self._changed.wait_for(lambda: not wait or not (self._queue or self._running))

    def _next(self) -> None:
        with self._changed:
            while self._queue and len(self._running) < self.workers:
                call, job = self._queue.popleft()
                self._running.add(job)
                # Not of a ThreadPoolExecutor: its threads would keep a process alive that a plugin hangs in.
                threading.Thread(target=self._run, args=(call, job), name=f"aimm {job.name}", daemon=True).start()

    def _stop(self, job: Job) -> None:
        with self._changed:
            self._queue = deque(entry for entry in self._queue if entry[1] is not job)
        self._end(job, error=job.asked)

    def _end(self, job: Job, result: Any = None, error: BaseException | None = None) -> None:
        job.settle(result, job.asked or error)
        with self._changed:
            self._running.discard(job)
            self._changed.notify_all()
        self._next()

    def _run(self, call: Call, job: Job) -> None:
        job.begin()
        timer = None
        if job.timeout is not None:
            late = DeadlineExceeded(job.action, job.name, call.describe_owner(), job.timeout)
            timer = threading.Timer(job.timeout, job.ask_to_stop, (late,))
            timer.daemon = True
            timer.start()
        try:
            self._end(job, self._outcome(call, job))
        except KeyboardInterrupt as error:
            owner = call.describe_owner() or call.name
            self._end(job, error=PluginExitError(job.action or "call", job.name, owner, repr(error)))
        except BaseException as error:  # noqa: BLE001 - whatever a plugin raises belongs to the job
            self._end(job, error=error)
        finally:
            if timer is not None:
                timer.cancel()

    def _outcome(self, call: Call, job: Job) -> Any:
        send = reporter(call.manager, call.action, call.name, lambda text: job.report(json.loads(text)))

        def state_cb(state: Any) -> None:
            if job.asked is not None:
                raise KeyboardInterrupt
            send(state)

        wanted = state_cb if call.state_cb is not None else None
        if call.manager is None:
            given = {} if wanted is None else {"state_cb": wanted}
            return perform_plain(call.function, call.args, {**call.kwargs, **given})
        kept = call.instance if isinstance(call.instance, Kept) else None
        instance = call.instance if kept is None else self._kept(call, kept)
        result = perform(call.manager, call.action, call.name, instance, wanted, call.args, call.kwargs)
        return (kept, result[1]) if kept is not None and call.action == "predict" else result

    def _kept(self, call: Call, kept: Kept) -> Any:
        assert call.manager is not None
        if call.action == "fit":  # which would change what others predict with
            return call.manager.exec_deserialize(call.name, kept.content)
        if kept not in self._instances:
            self._instances[kept] = call.manager.exec_deserialize(call.name, kept.content)
        return self._instances[kept]

"""The executor ``dask``: worker processes of ``process`` on the machines of a Dask cluster.

Each call is a Dask task, which hands the plugin to a worker process beside its Dask worker. So a plugin that crashes or
hangs there is met just as on the host, and takes no Dask worker with it. When the client or the scheduler drops a task,
its plugin is stopped.
"""

import itertools
import json
import pickle
import threading
import uuid
import weakref
from collections.abc import Sequence
from concurrent import futures
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

from aimm.errors import (
    Cancelled,
    ExecutorClosedError,
    ExecutorError,
    ExecutorOptionError,
    MissingExtraError,
    WorkerCrashed,
)
from aimm.executors._call import Call, Kept, Packed
from aimm.executors._executor import Executor
from aimm.executors._job import Job
from aimm.executors._options import memory_in_bytes
from aimm.executors._process import ProcessExecutor, open_reply

LATE = 10.0
"""Seconds that a result waits for states that were sent before it."""
TRIES = 8
"""How often a call is sent whose kept instance was lost with all workers that had it."""
PAUSE = 0.5
"""Seconds before it is sent a second time; longer before each further one."""
LOOK = 0.1
"""Seconds between two looks whether a running task is still wanted."""


class DaskExecutor(Executor):
    """Runs plugins on a Dask cluster.

    Its workers need ``aimm-plugins[dask]`` and the same plugin packages.

    Args:
        cluster: Address of the scheduler; or a ``distributed.Client``, or what its ``get_executor()`` returns; or None
            for the client that is current.
        memory: What a worker process may allocate, in bytes or as text such as ``"2GB"``; None for no limit.
        grace: Seconds between asking a plugin to stop and killing its process.
        retries: How often a call is tried again whose worker process crashed. Beside it, Dask runs a task again whose
            whole Dask worker was lost, as often as its setting ``distributed.scheduler.allowed-failures`` says.

    Raises:
        MissingExtraError: Dask is not installed.
        ExecutorOptionError: The cluster cannot be reached, or an argument makes no sense.
    """

    name = "dask"

    def __init__(
        self, cluster: Any = None, *, memory: int | str | None = None, grace: float = 2.0, retries: int = 0
    ) -> None:
        self._client, self._owns_client = _client(cluster)
        self._is_shut_down = False
        self._settings = _Settings(memory_in_bytes(self.name, memory), grace, retries)
        self._topic = f"aimm-{uuid.uuid4().hex}"
        self._numbers = itertools.count(1)
        self._lock, self._shipping = threading.Lock(), threading.Lock()
        self._tasks: dict[int, _Task] = {}
        self._kept: weakref.WeakKeyDictionary[Kept, Any] = weakref.WeakKeyDictionary()
        self._client.subscribe_topic(self._topic, self._heard)

    @property
    def is_closed(self) -> bool:  # type: ignore[override]
        """Whether it is shut down, or its cluster is gone."""
        return self._is_shut_down or self._client.status != "running"

    def start(self, call: Call, job: Job) -> None:
        """See :meth:`Executor.start`."""
        if self.is_closed:
            raise ExecutorClosedError(self.name)
        try:
            packed = call.packed()
        except Exception as error:  # noqa: BLE001 - the plugin's serialize is strangers' code, too
            job.settle(error=error)
            return
        number = next(self._numbers)
        task = self._tasks[number] = _Task(call, packed, job)
        job.begin()
        job.on_stop(lambda job: self._stop(number))
        self._submit(number, task)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See :meth:`Executor.shutdown`; the cluster goes on, and so does a client that was passed in."""
        self._is_shut_down = True
        with self._lock:
            jobs = [task.job for task in self._tasks.values()]
        if cancel_futures:
            for job in jobs:
                job.cancel()
        if wait:
            futures.wait(jobs)
        if self._client.status == "running":
            self._client.unsubscribe_topic(self._topic)
        self._kept.clear()
        if self._owns_client:
            self._client.close()

    def _submit(self, number: int, task: "_Task") -> None:
        packed, job = task.packed, task.job
        wanted = _Wanted(self._topic, number, job.timeout, self._settings)
        parcel = _Parcel(packed.action, packed.name, packed.body, packed.buffers)
        key = f"aimm-{packed.action or 'call'}-{packed.name}-{uuid.uuid4().hex}"
        task.tries += 1
        try:
            task.kept = None if packed.kept is None else self._shipped(packed.kept)
            task.future = self._client.submit(_run, parcel, task.kept, wanted, key=key, pure=False)
        except Exception as error:  # noqa: BLE001 - there may be no worker just now, or the one that it went to died
            if not self._submit_later(number, task):
                self._settle(number, error=_explained(task.call, error))
            return
        task.future.add_done_callback(lambda future: self._ended(number, future))

    def _submit_later(self, number: int, task: "_Task") -> bool:
        """Send a call again whose kept instance is lost with all workers that had it; False if it is in vain."""
        kept = task.packed.kept
        if kept is None or task.job.asked is not None or task.tries >= TRIES or self._client.status != "running":
            return False
        with self._lock:
            if self._kept.get(kept) is task.kept:
                self._kept.pop(kept, None)
        timer = threading.Timer(task.tries * PAUSE, self._submit, (number, task))
        timer.daemon = True
        timer.start()
        return True

    def _shipped(self, kept: Kept) -> Any:
        with self._shipping:
            with self._lock:
                held = self._kept.get(kept)
            if held is None:
                # Without the other lock: what Dask tells meanwhile comes by the thread that this waits for.
                held = self._client.scatter(kept, broadcast=True, hash=False)
                with self._lock:
                    self._kept[kept] = held
            return held

    def _stop(self, number: int) -> None:
        with self._lock:
            task = self._tasks.get(number)
        if task is not None and task.future is not None:
            task.future.cancel()
            self._settle(number, error=task.job.asked)

    def _heard(self, event: Any) -> None:
        number, text = event[1]
        with self._lock:
            task = self._tasks.get(number)
        if task is None:
            return
        task.job.report(json.loads(text))
        with self._lock:
            task.seen += 1
            is_complete = task.outcome is not None and task.seen >= task.outcome.states
        if is_complete:
            self._finish(number, task)

    def _ended(self, number: int, future: Any) -> None:
        with self._lock:
            task = self._tasks.get(number)
        if task is None:
            return None
        try:
            outcome = future.result()
        except BaseException as error:  # noqa: BLE001 - whatever happens in a cluster
            if isinstance(error, CancelledError) and self._submit_later(number, task):
                return None
            return self._settle(number, error=_explained(task.call, error))
        with self._lock:
            task.outcome = outcome
            if task.seen < outcome.states:
                timer = threading.Timer(LATE, self._finish, (number, task))
                timer.daemon = True
                timer.start()
                return None
        return self._finish(number, task)

    def _finish(self, number: int, task: "_Task") -> None:
        outcome = task.outcome
        assert outcome is not None
        if outcome.error is not None:
            if isinstance(outcome.error, ExecutorError) and not outcome.error.owner:
                outcome.error.named(task.call.describe_owner())
            return self._settle(number, error=outcome.error)
        try:
            result = open_reply(task.call, outcome.body, list(outcome.buffers))
        except BaseException as error:  # noqa: BLE001 - the plugin's own, to begin with
            return self._settle(number, error=error)
        return self._settle(number, result)

    def _settle(self, number: int, result: Any = None, error: BaseException | None = None) -> None:
        with self._lock:
            task = self._tasks.pop(number, None)
        if task is not None:
            task.job.settle(result, task.job.asked or error)
            task.future = None


class _Task:
    """A call on its way; ``seen`` states came so far."""

    def __init__(self, call: Call, packed: Packed, job: Job) -> None:
        self.call, self.packed, self.job = call, packed, job
        self.future: Any = None
        self.kept: Any = None
        self.seen = self.tries = 0
        self.outcome: _Outcome | None = None


class _Settings(NamedTuple):
    """How worker processes are, beside each Dask worker."""

    memory: int | None
    grace: float
    retries: int


class _Wanted(NamedTuple):
    """What a call needs beside itself."""

    topic: str
    number: int
    timeout: float | None
    settings: _Settings


class _Parcel:
    """A call on the wire; its buffers stay apart from the pickle."""

    def __init__(self, action: str, name: str, body: bytes, buffers: Sequence[Any]) -> None:
        self.action, self.name, self.body, self.buffers = action, name, body, buffers

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _Parcel, (self.action, self.name, self.body, _apart(self.buffers, protocol))


class _Outcome:
    """What a task brings back: a reply of the worker process, or why there is none."""

    def __init__(
        self, states: int, body: bytes = b"", buffers: Sequence[Any] = (), error: BaseException | None = None
    ) -> None:
        self.states, self.body, self.buffers, self.error = states, body, buffers, error

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _Outcome, (self.states, self.body, _apart(self.buffers, protocol), self.error)


class _Relay(Job):
    """A job on a Dask worker: sends states to the client."""

    def __init__(self, parcel: _Parcel, wanted: _Wanted, worker: Any) -> None:
        super().__init__(parcel.action, parcel.name, timeout=wanted.timeout)
        self._wanted, self._worker = wanted, worker
        self.sent = 0

    def report(self, state: Any) -> None:
        """Send a state; never waits."""
        self.sent += 1
        self._worker.log_event(self._wanted.topic, (self._wanted.number, json.dumps(state)))


class _Beside(ProcessExecutor):
    """The worker processes beside a Dask worker; replies are for the client to open."""

    def _result(self, running: Any, reply: Any, buffers: list[Any]) -> Any:
        return reply.body, buffers


_beside: dict[_Settings, _Beside] = {}
_making = threading.Lock()


def _run(parcel: _Parcel, kept: Kept | None, wanted: _Wanted) -> _Outcome:
    """The Dask task."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    with _making:
        executor = _beside.get(wanted.settings)
        if executor is None:
            executor = _beside[wanted.settings] = _Beside(worker.state.nthreads, **wanted.settings._asdict())
    job = _Relay(parcel, wanted, worker)
    executor.start(Packed(parcel.action, parcel.name, "", parcel.body, _views(parcel.buffers), kept), job)
    while not futures.wait([job], LOOK).done:
        task = worker.state.tasks.get(key)
        if task is None or task.state == "cancelled":  # nobody waits for it any more
            job.cancel()
    if error := job.exception():
        return _Outcome(job.sent, error=error)
    return _Outcome(job.sent, *job.result())


def _apart(buffers: Sequence[Any], protocol: int) -> list[Any]:
    return [pickle.PickleBuffer(buffer) if protocol >= 5 else bytes(buffer) for buffer in buffers]


def _views(buffers: Sequence[Any]) -> list[memoryview]:
    return [memoryview(buffer).cast("B") for buffer in buffers]


def _client(cluster: Any) -> tuple[Any, bool]:
    try:
        import distributed
        from distributed.cfexecutor import ClientExecutor
    except ImportError:
        raise MissingExtraError("distributed", "dask", "the executor 'dask'") from None
    if isinstance(cluster, ClientExecutor):
        cluster = cluster._client
    if isinstance(cluster, distributed.Client):
        return cluster, False
    try:
        if cluster is None:
            return distributed.get_client(), False
        return distributed.Client(cluster, set_as_default=False), True
    except (ValueError, OSError) as error:
        where = "no client is current: pass an address, as in 'dask:tcp://HOST:8786'" if cluster is None else cluster
        raise ExecutorOptionError("dask", f"{where}: {error}") from error


def _explained(call: Call, error: BaseException) -> BaseException:
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        crashed = WorkerCrashed(call.action, call.name, call.describe_owner(), None, error.allowed_failures + 1)
        crashed.add_note(f"the whole Dask worker was lost each time, last {error.last_worker.address}")
        return crashed
    if isinstance(error, CancelledError):
        return Cancelled(call.action, call.name, call.describe_owner())
    error.add_note("it was raised on a Dask worker, which needs aimm-plugins[dask] and the same plugin packages")
    return error

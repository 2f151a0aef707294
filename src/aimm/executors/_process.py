"""The executor ``process``: worker processes that may crash, hang and be killed."""

import concurrent.futures
import itertools
import os
import shutil
import threading
import weakref
from collections import deque
from contextlib import suppress
from multiprocessing.pool import RemoteTraceback  # type: ignore[attr-defined]
from multiprocessing.util import Finalize
from typing import Any

from aimm.errors import (
    ExecutorClosedError,
    ExecutorError,
    MissingExtraError,
    NotTransferableError,
    PluginExitError,
    WorkerCrashed,
)
from aimm.executors._call import Call, Kept
from aimm.executors._executor import Executor
from aimm.executors._job import Job
from aimm.executors._lane import Lane, Running, Settings
from aimm.executors._options import memory_in_bytes, positive
from aimm.executors._segments import make_folder, unpickle
from aimm.executors._worker import DONE, RAISED, SAME, Reply


class ProcessExecutor(Executor):
    """Runs plugins in worker processes.

    Workers start when they are needed, stay warm, and are replaced when they die. A plugin that is to stop is asked
    first, as by Ctrl-C; its worker is killed if it does not listen.

    Args:
        workers: How many jobs run at once; the number of processors if not given.
        memory: What a worker may allocate, in bytes or as text such as ``"2GB"``; None for no limit.
        grace: Seconds between asking and killing.
        retries: How often a call is tried again whose worker crashed. An exception is never tried again.

    Raises:
        MissingExtraError: pebble is not installed.
        ExecutorOptionError: An argument makes no sense.
    """

    name = "process"

    def __init__(
        self,
        workers: int | None = None,
        *,
        memory: int | str | None = None,
        grace: float = 2.0,
        retries: int = 0,
    ) -> None:
        try:
            import pebble  # noqa: F401
        except ImportError:
            raise MissingExtraError("pebble", "process", "the executor 'process'") from None
        self.workers = positive(self.name, "workers", workers or os.cpu_count() or 1)
        self.retries = retries
        self._settings = Settings(make_folder(), memory_in_bytes(self.name, memory), grace)
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._queue: deque[Running] = deque()
        self._idle: list[Lane] = []
        self._lanes: list[Lane] = []
        self._kept: weakref.WeakKeyDictionary[Kept, str] = weakref.WeakKeyDictionary()
        self._unfinished = 0
        self._settling: set[Job] = set()
        self.is_closed = False
        _open_executors.add(self)

    def start(self, call: Any, job: Job) -> None:
        """See :meth:`Executor.start`."""
        if self.is_closed:
            raise ExecutorClosedError(self.name)
        try:
            packed = call.packed()
            kept = "" if packed.kept is None else self._kept_file(packed.kept)
        except Exception as error:  # noqa: BLE001 - the plugin's serialize is strangers' code, too
            job.settle(error=error)
            return
        running = Running(next(self._numbers), call, packed, job, kept)
        with self._changed:
            if self.is_closed:
                raise ExecutorClosedError(self.name)
            self._unfinished += 1
            lane = self._free_lane(running)
            if lane is None:
                self._queue.append(running)
        job.on_stop(lambda job: self._stop(running))
        if lane is not None:
            self._run(lane, running)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See :meth:`Executor.shutdown`."""
        with self._changed:
            self.is_closed = True
            unfinished = [*self._queue, *(lane.running for lane in self._lanes if lane.running)]
        if cancel_futures:
            for running in unfinished:
                running.job.cancel()
        with self._changed:
            self._changed.wait_for(lambda: not (wait or cancel_futures) or not self._unfinished)
            is_done = not self._unfinished
        concurrent.futures.wait(self._settling.copy() if wait else ())
        if is_done:
            self._close()

    def abandon(self) -> None:
        """Kill all workers and delete all files, without a word to anybody: the process ends."""
        self.is_closed = True
        for lane in self._lanes:
            lane.abandon()
        shutil.rmtree(self._settings.folder, ignore_errors=True)

    def _close(self) -> None:
        with self._changed:
            lanes, self._lanes, self._idle = self._lanes, [], []
        for lane in lanes:
            lane.close()
        shutil.rmtree(self._settings.folder, ignore_errors=True)
        _open_executors.discard(self)

    def _free_lane(self, running: Running) -> Lane | None:
        kept = running.packed.kept
        for lane in reversed(self._idle):
            if kept is not None and kept.token in lane.tokens:
                self._idle.remove(lane)
                return lane
        if self._idle:
            return self._idle.pop()
        if len(self._lanes) < self.workers:
            self._lanes.append(Lane(self._settings, self._done))
            return self._lanes[-1]
        return None

    def _run(self, lane: Lane, running: Running) -> None:
        try:
            lane.run(running)
        except Exception as error:  # noqa: BLE001 - shared memory or processes have run out
            running.is_over, lane.running = True, None
            self._settle(lane, running, None, error)

    def _stop(self, running: Running) -> None:
        with self._changed:
            is_queued = running in self._queue
            if is_queued:
                self._queue.remove(running)
            lanes = list(self._lanes)
        if is_queued:
            self._settle(None, running, None, running.job.asked)
        for lane in lanes:
            lane.stop(running)

    def _done(self, lane: Lane, running: Running, reply: Reply | None, rest: Any) -> None:
        """A call ended: with a reply and its buffers, or without and the exit code of its worker."""
        if reply is not None:
            try:
                self._settle(lane, running, self._result(running, reply, rest), None)
            except BaseException as error:  # noqa: BLE001 - the plugin's own, to begin with
                self._settle(lane, running, None, error)
        elif running.job.asked is None and running.attempts <= self.retries:
            self._run(lane, running)
        else:
            owner = running.call.describe_owner()
            crashed = WorkerCrashed(running.call.action, running.call.name, owner, rest, running.attempts)
            if self._settings.memory is not None:
                limit = f"{self._settings.memory / (1 << 20):,.0f} MiB"
                crashed.add_note(f"its memory was limited to {limit}; some libraries end the process there")
            self._settle(lane, running, None, crashed)

    def _settle(self, lane: Lane | None, running: Running, result: Any, error: BaseException | None) -> None:
        job = running.job
        self._settling.add(job)
        with self._changed:
            self._unfinished -= 1
            after = self._queue.popleft() if lane is not None and self._queue else None
            if lane is not None and after is None and lane in self._lanes:
                self._idle.append(lane)
            if self.is_closed:
                self._changed.notify_all()
        if lane is not None and after is not None:
            self._run(lane, after)
        # Last, for whoever waits for the job goes on at once, and would wait again for what is locked above.
        job.settle(result, job.asked or error)
        self._settling.discard(job)
        if self.is_closed and not self._unfinished:
            threading.Thread(target=self._close, name="aimm executor end", daemon=True).start()

    def _result(self, running: Running, reply: Reply, buffers: list[Any]) -> Any:
        return open_reply(running.call, reply.body, buffers)

    def _kept_file(self, kept: Kept) -> str:
        with self._changed:
            path = self._kept.get(kept)
            if path is None:
                path = os.path.join(self._settings.folder, f"kept-{kept.token}")
                with open(path, "wb") as file:
                    file.write(kept.content)
                weakref.finalize(kept, _remove, path)
                self._kept[kept] = path
            return path


def open_reply(call: Call, body: bytes, buffers: list[Any]) -> Any:
    """The result in a reply.

    Args:
        call: The call that it replies to.
        body: The pickled outcome.
        buffers: What belongs to it.

    Raises:
        NotTransferableError: It cannot be unpickled here.
        PluginExitError: The plugin interrupted itself.
        BaseException: What the plugin raised.
    """
    try:
        status, value, extra = unpickle(body, buffers)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise NotTransferableError(call.action, call.name, call.describe_owner(), "result", reason) from error
    if status == RAISED:
        if isinstance(value, ExecutorError) and not value.owner:
            value.named(call.describe_owner())
        raise value from RemoteTraceback(extra)
    if status != DONE:
        owner = call.describe_owner() or call.name
        raise PluginExitError(call.action or "call", call.name, owner, "KeyboardInterrupt")
    if call.action == "predict":
        same = isinstance(extra, str) and extra == SAME
        return (call.instance if same else _instance(call, extra)), value
    return value if extra is None else _instance(call, extra)


def _instance(call: Call, content: Any) -> Any:
    assert call.manager is not None
    return call.manager.exec_deserialize(call.name, bytes(content))


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


_open_executors: weakref.WeakSet[ProcessExecutor] = weakref.WeakSet()


def _abandon_all() -> None:
    # No thread can be started any more, so there is no orderly way out; and whoever waits for a job is gone.
    for executor in list(_open_executors):
        executor.abandon()


# Not by atexit, which comes too late in a process that multiprocessing started: that waits for its children first.
Finalize(None, _abandon_all, exitpriority=100)

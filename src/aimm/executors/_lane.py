"""One worker process at a time, in a pool of pebble of its own, and the call that it runs.

A pool for each process, because the workers of one pool share their pipes: one that is killed while it writes would
take the others with it. Pebble starts and stops the process and tells when it is gone; all that it does there is to
serve a pipe of the lane's own, through which a call takes half the time that it takes through the pool, and the states
come in order with the result.
"""

import json
import os
import pickle
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing import process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, NamedTuple

from aimm.errors import DeadlineExceeded
from aimm.executors import _worker
from aimm.executors._call import Packed
from aimm.executors._job import Job
from aimm.executors._segments import Begun, Inbox, Outbox

SURE = 1.0
"""Seconds to wait for what comes at once: what a dead process wrote before, and its exit code."""

UNLUCKY = 3
"""How often a call gets a new worker whose worker died before the call began."""


class Settings(NamedTuple):
    """What holds for all workers of an executor.

    Attributes:
        folder: Where segments go.
        memory: Limit of a worker in bytes, or None.
        grace: Seconds between asking and killing.
    """

    folder: str
    memory: int | None
    grace: float


class Running:
    """A call, and how it fares.

    Attributes:
        number: A number of its own.
        call: The call, for messages.
        packed: Its form for the worker.
        job: Its job.
        kept: The file of its kept instance; empty for none.
        attempts: How often it was tried.
        unlucky: How often its worker died before it began.
        timers: What to cancel at its end.
        is_over: Whether its lane is done with it.
    """

    def __init__(self, number: int, call: Any, packed: Packed, job: Job, kept: str) -> None:
        self.number, self.call, self.packed, self.job, self.kept = number, call, packed, job, kept
        self.attempts = self.unlucky = 0
        self.again()

    def again(self) -> None:
        """Begin a further attempt."""
        self.is_over = False
        self.timers: list[threading.Timer] = []

    def later(self, seconds: float, function: Callable[..., None], *args: Any) -> None:
        """Call a function unless the call is over by then."""
        timer = threading.Timer(seconds, function, args)
        timer.daemon = True
        self.timers.append(timer)
        timer.start()


class Lane:
    """Runs one call at a time.

    Args:
        settings: What holds for all lanes.
        done: Gets each call that ended, with its reply and the buffers; or with None and the exit code of its worker.

    Attributes:
        running: The call that it runs.
        tokens: The kept instances that its process has.
    """

    def __init__(self, settings: Settings, done: Callable[["Lane", Running, Any, Any], None]) -> None:
        self._settings, self._done = settings, done
        self._lock = threading.RLock()
        self._outbox = Outbox(settings.folder, f"in-{id(self):x}")
        self._pool: Any = None
        self._process: Any = None
        self._pipe: Connection | None = None
        self._watcher: threading.Thread | None = None
        self._begun = Begun(os.path.join(settings.folder, f"begun-{id(self):x}"))
        self._burials: list[threading.Thread] = []
        self.running: Running | None = None
        self.tokens: set[str] = set()

    def run(self, running: Running) -> None:
        """Give a call to the worker, a new one if there is none."""
        running.job.begin()
        with self._lock:
            self.running = running
            running.attempts += 1
            running.again()
            packed, timed = running.packed, running.job.timeout is not None
            if packed.kept is not None:
                self.tokens.add(packed.kept.token)
            sent = self._outbox.pack(packed.body, packed.buffers)
            self._send(pickle.dumps((running.number, *sent, running.kept, timed), 5))

    def stop(self, running: Running) -> None:
        """Ask the plugin to stop; kill the worker if it has not after the time of grace."""
        with self._lock:
            if running.is_over or running is not self.running:
                return
            if _worker.ASK is None or self._settings.grace <= 0:
                return self._kill()
            with suppress(OSError):
                os.kill(self._process.pid, _worker.ASK)
            running.later(self._settings.grace, self._kill_if_running, running)

    def close(self) -> None:
        """End the worker and let go of everything."""
        with self._lock:
            self._bury()
            self._outbox.drop()
        self._begun.close()
        for burial in self._burials:
            burial.join()

    def abandon(self) -> None:
        """Kill the worker."""
        self._kill()

    def _send(self, message: bytes) -> None:
        if self._pipe is not None:
            with suppress(OSError):
                return self._pipe.send_bytes(message)
            self._bury()  # the process died just now
        self._open().send_bytes(message)

    def _open(self) -> Connection:
        import pebble

        here, there = SpawnContext().Pipe()
        context = _Context(self._settings, self._begun.path, there)
        pool = pebble.ProcessPool(max_workers=1, context=context)
        try:
            served = pool.schedule(_worker.serve)
        except BaseException:
            here.close()
            raise
        self._pool, self._pipe, self._process = pool, here, context.started
        self._watcher = threading.Thread(
            target=self._watch, args=(self._process, here), name="aimm worker watch", daemon=True
        )
        self._watcher.start()
        served.add_done_callback(partial(self._served, self._process, self._watcher))
        return here

    def _watch(self, watched: SpawnProcess, pipe: Connection) -> None:
        try:
            while True:
                self._heard(pipe.recv_bytes())
        except (EOFError, OSError):
            pass
        finally:
            with self._lock:  # under which others write to it
                pipe.close()
            self._gone(watched)

    def _served(self, watched: SpawnProcess, watcher: threading.Thread, served: Any) -> None:
        """The process is gone, says pebble; a child that it left may hold the pipe, so that this is all there is."""
        watcher.join(SURE)
        self._gone(watched)

    def _gone(self, watched: SpawnProcess) -> None:
        with self._lock:
            if watched is not self._process:
                return
            running = self.running
            if running is None or running.is_over:
                return self._bury()
        self._ended(running, watched)

    def _heard(self, message: bytes) -> None:
        number, content = pickle.loads(message)
        with self._lock:
            running = self.running
        if running is None or running.number != number:
            return
        job = running.job
        if isinstance(content, str):
            job.report(json.loads(content))
        elif content is not None:
            self._finish(running, _worker.Reply(*content))
        elif job.timeout is not None:
            late = DeadlineExceeded(job.action, job.name, running.call.describe_owner(), job.timeout)
            running.later(job.timeout, job.ask_to_stop, late)

    def _finish(self, running: Running, reply: _worker.Reply) -> None:
        try:
            buffers = Inbox(reply.path, reply.spans).copies() if reply.path else []
        except OSError:  # the worker died after its reply, and took the rest of it along
            return self._ended(running, self._process)
        if self._close_call(running):
            self._outbox.done(reply.retained)
            self._done(self, running, reply, buffers)

    def _ended(self, running: Running, ended: Any) -> None:
        """The process died; all that is known is its exit code."""
        if self._close_call(running):
            if ended is not None:
                ended.join(SURE)
            exitcode = None if ended is None else ended.exitcode
            with self._lock:
                self._bury()
                self._outbox.done(retained=True)  # a later attempt must find what the first one found
            if self._begun.number != running.number and running.job.asked is None and running.unlucky < UNLUCKY:
                running.unlucky += 1
                running.attempts -= 1
                return self.run(running)  # its worker was dying already, of something else
            self._done(self, running, None, exitcode)

    def _close_call(self, running: Running) -> bool:
        with self._lock:
            if running.is_over:
                return False
            running.is_over, self.running = True, None
        for timer in running.timers:
            timer.cancel()
        return True

    def _kill_if_running(self, running: Running) -> None:
        with self._lock:
            if not running.is_over and running is self.running:
                self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            _kill_group(self._process.pid)
            with suppress(OSError, AttributeError):
                self._process.kill()

    def _bury(self) -> None:
        """Leave the pool behind. It cannot be closed here, which may be a thread of its own."""
        self.tokens = set()
        if self._pool is None:
            return
        self._kill()  # with all that the plugin started
        arguments = self._pool, self._process, self._watcher
        self._pool = self._pipe = self._process = self._watcher = None
        burial = threading.Thread(target=_close_pool, args=arguments, name="aimm worker end", daemon=True)
        burial.start()
        self._burials = [*(other for other in self._burials if other.is_alive()), burial]


class _Context(SpawnContext):
    """Starts the process of one lane, once: a pool whose process died has had its time."""

    started: SpawnProcess | None = None

    def __init__(self, settings: Settings, begun: str, pipe: Connection) -> None:
        self._settings, self._begun, self._pipe = settings, begun, pipe

    def Process(self, target: Any, name: str, args: Any, kwargs: Any) -> SpawnProcess:  # type: ignore[override]
        if self.started is not None:
            raise OSError("this pool had its process")
        entered = self._pipe, self._settings.folder, self._begun, self._settings.memory, target, args, kwargs
        self.started = _Process(target=_worker.enter, name=name, args=entered)
        return self.started


class _Process(SpawnProcess):
    def start(self) -> None:
        """Start it, also from a process that was itself started as a daemon, as Dask's workers are."""
        config = process.current_process()._config  # type: ignore[attr-defined]
        is_daemon = config.pop("daemon", None)
        pipe = self._args[0]  # type: ignore[attr-defined]
        try:
            super().start()
        finally:
            if is_daemon is not None:
                config["daemon"] = is_daemon
            pipe.close()  # what only the process holds ends with it


def _kill_group(pid: int | None) -> None:
    if pid is not None and hasattr(os, "killpg"):
        with suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


def _close_pool(pool: Any, ended: Any, watcher: threading.Thread | None) -> None:
    with suppress(Exception):  # it is broken already
        pool.stop()
        pool.join()
    if watcher is not None:
        watcher.join(SURE)
    if ended is not None:
        with suppress(ValueError):
            ended.join()
            ended.close()  # its descriptors would wait for the garbage collector

"""One worker process at a time, in a pool of pebble of its own, and the call that it runs.

A pool for each process, because the workers of one pool share their pipes: one that is killed while it writes would
take the others with it. Beside pebble the lane watches the process itself: for the states that come ahead of a result,
and because pebble waits for ever for a worker that ended with exit code 0.
"""

import json
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing import connection, process
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, NamedTuple

from aimm.errors import DeadlineExceeded
from aimm.executors import _worker
from aimm.executors._call import Packed
from aimm.executors._job import Job
from aimm.executors._segments import Begun, Inbox, Outbox

SURE = 1.0
"""Seconds after the death of a process in which pebble tells what became of its call, if it ever does."""

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
        seen: How many messages came ahead of its reply.
        reply: Its reply, which may have to wait for messages.
        timers: What to cancel at its end.
        is_over: Whether its lane is done with it.
    """

    def __init__(self, number: int, call: Any, packed: Packed, job: Job, kept: str) -> None:
        self.number, self.call, self.packed, self.job, self.kept = number, call, packed, job, kept
        self.attempts = self.unlucky = 0
        self.again()

    def again(self) -> None:
        """Begin a further attempt."""
        self.seen, self.is_over = 0, False
        self.reply: _worker.Reply | None = None
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
            spans = self._outbox.put(packed.buffers) if packed.buffers else ()
            path = self._outbox.path if packed.buffers else ""
            if self._pool is None:
                self._open()
            arguments = (running.number, packed.body, path, spans, running.kept, timed)
            try:
                future = self._pool.schedule(_worker.run, arguments)
            except RuntimeError:  # the process died just now, and the pool with it
                self._bury()
                self._open()
                future = self._pool.schedule(_worker.run, arguments)
        future.add_done_callback(lambda future: self._answered(running, future))

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

    def _open(self) -> None:
        import pebble

        context = _Context(self._settings, self._begun.path, self._started)
        self._pool = pebble.ProcessPool(max_workers=1, context=context)

    def _started(self, started: SpawnProcess, pipe: Any) -> None:
        self._process = started
        self._watcher = threading.Thread(
            target=self._watch, args=(started, pipe), name="aimm worker watch", daemon=True
        )
        self._watcher.start()

    def _watch(self, watched: SpawnProcess, pipe: Any) -> None:
        with pipe, suppress(EOFError, OSError):
            while pipe in connection.wait([pipe, watched.sentinel]):
                self._heard(pipe.recv_bytes())
        connection.wait([watched.sentinel])
        _kill_group(watched.pid)  # what the plugin started must not outlive it
        with self._lock:
            running = self.running
            if watched is not self._process:
                return
            if running is None or running.is_over:
                return self._bury()
            if running.reply is None:
                running.later(SURE, self._ended, running, watched)
                return
        self._finish(running)

    def _heard(self, message: bytes) -> None:
        number, _, text = message.partition(b" ")
        with self._lock:
            running = self.running
            if running is None or running.number != int(number):
                return
            running.seen += 1
            is_complete = running.reply is not None and running.seen >= running.reply.states
        job = running.job
        if text:
            job.report(json.loads(text))
        elif job.timeout is not None:
            late = DeadlineExceeded(job.action, job.name, running.call.describe_owner(), job.timeout)
            running.later(job.timeout, job.ask_to_stop, late)
        if is_complete:
            self._finish(running)

    def _answered(self, running: Running, future: Future[Any]) -> None:
        if future.cancelled() or future.exception() is not None:
            return self._ended(running, self._process)
        with self._lock:
            running.reply = _worker.Reply(*future.result())
            if running.seen < running.reply.states:
                return None  # its last states are on their way
        return self._finish(running)

    def _finish(self, running: Running) -> None:
        assert running.reply is not None
        reply = running.reply
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
        pool, self._pool = self._pool, None
        self._kill()
        arguments = pool, self._process, self._watcher
        self._process = self._watcher = None
        burial = threading.Thread(target=_close_pool, args=arguments, name="aimm worker end", daemon=True)
        burial.start()
        self._burials = [*(other for other in self._burials if other.is_alive()), burial]


class _Context(SpawnContext):
    """Starts the process of one lane, once: a pool whose process died has had its time."""

    def __init__(self, settings: Settings, begun: str, started: Callable[[SpawnProcess, Any], None]) -> None:
        self._settings, self._begun, self._started = settings, begun, started
        self._is_used = False

    def Process(self, target: Any, name: str, args: Any, kwargs: Any) -> SpawnProcess:  # type: ignore[override]
        if self._is_used:
            raise OSError("this pool had its process")
        self._is_used = True
        reader, writer = self.Pipe(duplex=False)
        made = _Process(
            target=_worker.enter,
            name=name,
            args=(writer, self._settings.folder, self._begun, self._settings.memory, target, args, kwargs),
        )
        made.started = self._started, reader, writer  # type: ignore[attr-defined]
        return made


class _Process(SpawnProcess):
    def start(self) -> None:
        """Start it, also from a process that was itself started as a daemon, as Dask's workers are."""
        started, reader, writer = self.__dict__.pop("started")  # not for the child
        config = process.current_process()._config  # type: ignore[attr-defined]
        is_daemon = config.pop("daemon", None)
        try:
            super().start()
        finally:
            if is_daemon is not None:
                config["daemon"] = is_daemon
            writer.close()
        started(self, reader)


def _kill_group(pid: int | None) -> None:
    if pid is not None and hasattr(os, "killpg"):
        with suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


def _close_pool(pool: Any, ended: Any, watcher: threading.Thread | None) -> None:
    with suppress(Exception):  # it is broken already
        pool.stop()
        pool.join()
    if watcher is not None:
        watcher.join()
    if ended is not None:
        with suppress(ValueError):
            ended.join()
            ended.close()  # its descriptors would wait for the garbage collector

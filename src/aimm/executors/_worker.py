"""The other side: what runs in a worker process. Imports of this module are part of the start of every worker."""

import importlib
import os
import pickle
import signal
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, NamedTuple

from aimm import plugins
from aimm.errors import MemoryLimitExceeded, NotTransferableError, PluginNotFoundError
from aimm.executors._call import WITH_INSTANCE, dump, instance_bytes
from aimm.executors._perform import perform, perform_plain, reporter, whose
from aimm.executors._recipe import manager_of
from aimm.executors._segments import Begun, Inbox, Outbox, Spans, unpickle

DONE, RAISED, STOPPED = range(3)
"""How a call ended: with a result, with an exception, or because it was asked to stop."""
SAME = "same"
"""Stands for an instance that ``predict`` did not change."""
KEPT = 16
"""How many kept instances stay in a worker; the one that was not used for longest goes first."""

ASK = getattr(signal, "SIGUSR1", None)
"""The signal that asks the plugin to stop, as Ctrl-C would."""

_worker: "Worker"


class _Named(NamedTuple):
    """Which call something is about, for messages."""

    action: str
    name: str
    manager: plugins.PluginManager | None

    def describe_owner(self) -> str:
        return whose(self.manager, self.action, self.name)


def enter(
    pipe: Any,
    folder: str,
    begun: str,
    memory: int | None,
    serve: Callable[..., None],
    args: tuple[Any, ...],
    kwargs: Any,
) -> None:
    """The first thing in a new worker process.

    Args:
        pipe: Brings calls, and takes states and replies.
        folder: Where segments go.
        begun: The file for the number of the call that began last.
        memory: Limit in bytes, or None.
        serve: What pebble runs in its processes.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
    """
    global _worker
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # so that a plugin's own processes end with it, and Ctrl-C is the host's alone
    threading.Thread(target=_end_with_host, args=(folder,), daemon=True).start()
    _worker = Worker(pipe, folder, Begun(begun), memory)
    if ASK is not None:
        signal.signal(ASK, _worker.asked)
    if memory is not None:
        _limit_memory(memory)
    serve(*args, **kwargs)


class Reply(NamedTuple):
    """What goes back to the host.

    Attributes:
        body: The pickled outcome: how it ended, the result or exception, the instance; as :meth:`Outbox.pack` left it.
        path: The segment with its buffers; empty for none.
        spans: Where they are in it.
        retained: Whether the plugin still uses the memory of the call's own segment.
    """

    body: bytes
    path: str
    spans: Spans
    retained: bool


def serve() -> None:
    """Answer calls until the host is gone: the one thing that pebble has its process do."""
    _worker.serve()


class Worker:
    """What one worker process holds.

    Args:
        pipe: Brings calls, and takes states and replies.
        folder: Where segments go.
        begun: Takes the number of each call that begins.
        memory: Limit in bytes, or None.
    """

    def __init__(self, pipe: Any, folder: str, begun: Begun, memory: int | None) -> None:
        self._pipe, self._begun, self._memory = pipe, begun, memory
        self._outbox = Outbox(folder, f"out-{os.getpid()}")
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._sender: _Sender | None = None
        self._names: dict[tuple[plugins.PluginManager, str], str] = {}
        self._is_running = False
        self._sending = threading.Lock()

    def asked(self, number: int, frame: Any) -> None:
        """Answer the signal that asks to stop: the plugin sees what Ctrl-C would raise."""
        if self._is_running:
            raise KeyboardInterrupt

    def serve(self) -> None:
        """See :func:`serve`."""
        while True:
            try:
                number, *call = pickle.loads(self._pipe.recv_bytes())
            except (EOFError, OSError):
                return
            reply = pickle.dumps((number, tuple(self.run(number, *call))), 5)
            if self._sender is None:
                self.send(reply)
            else:  # behind the states that wait there
                self._sender.messages.put(reply)

    def send(self, message: bytes) -> None:
        """Write to the host."""
        with self._sending, suppress(OSError):
            self._pipe.send_bytes(message)

    def run(self, number: int, body: bytes, path: str, spans: Spans, kept: str, timed: bool) -> Reply:
        """Run one call.

        Args:
            number: Its number.
            body: The pickled call, as :meth:`Outbox.pack` left it.
            path: The segment with its buffers; empty for none.
            spans: Where they are in it.
            kept: The file of the kept instance; empty for none.
            timed: Whether to tell when it begins.
        """
        self._begun.number = number
        self._outbox.done()
        if timed:
            self._tell(number, None)
        inbox = Inbox(path, spans)
        try:
            content, buffers = self._outcome(number, body, inbox.buffers, kept)
            retained = not inbox.close()
        except KeyboardInterrupt:  # it came in the moment between the plugin's end and ours
            content, buffers, retained = _stopped(), [], True
        _flush()
        try:
            return Reply(*self._outbox.pack(content, buffers), retained)
        except OSError as error:  # there is not enough shared memory
            return Reply(self._raised(error, _Named("", "the call", None)), "", (), retained)

    def _outcome(self, number: int, body: bytes, given: Sequence[Any], kept: str) -> tuple[bytes, list[Any]]:
        call = _Named("", "the call", None)
        try:
            self._is_running = True
            recipe, module, function, action, name, *rest = unpickle(body, given)
            instance, args, kwargs, wants_states, token = rest
            call = _Named(action, name, None)
            if recipe is not None:
                call = self._named(manager_of(recipe), action, name, module)
            state_cb = reporter(call.manager, action, call.name, lambda text: self._tell(number, text))
            if call.manager is None:
                given_cb = {"state_cb": state_cb} if wants_states else {}
                result = perform_plain(function, args, {**kwargs, **given_cb})
                self._is_running = False
                return dump((DONE, result, None), call, "result")
            held = self._instance(call, instance, token, kept)
            result = perform(call.manager, action, call.name, held, state_cb if wants_states else None, args, kwargs)
            outcome = _packed_result(call, result, instance)
            self._is_running = False
            return dump((DONE, *outcome), call, "result")
        except KeyboardInterrupt:
            return _stopped(), []
        except BaseException as error:  # noqa: BLE001 - whatever a plugin raises goes to the host
            return self._raised(error, call), []
        finally:
            self._is_running = False

    def _named(self, manager: plugins.PluginManager, action: str, name: str, module: str | None) -> _Named:
        """The call under the name that it has here, once the module that declares it by a plain import is imported."""
        if module is None:
            return _Named(action, name, manager)
        if (manager, name) not in self._names:
            local = name
            try:
                manager.owner(name, action)
            except PluginNotFoundError:
                if module == "__main__":  # the main program is imported under another name here
                    local = name.replace("__main__.", "__mp_main__.")
                else:
                    importlib.import_module(module)
            self._names[manager, name] = local
        return _Named(action, self._names[manager, name], manager)

    def _instance(self, call: _Named, content: Any, token: str | None, kept: str) -> Any:
        if call.action not in WITH_INSTANCE or call.manager is None:
            return None
        if token is None:
            return call.manager.exec_deserialize(call.name, bytes(content))
        if token in self._kept and call.action != "fit":
            self._kept.move_to_end(token)
            return self._kept[token]
        with open(kept, "rb") as file:
            instance = call.manager.exec_deserialize(call.name, file.read())
        if call.action != "fit":  # which would change what others predict with
            self._kept[token] = instance
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return instance

    def _raised(self, error: BaseException, call: _Named) -> bytes:
        text = "".join(traceback.format_exception(error))
        if isinstance(error, MemoryError) and self._memory is not None:
            error = MemoryLimitExceeded(call.action, call.name, call.describe_owner(), self._memory)
        error.__traceback__ = error.__context__ = None  # their frames hold the arguments
        try:
            content = pickle.dumps((RAISED, error, text), 5)
            pickle.loads(content)  # many can be pickled and then not be made again
            return content
        except Exception:  # noqa: BLE001 - an exception of a plugin may be broken in any way
            return pickle.dumps((RAISED, _replaced(error, call, text), text), 5)

    def _tell(self, number: int, text: str | None) -> None:
        if self._sender is None:
            self._sender = _Sender(self.send)
        self._sender.messages.put(pickle.dumps((number, text), 5))


class _Sender(threading.Thread):
    """Writes to the host in the background, so that no plugin ever waits for it."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        super().__init__(name="aimm states", daemon=True)
        self.messages: SimpleQueue[bytes] = SimpleQueue()
        self._send = send
        self.start()

    def run(self) -> None:
        """Send what comes."""
        while True:
            self._send(self.messages.get())


def _packed_result(call: _Named, result: Any, given: Any) -> tuple[Any, Any]:
    """The result, and the instance that goes back, if one does."""
    assert call.manager is not None
    if call.action == "predict":
        after = None if given is None else instance_bytes(call.manager, call.action, call.name, result[0])
        return result[1], SAME if given is None or after == given else pickle.PickleBuffer(after)  # type: ignore[arg-type]
    if call.action in ("instantiate", "deserialize", "fit"):
        return None, pickle.PickleBuffer(instance_bytes(call.manager, call.action, call.name, result))
    if call.action == "serialize" and type(result) is not bytes:
        result = bytes(result)
    return result, None


def _stopped() -> bytes:
    return pickle.dumps((STOPPED, None, None))


def _replaced(error: BaseException, call: _Named, text: str) -> NotTransferableError:
    try:
        said = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - its message may be broken too
        said = f"{type(error).__name__} (its message cannot be shown)"
    return NotTransferableError(call.action, call.name, call.describe_owner(), "exception", said, text)


def _flush() -> None:
    # A worker ends without the interpreter's farewell, and what a plugin printed would be lost.
    with suppress(Exception):
        sys.stdout.flush()


def _limit_memory(limit: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    # Data, not address space: libraries reserve more of the latter than they ever use.
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _end_with_host(folder: str) -> None:
    """Wait for the death of the host; then end the worker and everything it started."""
    import multiprocessing.connection
    import shutil

    parent = multiprocessing.parent_process()
    if parent is None:
        return
    multiprocessing.connection.wait([parent.sentinel])
    shutil.rmtree(folder, ignore_errors=True)
    if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)

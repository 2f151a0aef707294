"""Making every file operation of a model store fail in turn, or kill the process: those of ours, and those of SQLite.

SQLite lets its system calls be replaced, as its own tests do; ours all pass through one module. Run as a program, this
kills a process at each operation in turn: ``store_faults.py BASE WORK ACTION`` copies the store BASE to WORK/1, WORK/2,
... and has a child process carry out the action on each, which dies at its first, second, ... operation.
"""

import ctypes
import errno
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aimm import plugins, store
from aimm.store import _disk

OURS = [
    *("create", "write", "rewind", "sync", "close", "copy_mode", "replace", "open_folder", "remove", "make_folder"),
    *("exists", "open_file", "read_start", "read", "entries"),
]
"""Every function of :mod:`aimm.store._disk`."""
_INT, _SIZE, _POINTER, _TEXT = ctypes.c_int, ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_char_p
_SQLITE = {
    b"open": (_INT, _TEXT, _INT, _INT),
    b"fstat": (_INT, _INT, _POINTER),
    b"ftruncate": (_INT, _INT, _SIZE),
    b"read": (_SIZE, _INT, _POINTER, _SIZE),
    b"pread": (_SIZE, _INT, _POINTER, _SIZE, _SIZE),
    b"pread64": (_SIZE, _INT, _POINTER, _SIZE, _SIZE),
    b"write": (_SIZE, _INT, _POINTER, _SIZE),
    b"pwrite": (_SIZE, _INT, _POINTER, _SIZE, _SIZE),
    b"pwrite64": (_SIZE, _INT, _POINTER, _SIZE, _SIZE),
    b"access": (_INT, _TEXT, _INT),
    b"stat": (_INT, _TEXT, _POINTER),
    b"lstat": (_INT, _TEXT, _POINTER),
    b"close": (_INT, _INT),
    b"fchown": (_INT, _INT, _INT, _INT),
    b"munmap": (_INT, _POINTER, _SIZE),
    b"unlink": (_INT, _TEXT),
    b"openDirectory": (_INT, _TEXT, ctypes.POINTER(_INT)),
    b"mmap": (_POINTER, _POINTER, _SIZE, _INT, _INT, _INT, _SIZE),
}
"""Those system calls of SQLite that a test can stand in for (fsync it does not offer); result, then arguments."""
if sys.platform == "linux":  # a function of any number of arguments is called like others here, not everywhere
    _SQLITE[b"fcntl"] = (_INT, _INT, _INT, _POINTER)


class _Vfs(ctypes.Structure):
    """``sqlite3_vfs``, as far as it is needed."""

    _fields_ = [
        *[
            ("version", _INT),
            ("size", _INT),
            ("longest", _INT),
            ("next", _POINTER),
            ("name", _TEXT),
            ("data", _POINTER),
        ],
        *[(f"method{number}", _POINTER) for number in range(13)],
        ("set", ctypes.CFUNCTYPE(_INT, _POINTER, _TEXT, _POINTER)),
        ("get", ctypes.CFUNCTYPE(_POINTER, _POINTER, _TEXT)),
    ]


def _vfs() -> _Vfs:
    import _sqlite3

    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    found: _Vfs = library.sqlite3_vfs_find(None).contents
    return found


@contextmanager
def operations(happen: Callable[[str], bool]) -> Iterator[None]:
    """While this lasts, ask before each file operation; where the answer is yes, it fails: the disk is full.

    Args:
        happen: Gets the name of the operation.
    """
    kept = {name: getattr(_disk, name) for name in OURS}
    vfs = _vfs()
    address = ctypes.addressof(vfs)
    alive = []
    try:
        for name in OURS:
            setattr(_disk, name, _ours(name, kept[name], happen))
        for name, types in _SQLITE.items():
            original = vfs.get(address, name)
            if original:
                prototype = ctypes.CFUNCTYPE(*types, use_errno=True)
                replaced = prototype(_sqlites(name.decode(), prototype(original), types[0], happen))
                alive.append(replaced)
                vfs.set(address, name, ctypes.cast(replaced, _POINTER))
        assert len(alive) >= 8
        yield
    finally:
        vfs.set(address, None, None)
        for name in OURS:
            setattr(_disk, name, kept[name])


def _ours(name: str, function: Callable[..., Any], happen: Callable[[str], bool]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        if happen(name):
            raise OSError(errno.ENOSPC, f"No space left on device ({name})")
        return function(*args)

    return call


def _sqlites(name: str, function: Callable[..., Any], result: Any, happen: Callable[[str], bool]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        if happen(f"sqlite {name}"):
            ctypes.set_errno(errno.ENOSPC)
            return -1 if result is not _POINTER else ctypes.c_void_p(-1).value
        ctypes.set_errno(0)
        return function(*args)

    return call


def manager() -> plugins.PluginManager:
    """A manager whose model type ``x`` has payloads for instances."""
    made = plugins.PluginManager()
    made.register(_Payload())
    return made


class _Payload:
    @plugins.hookimpl
    def model_types(self) -> list[str]:
        return ["x"]

    @plugins.hookimpl
    def serialize(self, instance: Any) -> Any:
        return instance

    @plugins.hookimpl
    def deserialize(self, instance_bytes: Any) -> bytes:
        return bytes(instance_bytes)


ACTIONS: dict[str, Callable[[store.ModelStore, plugins.PluginManager], object]] = {
    "save": lambda models, plugged: models.save("a", "x", b"new", metadata={"new": True}, manager=plugged),
    "save new": lambda models, plugged: models.save("b", "x", b"new", expected=0, manager=plugged),
    "save large": lambda models, plugged: models.save("a", "x", bytes(2 * _disk.CHUNK), manager=plugged),
    "list": lambda models, plugged: models.list("a", where=[("n", ">=", 1)]),
    "load": lambda models, plugged: models.load("a", "production", manager=plugged),
    "alias": lambda models, plugged: models.alias("a", "production", 2, expected=1),
    "remove": lambda models, plugged: models.remove("a", 2),
    "gc": lambda models, plugged: models.gc(grace=0),
}
"""What is done to a store while it is disturbed."""


def kill_at_each(base: Path, work: Path, action: str) -> int:
    """Kill a process at each file operation of an action in turn; gives how many there were."""
    plugged = manager()
    for number in range(1, 1000):
        root = work / str(number)
        shutil.copytree(base, root)
        child = os.fork()
        if child == 0:
            _die_at(number, action, root, plugged)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0
            return number - 1
    raise AssertionError("it never came to an end")


def _die_at(number: int, action: str, root: Path, plugged: plugins.PluginManager) -> None:
    count = 0

    def happen(name: str) -> bool:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    with operations(happen):
        ACTIONS[action](store.ModelStore(root), plugged)
    os._exit(0)


if __name__ == "__main__":
    print(kill_at_each(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))

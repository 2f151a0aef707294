"""Index texts kept on disk between processes, one file for each interpreter and search path; and stamps.

A text that cannot be read back for any reason (no home, read-only, cut short, somebody else's) is no text: nothing here
raises. The checksum is against accidents; against others, only files of our own user count that no one else may write.
"""

import os
import stat
import sys
from binascii import crc32

NOTHING = "-"
"""The stamp of what is not there."""

_FORMAT = "aimm index 1"
_KEPT = 32
"""How many files stay: one for each interpreter and search path used lately."""
_SETTLED = 2.0
"""Seconds that the coarsest file systems, or clocks that are not quite even, may take for one moment."""
_ABANDONED = 60  # seconds after which nobody is still writing a temporary file


def stamp(status: os.stat_result) -> str:
    """What tells a file or folder from itself after any change."""
    s = status  # the hash of integers is the same in every process of an interpreter, and quicker than their digits
    return str(hash((s.st_mtime_ns, s.st_ctime_ns, s.st_size, s.st_ino)))


def stamp_at(path: str) -> str:
    """The stamp of what is at a path."""
    try:
        return stamp(os.stat(path))
    except (OSError, ValueError):
        return NOTHING


def identity_stamp(entry_points: str) -> str:
    """The stamp of the file with the name and version of a distribution, beside its ``entry_points.txt``."""
    folder = os.path.dirname(entry_points)
    found = stamp_at(os.path.join(folder, "METADATA"))
    return found if found != NOTHING else stamp_at(os.path.join(folder, "PKG-INFO"))


def is_settled(status: os.stat_result) -> bool:
    """Whether something changed so long ago that another change is sure to give it another stamp."""
    import time

    young = time.time() - _SETTLED
    return status.st_mtime < young and status.st_ctime < young


def switched_off() -> bool:
    """Whether ``AIMM_NO_CACHE`` asks for work without the cache."""
    return os.environ.get("AIMM_NO_CACHE", "").lower() not in ("", "0", "false", "no")


def read(key: str) -> str | None:
    """The text that was kept under a key, or None."""
    folder = None if switched_off() else _folder()
    if folder is None:
        return None
    try:
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(_file(folder, key), flags)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or not _is_ours(status):
                return None
            content = os.read(descriptor, status.st_size + 1)
        finally:
            os.close(descriptor)
        start = content.index(b"\n") + 1
        body = memoryview(content)[start:]  # a view: to copy so much costs more than its checksum
        kept_key = f"{_one_line(key)}\n".encode("utf-8", "surrogatepass")
        if content[: start - 1] != _head(body) or not content.startswith(kept_key, start):
            return None
        return str(body[len(kept_key) :], "utf-8", "surrogatepass")
    except (OSError, ValueError):
        return None


def write(key: str, text: str) -> None:
    """Keep a text under a key; readers see the old one or the new one, never a part."""
    folder = None if switched_off() else _folder()
    if folder is None:
        return
    try:
        _make(folder)
        if not _is_ours(os.stat(folder)):
            return
        body = f"{_one_line(key)}\n{text}".encode("utf-8", "surrogatepass")
        _replace(_file(folder, key), _head(body) + b"\n" + body)
        _prune(folder)
    except (OSError, ValueError):
        return


def _folder() -> str | None:
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the specification of the variable says to ignore a relative path
        home = os.path.expanduser("~")
        if not os.path.isabs(home) or os.path.dirname(home) == home:  # an empty HOME becomes the root folder
            return None
        base = os.path.join(home, ".cache")
    return os.path.join(base, "aimm")


def _make(folder: str) -> None:
    base = os.path.dirname(folder)
    if not os.path.isdir(base):
        os.mkdir(base, 0o700)  # but not the home around it: who has none wants none
    if not os.path.isdir(folder):
        os.mkdir(folder, 0o700)


def _file(folder: str, key: str) -> str:
    return os.path.join(folder, f"index-{crc32(key.encode('utf-8', 'surrogatepass')):08x}.txt")


def _one_line(key: str) -> str:
    return key.replace("\n", "\\n")


def _head(body: bytes | memoryview) -> bytes:
    return f"{_FORMAT} {crc32(body):08x} {len(body)}".encode()


def _is_ours(status: os.stat_result) -> bool:
    if sys.platform == "win32":  # no owners there, and a home is private
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _replace(file: str, content: bytes) -> None:
    import time

    temporary = f"{file}.{os.getpid()}.{time.monotonic_ns()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(temporary, flags, 0o600), "wb") as stream:
            stream.write(content)
        os.replace(temporary, file)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def _prune(folder: str) -> None:
    """Delete what is left of writers that were killed, and the files that were not written for longest."""
    import time

    written: list[tuple[float, str]] = []
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        try:
            age = time.time() - os.stat(path).st_mtime
            if name.endswith(".tmp") and abs(age) > _ABANDONED:
                os.unlink(path)
            elif name.startswith("index-") and name.endswith(".txt"):
                written.append((age, path))
        except OSError:
            continue  # another process was faster
    for _, path in sorted(written)[_KEPT:]:
        os.unlink(path)

"""Writing a file so that a reader, or a crash at any point, sees the old content or the new one and nothing between."""

import errno
import os
from collections.abc import Callable, Iterable
from contextlib import suppress

from aimm.plugins import ByteString
from aimm.store import _disk


def write_atomically(path: str, parts: Iterable[ByteString], head: Callable[[], bytes] | None = None) -> None:
    """Write a file whole or not at all: temporary file beside it, fsync, rename, fsync of the folder.

    A link is followed; an existing file keeps its permissions.

    Args:
        path: Where the file goes.
        parts: Its content.
        head: Gives what the content has to begin with; called after the last part was written. If the first part is
            something else, it replaces that; it is as long.

    Raises:
        OSError: It could not be written; whatever stood there before is untouched.
    """
    # Who moves to another folder meanwhile moves no half-written file.
    target = path if os.path.isabs(path) and not os.path.islink(path) else os.path.realpath(path)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, temporary_name(name))
    write_new(temporary, parts, head, target)
    try:
        _disk.replace(temporary, target)
    except BaseException:
        _clean(temporary)
        raise
    # The new file is in place, so a save has not failed any more.
    with suppress(OSError):
        sync_folder(folder)


def write_new(
    path: str, parts: Iterable[ByteString], head: Callable[[], bytes] | None = None, like: str | None = None
) -> None:
    """Write a file that does not exist yet, and wait until it is on the disk; a failure leaves no file.

    Args:
        path: Where the file goes.
        parts: Its content.
        head: As for :func:`write_atomically`.
        like: A file whose permissions it gets, if that exists.

    Raises:
        OSError: It could not be written.
    """
    # Made by hand, not by tempfile, so that a new file gets the permissions the umask asks for.
    descriptor = _disk.create(path)
    try:
        try:
            if like is not None:
                # Before the first byte is written: what was private must not be readable for a moment.
                _disk.copy_mode(like, path)
            first: ByteString | None = None
            for part in parts:
                _disk.write(descriptor, part)
                first = part if first is None else first
            if head is not None and (start := head()) != first:
                _disk.rewind(descriptor)
                _disk.write(descriptor, start)
            _disk.sync(descriptor)
        finally:
            _disk.close(descriptor)
    except BaseException:
        _clean(path)
        raise


def sync_folder(folder: str) -> None:
    """Wait until the names in a folder are on the disk: a rename is only safe from a power failure then.

    Raises:
        OSError: The disk failed; a system that cannot do this at all (Windows, some network disks) is no failure.
    """
    try:
        descriptor = _disk.open_folder(folder)
        try:
            _disk.sync(descriptor)
        finally:
            _disk.close(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EBADF):
            raise


def temporary_name(name: str) -> str:
    """A name that nobody else uses, hidden, and recognised by :func:`is_temporary`."""
    return f".{name}.{os.urandom(4).hex()}.tmp"


def is_temporary(name: str) -> bool:
    """Whether a file is what a save that was killed left behind."""
    return name.startswith(".") and name.endswith(".tmp")


def _clean(path: str) -> None:
    with suppress(OSError):
        _disk.remove(path)

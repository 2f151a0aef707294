"""Writing a file so that a reader, or a crash at any point, sees the old content or the new one and nothing between."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress


def write_atomically(path: str, parts: Iterable[bytes | memoryview]) -> None:
    """Write a file whole or not at all: temporary file beside it, fsync, rename, fsync of the folder.

    A link is followed; an existing file keeps its permissions.

    Args:
        path: Where the file goes.
        parts: Its content.

    Raises:
        OSError: It could not be written; whatever stood there before is untouched.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(4)}.tmp")
    # Opened by hand, not by tempfile, so that a new file gets the permissions the umask asks for.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # Before the first byte is written: what was private must not be readable for a moment.
            if os.path.exists(target):
                os.chmod(temporary, os.stat(target).st_mode & 0o777)
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    # The new file is in place: a system that cannot do this (Windows, some network disks) has not failed.
    with suppress(OSError):
        _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    # The rename itself is only safe from a power failure once the folder is on disk.
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Every file operation of the store passes through here, one system call or one short row of them each.

So a test can make each of them fail, or kill the process at it, and nothing that touches the disk escapes. Callers
write ``_disk.sync(...)``, never ``from ... import sync``.
"""

import io
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple, cast

from aimm.plugins import ByteString

CHUNK = 1 << 20
"""How many bytes are hashed and written in one go; they stay in the processor's cache between the two."""


START = 1 << 13
"""How many bytes of a file are read first: most headers, and a small model whole, at the price of one system call."""


class Entry(NamedTuple):
    """A file in a folder.

    Attributes:
        name: Its name.
        modified: When it was written, in seconds since the epoch.
        size: Its length in bytes.
    """

    name: str
    modified: float
    size: int


def create(path: str) -> int:
    """Make a file that must not exist yet, with the permissions that the umask asks for; gives its descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)


def write(descriptor: int, part: ByteString) -> None:
    """Write all of it at the present position."""
    rest = memoryview(part).cast("B")
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def rewind(descriptor: int) -> None:
    """Go to the start of the file."""
    os.lseek(descriptor, 0, os.SEEK_SET)


def sync(descriptor: int) -> None:
    """Wait until the content is on the disk."""
    os.fsync(descriptor)


def close(descriptor: int) -> None:
    """Close it."""
    os.close(descriptor)


def copy_mode(source: str, target: str) -> None:
    """Give a file the permissions of another one, if that exists."""
    with suppress(FileNotFoundError):
        mode = os.stat(source).st_mode & 0o777
        if os.stat(target).st_mode & 0o777 != mode:  # to write them, even the same, costs a tenth of a small save
            os.chmod(target, mode)


def replace(source: str, target: str) -> None:
    """Put a file in the place of another one, in one step."""
    os.replace(source, target)


def open_folder(path: str) -> int:
    """Open a folder, to sync it; gives its descriptor."""
    return os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))


def remove(path: str) -> None:
    """Remove a file; one that is gone already is fine."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def make_folder(path: str) -> None:
    """Make a folder and those above it; one that exists is fine."""
    os.makedirs(path, exist_ok=True)


def exists(path: str) -> bool:
    """Whether a file is there."""
    return os.path.exists(path)


def open_file(path: str) -> BinaryIO:
    """Open a file for reading, without a buffer: it is read in few large pieces."""
    return cast(BinaryIO, io.FileIO(path))


def read_start(file: BinaryIO) -> tuple[bytes, int]:
    """The first bytes of a file that was opened just now, and its length (not every file has a descriptor)."""
    start, size = file.read(START), file.seek(0, os.SEEK_END)
    return start if len(start) == min(size, START) else read(file, 0, START), size


def read(file: BinaryIO, start: int, count: int) -> bytes:
    """Read so many bytes from a place on, or what is left, into one object; the payload is not copied again."""
    file.seek(start)
    if not isinstance(file, io.RawIOBase):
        return file.read(count)
    buffered = io.BufferedReader(file, START)  # one call of the system reads 2 GiB at most
    try:
        return buffered.read(count)
    finally:
        buffered.detach()


def entries(folder: str) -> Iterator[Entry]:
    """The files in a folder; one that disappears meanwhile is left out."""
    with os.scandir(folder) as found:
        for entry in found:
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                yield Entry(entry.name, status.st_mtime, status.st_size)

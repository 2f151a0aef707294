"""Arrays, and long pickles, through shared memory: a file that the writer copies into once and the reader maps.

The files lie in one folder of the executor, in memory where the system has such a place. A writer uses its file again
for the next call, because fresh memory costs several times the copy; but only if the reader has let go of it. A reader
maps privately: what a plugin changes in its arrays is its own.
"""

import itertools
import mmap
import os
import pickle
import struct
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

Spans = Sequence[tuple[int, int]]
"""Where each buffer stands in the file: offset and length."""

SHORT = 1 << 13
"""Up to how many bytes a pickle goes through the pipe: all systems keep so many until they are read."""
_SHARED_MEMORY = "/dev/shm"
_ALIGNED = 64
_REUSED = 256 << 20
"""Files up to this many bytes stay for the next call."""
_NUMBER = struct.Struct("q")
_numbers = itertools.count()


def make_folder() -> str:
    """A new folder for segments, in memory if there is such a place."""
    place = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else None
    return tempfile.mkdtemp(prefix="aimm-", dir=place)


def unpickle(body: bytes, buffers: Sequence[Any]) -> Any:
    """Read a pickle with its buffers, as :meth:`Outbox.pack` sent them."""
    return pickle.loads(body, buffers=buffers) if body else pickle.loads(buffers[0], buffers=buffers[1:])


class Outbox:
    """The writing side: one file after another, each used as often as possible.

    Args:
        folder: Where the files go.
        name: What their names begin with.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._folder, self._name = folder, name
        self._map: mmap.mmap | None = None
        self.path = ""

    def pack(self, body: bytes, buffers: Sequence[Any]) -> tuple[bytes, str, Spans]:
        """What goes through the pipe for a pickle and its buffers; :func:`unpickle` reads it.

        A long pickle becomes the first buffer, so that no pipe is ever full.

        Returns:
            The pickle or nothing, the file with the buffers or nothing, and where they are in it.

        Raises:
            OSError: There is not enough shared memory.
        """
        if len(body) > SHORT:
            body, buffers = b"", [memoryview(body), *buffers]
        spans = self.put(buffers) if buffers else ()
        return body, self.path if buffers else "", spans

    def put(self, buffers: Sequence[Any]) -> Spans:
        """Copy buffers into the file at :attr:`path`, which may be a new one.

        Raises:
            OSError: There is not enough shared memory.
        """
        spans, end = [], 0
        for buffer in buffers:
            spans.append((end, buffer.nbytes))
            end += -(-buffer.nbytes // _ALIGNED) * _ALIGNED
        if self._map is None or len(self._map) < end:
            self.drop()
            self._make(end)
        assert self._map is not None
        for (offset, length), buffer in zip(spans, buffers, strict=True):
            self._map[offset : offset + length] = buffer
        return spans

    def done(self, retained: bool = False) -> None:
        """The reader has read; ``retained`` says that it still uses the memory, which then is not written to again."""
        if self._map is not None and (retained or len(self._map) > _REUSED):
            self.drop()

    def drop(self) -> None:
        """Delete the file; who has it mapped keeps the memory."""
        if self._map is not None:
            self._map.close()
            self._map = None
            with suppress(OSError):
                os.unlink(self.path)
            self.path = ""

    def _make(self, size: int) -> None:
        path = os.path.join(self._folder, f"{self._name}-{next(_numbers)}")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # Without the memory really being there, a full disk would be a SIGBUS in the middle of the copy.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, size)
            else:
                os.ftruncate(descriptor, size)
            self._map = mmap.mmap(descriptor, size)
            self.path = path
        except OSError:
            os.unlink(path)
            raise
        finally:
            os.close(descriptor)


class Begun:
    """Which call a worker began last: a number that host and worker both see, and that outlives the worker.

    Args:
        path: The file that holds it; made if it does not exist.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        with open(path, "a+b") as file:
            file.truncate(_NUMBER.size)
            self._map = mmap.mmap(file.fileno(), _NUMBER.size)

    @property
    def number(self) -> int:
        """The number."""
        return int(_NUMBER.unpack_from(self._map)[0])

    @number.setter
    def number(self, number: int) -> None:
        _NUMBER.pack_into(self._map, 0, number)

    def close(self) -> None:
        """Let go of it."""
        self._map.close()


class Inbox:
    """The reading side of one file.

    Args:
        path: The file; empty for none.
        spans: Where the buffers are.
    """

    def __init__(self, path: str, spans: Spans) -> None:
        self._views: list[memoryview] = []
        self._map: mmap.mmap | None = None
        if path:
            with open(path, "rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
            whole = memoryview(self._map)
            self._views = [whole[offset : offset + length] for offset, length in spans]
            whole.release()

    @property
    def buffers(self) -> Sequence[memoryview]:
        """The buffers, mapped."""
        return self._views

    def copies(self) -> list[bytearray]:
        """The buffers, copied, and the file let go."""
        copied = [bytearray(view) for view in self._views]
        self.close()
        return copied

    def close(self) -> bool:
        """Let the file go; False if something still uses its memory, which stays for it."""
        try:
            for view in self._views:
                view.release()
            self._views = []
            if self._map is not None:
                self._map.close()
        except BufferError:
            return False
        return True

"""The files of a model store: model files in one folder, each named by its content."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol

from aimm.plugins import ByteString
from aimm.store import _disk
from aimm.store._atomic import is_temporary, sync_folder, temporary_name, write_new

ENDING = ".aimm"
GRACE = 3600.0
"""Seconds that a file may be there before ``gc`` takes it for forgotten."""


class Objects(Protocol):
    """Where a store keeps model files: a folder here, an object store elsewhere.

    An identity is the SHA-256 of a model file's header, hexadecimal; files are written once and never change.
    """

    def write(self, parts: Iterable[ByteString], head: Callable[[], bytes], identity: Callable[[], str]) -> str:
        """Keep a model file, durably, and return its identity.

        Args:
            parts: Its content; the first part is the head, or keeps room for it.
            head: The head; called after the last part.
            identity: The identity; called after the last part.
        """

    def place(self, identity: str) -> str:
        """Where a file is, in words for messages; in a folder, its path."""

    def open(self, identity: str) -> BinaryIO:
        """Open a file for reading and seeking.

        Raises:
            FileNotFoundError: There is none.
        """

    def has(self, identity: str) -> bool:
        """Whether a file is there."""

    def old(self, seconds: float) -> Iterator[tuple[str, int]]:
        """Identity and size of each file that is older, and what killed saves left behind."""

    def remove(self, identity: str) -> None:
        """Remove a file; one that is gone is fine."""


class ObjectFolder:
    """A folder of model files.

    Args:
        folder: Its path; made when the first file is written.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def write(self, parts: Iterable[ByteString], head: Callable[[], bytes], identity: Callable[[], str]) -> str:
        """See :class:`Objects`."""
        if not _disk.exists(self._folder):
            _disk.make_folder(self._folder)
            parent = os.path.dirname(self._folder)
            for folder in (parent, os.path.dirname(parent)):
                sync_folder(folder)
        temporary = os.path.join(self._folder, temporary_name("save"))
        write_new(temporary, parts, head)
        name = identity()
        try:
            # One that is there already has the same content, and gets a new age: nobody must collect it just now.
            _disk.replace(temporary, self.place(name))
        except BaseException:
            _disk.remove(temporary)
            raise
        sync_folder(self._folder)
        return name

    def place(self, identity: str) -> str:
        """See :class:`Objects`."""
        return os.path.join(self._folder, f"{identity}{ENDING}")

    def open(self, identity: str) -> BinaryIO:
        """See :class:`Objects`."""
        return _disk.open_file(self.place(identity))

    def has(self, identity: str) -> bool:
        """See :class:`Objects`."""
        return _disk.exists(self.place(identity))

    def old(self, seconds: float) -> Iterator[tuple[str, int]]:
        """See :class:`Objects`."""
        before = time.time() - seconds
        for entry in _disk.entries(self._folder) if _disk.exists(self._folder) else ():
            if entry.modified <= before and (is_temporary(entry.name) or entry.name.endswith(ENDING)):
                yield entry.name.removesuffix(ENDING), entry.size

    def remove(self, identity: str) -> None:
        """See :class:`Objects`."""
        name = identity if is_temporary(identity) else f"{identity}{ENDING}"
        _disk.remove(os.path.join(self._folder, name))

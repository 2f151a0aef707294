"""Saving on a local disk: everything into a hidden folder beside the place, then one rename."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress

from aimm.store._atomic import sync_folder, temporary_name, write_new
from aimm.train._outputs import METADATA, OutputFile
from aimm.train._place import Progress, refuse_occupied
from aimm.train._remote import local_path


class LocalPlace:
    """A folder on a local disk.

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: str) -> None:
        self.shown = local_path(path)

    def occupied(self) -> bool | None:
        """None if nothing, or an empty folder, stands there.

        Raises:
            OSError: A run cannot be put there.
        """
        if not os.path.lexists(self.shown):
            self._check_writable()
            return None
        if not os.path.isdir(self.shown):
            return False
        return os.path.isfile(os.path.join(self.shown, METADATA)) if os.listdir(self.shown) else None

    def _check_writable(self) -> None:
        above = os.path.dirname(self.shown)
        while not os.path.lexists(above):
            above = os.path.dirname(above)
        if not os.path.isdir(above):
            raise NotADirectoryError(f"{above} is no folder")
        if not os.access(above, os.W_OK | os.X_OK):
            raise PermissionError(f"{above} may not be written to")

    def save(self, files: Sequence[OutputFile], metadata: bytes, tick: Progress, overwrite: bool) -> None:
        """Write everything beside the place, then put it there with one rename."""
        parent, name = os.path.split(self.shown)
        os.makedirs(parent, exist_ok=True)
        staging = os.path.join(parent, temporary_name(name))
        try:
            os.mkdir(staging)
            for file in files:
                target = os.path.join(staging, *file.name.split("/"))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(file.source, "rb") as source:
                    write_new(target, iter(lambda: source.read(1 << 20), b""))
                tick.wrote(file.name)
            write_new(os.path.join(staging, METADATA), [metadata])
            for folder, _, _ in os.walk(staging, topdown=False):
                _sync_folder(folder)
            tick.wrote(METADATA)
            self._swap(staging, overwrite)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        _sync_folder(parent)

    def _swap(self, staging: str, overwrite: bool) -> None:
        if not refuse_occupied(self, overwrite):  # somebody else may have been faster
            with suppress(FileNotFoundError):
                os.rmdir(self.shown)
            os.rename(staging, self.shown)
            return
        old = f"{staging}.old"
        os.rename(self.shown, old)
        try:
            os.rename(staging, self.shown)
        except BaseException:
            os.rename(old, self.shown)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _sync_folder(folder: str) -> None:
    # The files themselves are on the disk; that their names may not be yet is no reason to give up a run.
    with suppress(OSError):
        sync_folder(folder)

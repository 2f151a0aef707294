"""Saving in an object store, which has no rename: ``metadata.json``, written last, is what makes a run.

The slow part, the upload, goes to a prefix of its own under the place. Once all of it is there, the store copies it to
its names, and ``metadata.json`` follows. Who reads runs looks for that file and overlooks the rest.
"""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aimm.train._outputs import METADATA, OutputFile
from aimm.train._place import Progress, refuse_occupied
from aimm.train._remote import connect

_STAGING = ".incoming-"


class RemotePlace:
    """A prefix in an object store, or in whatever else fsspec reaches.

    Args:
        url: Its URL.

    Raises:
        MissingExtraError: What it takes to reach it is not installed.
        TrainError: The protocol is unknown.
    """

    def __init__(self, url: str) -> None:
        self.shown = url.rstrip("/")
        self._fs, self._root = connect(url)

    def occupied(self) -> bool | None:
        """None if nothing stands there but, at most, what an interrupted upload left behind."""
        self._fs.invalidate_cache()
        names = self._names()
        if f"{self._root}/{METADATA}" in names:
            return True
        # An upload is removed last: as long as there is one, whatever stands beside it belongs to a run that failed.
        return False if names and not any(_STAGING in name for name in names) else None

    def _names(self) -> list[str]:
        found: list[str] = self._fs.find(self._root) if self._fs.exists(self._root) else []
        return found

    def save(self, files: Sequence[OutputFile], metadata: bytes, tick: Progress, overwrite: bool) -> None:
        """Upload everything to a prefix of its own, have the store copy it, and write ``metadata.json`` last."""
        staging = f"{self._root}/{_STAGING}{secrets.token_hex(4)}"
        url = f"{self.shown}/{staging.rpartition('/')[2]}"
        copies: list[str] = []  # what to remove again: until the place is ours, whatever stands there is not
        try:
            self._upload(files, staging, tick)
            replacing = refuse_occupied(self, overwrite)  # somebody else may have been faster
            old = [name for name in self._names() if _STAGING not in name]
            if replacing:
                # From here to the last line, neither run can be seen; the new one is complete under its prefix.
                tick.hint = f"the run that stood there is gone; all files of the new one but {METADATA} are under {url}"
                self._remove(f"{self._root}/{METADATA}")
            copies = [METADATA, *(file.name for file in files)]
            self._settle(files, staging, old)
            self._put(f"{self._root}/{METADATA}", metadata)
            tick.wrote(METADATA)
        except BaseException:
            if not tick.hint:
                tick.hint = self._cleaned(copies, staging, url)
            raise
        self._cleaned([], staging, url)

    def _upload(self, files: Sequence[OutputFile], staging: str, tick: Progress) -> None:
        for file in files:
            target = f"{staging}/{file.name}"
            self._make_folder(target)
            self._fs.put_file(str(file.source), target)
            self._check(target, file)
            tick.wrote(file.name)

    def _settle(self, files: Sequence[OutputFile], staging: str, old: Sequence[str]) -> None:
        for file in files:
            target = f"{self._root}/{file.name}"
            self._make_folder(target)
            self._fs.cp_file(f"{staging}/{file.name}", target)
            self._check(target, file)
        kept = {f"{self._root}/{name}" for name in (METADATA, *(file.name for file in files))}
        for name in old:
            if name not in kept:
                self._remove(name)

    def _check(self, target: str, file: OutputFile) -> None:
        self._fs.invalidate_cache(target.rpartition("/")[0])
        size = self._fs.info(target)["size"]
        if size is not None and size != file.size:
            raise OSError(f"{file.name} has {file.size} bytes, of which {size} arrived")

    def _make_folder(self, target: str) -> None:
        # An object store has none; for S3 this would try to make a bucket.
        if "s3" not in _protocols(self._fs):
            self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)

    def _put(self, target: str, content: bytes) -> None:
        self._make_folder(target)
        self._fs.pipe_file(target, content)

    def _remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._fs.rm_file(name)

    def _cleaned(self, copies: Sequence[str], staging: str, url: str) -> str:
        """Remove copies, then what was uploaded; returns what to tell if that is impossible."""
        try:
            for name in copies:
                self._remove(f"{self._root}/{name}")
            self._fs.invalidate_cache()
            if self._fs.exists(staging):
                self._fs.rm(staging, recursive=True)
        except Exception:  # noqa: BLE001 - the connection is gone, which is why we are here
            return f"what was uploaded may be left over under {url}: it is never read, and can be removed"
        return ""


def _protocols(filesystem: Any) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)

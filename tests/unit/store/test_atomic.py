"""A file is replaced whole or not at all, whatever fails and whenever."""

import errno
import os
import resource
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aimm.store import _disk
from aimm.store._atomic import write_atomically

OLD, NEW = b"old" * 1000, [b"new", memoryview(b"er" * 5000)]
CALLS = ["create", "copy_mode", "write", "sync", "close", "replace", "open_folder"]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file with the old content, alone in its folder."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "m").write_bytes(OLD)
    return folder / "m"


@given(parts=st.lists(st.binary()))
def test_the_parts_make_the_file(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    """The file holds the parts one after the other, and nothing else is in the folder."""
    folder = tmp_path_factory.mktemp("atomic")
    write_atomically(str(folder / "m"), parts)
    assert (folder / "m").read_bytes() == b"".join(parts)
    assert os.listdir(folder) == ["m"]


def test_an_existing_file_is_replaced(old: Path) -> None:
    """The new content stands where the old one stood."""
    write_atomically(str(old), NEW)
    assert old.read_bytes() == b"".join(NEW)
    assert os.listdir(old.parent) == ["m"]


class _Faults:
    """Calls of ``os``, of which the n-th fails."""

    def __init__(self, fail_at: int, error: BaseException) -> None:
        self.count, self.fail_at, self.error = 0, fail_at, error

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == self.fail_at:
                raise self.error
            return function(*args, **kwargs)

        return call


def _save_with_fault(old: Path, fail_at: int, error: BaseException) -> tuple[_Faults, BaseException | None]:
    faults = _Faults(fail_at, error)
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(_disk, name, faults.around(getattr(_disk, name)))
        try:
            write_atomically(str(old), NEW)
        except BaseException as caught:  # noqa: BLE001 - Ctrl-C is one of the faults
            return faults, caught
        return faults, None


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_each_call_may_fail(old: Path, error: BaseException) -> None:
    """Whichever call to the system fails, a save that failed left the old file, one that did not the new one."""
    failed = 0
    for fail_at in range(1, 50):
        old.write_bytes(OLD)
        faults, caught = _save_with_fault(old, fail_at, error)
        if faults.count < fail_at:
            break
        assert caught in (None, error)
        replaced = old.read_bytes() == b"".join(NEW)
        assert replaced or old.read_bytes() == OLD
        assert os.listdir(old.parent) == ["m"]
        if isinstance(error, OSError):
            assert replaced is (caught is None)
        failed += caught is not None
    assert fail_at >= 6
    assert failed >= 4


@contextmanager
def _file_size_limit(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_fails_leaves_the_old_file(old: Path) -> None:
    """When the disk (here: a limit) takes no more, the old file is intact and no temporary one is left."""
    with _file_size_limit(4096), pytest.raises(OSError, match="File too large"):
        write_atomically(str(old), [b"x" * 100_000])
    assert old.read_bytes() == OLD
    assert os.listdir(old.parent) == ["m"]


def test_parts_that_fail_leave_the_old_file(old: Path) -> None:
    """So does content that cannot be made to its end."""

    def parts() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_atomically(str(old), parts())
    assert old.read_bytes() == OLD
    assert os.listdir(old.parent) == ["m"]


def test_a_folder_that_cannot_be_synced_is_no_failure(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the file is in place the save has succeeded, also where folders cannot be synced."""
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(str(old), NEW)
    assert old.read_bytes() == b"".join(NEW)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_new_file_gets_the_permissions_that_the_umask_asks_for(tmp_path: Path, umask: int, mode: int) -> None:
    """A temporary file is private by habit; the final one has ordinary permissions."""
    before = os.umask(umask)
    try:
        write_atomically(str(tmp_path / "m"), [b"x"])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == mode


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o444])
def test_a_replaced_file_keeps_its_permissions(old: Path, mode: int) -> None:
    """Who could read the old content can read the new one, and nobody else, at no time."""
    old.chmod(mode)
    modes: list[int] = []

    def parts() -> Iterator[bytes]:
        modes.extend(stat.S_IMODE(file.stat().st_mode) for file in old.parent.iterdir())
        yield b"new"

    write_atomically(str(old), parts())
    assert modes == [mode, mode]
    assert stat.S_IMODE(old.stat().st_mode) == mode


def test_a_link_is_followed(old: Path, tmp_path: Path) -> None:
    """Writing through a link changes the file that it points to, and leaves the link."""
    link = tmp_path / "link"
    link.symlink_to(old)
    write_atomically(str(link), NEW)
    assert link.is_symlink()
    assert old.read_bytes() == b"".join(NEW)


def test_a_link_to_nothing_makes_the_file(tmp_path: Path) -> None:
    """A link whose file does not exist yet gets one."""
    (tmp_path / "link").symlink_to(tmp_path / "later")
    write_atomically(str(tmp_path / "link"), [b"x"])
    assert (tmp_path / "later").read_bytes() == b"x"


def test_a_relative_path_is_fine(tmp_path: Path) -> None:
    """A bare file name means the working directory."""
    write_atomically("bare", [b"x"])
    assert (tmp_path / "bare").read_bytes() == b"x"


def test_the_folder_may_change_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare file name means the working directory of when the writing began."""
    (tmp_path / "other").mkdir()

    def parts() -> Iterator[bytes]:
        monkeypatch.chdir(tmp_path / "other")
        yield b"x"

    write_atomically("bare", parts())
    assert (tmp_path / "bare").read_bytes() == b"x"
    assert os.listdir(tmp_path / "other") == []


@pytest.mark.parametrize("path", ["missing/m", "folder"])
def test_a_place_that_takes_no_file_is_an_os_error(tmp_path: Path, path: str) -> None:
    """A folder that does not exist, or stands in the way, is Python's own error."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"No such file|Is a directory"):
        write_atomically(str(tmp_path / path), [b"x"])
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.timeout(60)
def test_a_reader_never_sees_half_a_file(old: Path) -> None:
    """While two writers replace a file again and again, every reader gets one of the two contents whole."""
    contents = [b"a" * 100_000, b"b" * 50_000]
    write_atomically(str(old), contents[:1])
    writers = [
        threading.Thread(target=lambda c=content: [write_atomically(str(old), [c]) for _ in range(20)])
        for content in contents
    ]
    for writer in writers:
        writer.start()
    reads = 0
    while any(writer.is_alive() for writer in writers):
        assert old.read_bytes() in contents
        reads += 1
    assert reads
    assert os.listdir(old.parent) == ["m"]

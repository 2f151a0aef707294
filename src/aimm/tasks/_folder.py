"""The folder that artifacts are kept in: its list ``artifacts.json``, and how an artifact gets to its place there.

Before anything moves, the list says so under ``pending``; from then on the artifact is as good as written, and whoever
opens the folder next finishes what a killed process has begun.
"""

import json
import os
import secrets
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from aimm.errors import ArtifactError
from aimm.store._atomic import sync_folder, temporary_name, write_atomically

MANIFEST = "artifacts.json"
"""The file beside the artifacts that says what they are."""
_writing = threading.Lock()
"""Steps that run side by side write one list."""


class ArtifactInfo(NamedTuple):
    """One artifact as ``artifacts.json`` has it.

    Attributes:
        name: Its name.
        path: Where it lies, relative to the folder, with forward slashes.
        is_folder: Whether it is a folder.
        sha256: Its digest: of the file, or of the names and files of the folder.
        size: Its size in bytes.
        type: The type that its handler gives back.
        handler: Full name of the handler.
        plugin: Plugin that the handler came from.
        distribution: Distribution of that plugin, if known.
        version: Version of that distribution.
        created: When, in ISO 8601, UTC.
    """

    name: str
    path: str
    is_folder: bool
    sha256: str
    size: int
    type: str
    handler: str
    plugin: str
    distribution: str | None
    version: str | None
    created: str


class _Pending(NamedTuple):
    """An artifact on its way to its place.

    Attributes:
        info: What it is.
        staged: Where it comes from, relative to the folder.
        aside: Where what is in its place goes meanwhile, relative to the folder.
    """

    info: ArtifactInfo
    staged: str
    aside: str


class _Content(NamedTuple):
    infos: dict[str, ArtifactInfo]
    pending: _Pending | None = None


def read_artifacts(directory: str | os.PathLike[str]) -> dict[str, ArtifactInfo]:
    """What ``artifacts.json`` says is in a folder, by name; empty if there is none.

    Raises:
        ArtifactError: The file is damaged.
    """
    folder = Path(os.path.abspath(directory))
    content = _read(folder)
    if content.pending is not None:
        with suppress(OSError), locked(folder):  # a disk that is read-only stays as it is
            return _settled(folder)
    return content.infos


def place(folder: Path, written: Path, info: ArtifactInfo) -> None:
    """Move an artifact to its place and into the list, in the stead of what it replaces.

    Args:
        folder: The folder of the artifacts.
        written: Where the artifact lies: in a folder below that one.
        info: What it is.

    Raises:
        ArtifactError: Its place is that of something else; nothing was changed.
        OSError: The disk failed; nothing was changed.
    """
    with locked(folder):
        known = _settled(folder)
        _check_free(known, info, folder)
        aside = f".{info.path}.{secrets.token_hex(4)}.old"
        pending = _Pending(info, written.relative_to(os.path.realpath(folder)).as_posix(), aside)
        _write(folder, _Content(known, pending))
        try:
            _move(folder, pending)
        except BaseException:
            _write(folder, _Content(known))
            raise
        _finish(folder, known, pending)


@contextmanager
def staging(folder: Path, name: str) -> Iterator[Path]:
    """A new folder below another one, for a handler to write into; it is gone afterwards.

    Those that killed processes have left behind are removed first.

    Args:
        folder: The folder of the artifacts.
        name: Name of the artifact.

    Raises:
        ArtifactError: The list of the folder is damaged.
    """
    with locked(folder):
        _settled(folder)
        for left in folder.glob(".*.tmp"):
            if left.name.startswith(f".{MANIFEST}."):  # who writes the list has the lock
                _remove(left)
            elif left.is_dir() and not left.is_symlink() and (lock := _hold(left)) is not None:
                _remove(left)
                os.close(lock)
        path = folder / temporary_name(name)
        path.mkdir()
        lock = _hold(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other threads and processes from writing into a folder; on POSIX the lock is on the folder itself."""
    with _writing:
        if sys.platform == "win32":  # a folder cannot be locked there
            import msvcrt

            descriptor = os.open(folder / ".artifacts.lock", os.O_RDWR | os.O_CREAT)
            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            descriptor = os.open(folder, os.O_RDONLY)
            with suppress(OSError):  # some network disks cannot; there only threads exclude each other
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(descriptor)


def _hold(folder: Path) -> int | None:
    """Lock a folder for as long as this process lives; None if another one has it, or if it cannot be locked."""
    if sys.platform == "win32":
        return None
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def digest(path: Path) -> str:
    """SHA-256 of a file; of a folder, that of its names, kinds and files."""
    import hashlib

    if not path.is_dir():
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    total = hashlib.sha256()
    for member in members(path):
        kind = "link" if member.is_symlink() else "folder" if member.is_dir() else "file"
        content = os.readlink(member) if kind == "link" else digest(member) if kind == "file" else ""
        total.update(json.dumps([member.relative_to(path).as_posix(), kind, content]).encode())
    return total.hexdigest()


def members(folder: Path) -> list[Path]:
    """Everything in a folder, at any depth, in order."""
    return sorted(folder.rglob("*"))


def _settled(folder: Path) -> dict[str, ArtifactInfo]:
    """The list, after what a killed process has begun was finished; or undone, if its file is lost."""
    infos, pending = _read(folder)
    if pending is None:
        return infos
    staged, target, aside = folder / pending.staged, folder / pending.info.path, folder / pending.aside
    if os.path.lexists(staged):
        _move(folder, pending)
        with suppress(OSError):
            os.rmdir(staged.parent)
    elif not os.path.lexists(target) or digest(target) != pending.info.sha256:
        if os.path.lexists(aside) and not os.path.lexists(target):
            os.rename(aside, target)
        _write(folder, _Content(infos))
        return infos
    return _finish(folder, infos, pending)


def _move(folder: Path, pending: _Pending) -> None:
    """Rename into place. What is there gives way first where a rename cannot replace it, and comes back on failure."""
    staged, target, aside = folder / pending.staged, folder / pending.info.path, folder / pending.aside
    if not pending.info.is_folder and not target.is_dir():
        os.replace(staged, target)
        return
    if gives_way := os.path.lexists(target):
        os.rename(target, aside)
    try:
        os.rename(staged, target)
    except BaseException:
        if gives_way:
            os.rename(aside, target)
        raise


def _finish(folder: Path, infos: dict[str, ArtifactInfo], pending: _Pending) -> dict[str, ArtifactInfo]:
    """The artifact is in its place: remove what it replaces, and put it into the list."""
    name = pending.info.name
    with suppress(OSError):
        sync_folder(str(folder))
    _remove(folder / pending.aside)
    if name in infos and infos[name].path != pending.info.path:
        _remove(folder / infos[name].path)
    infos = {**infos, name: pending.info}
    _write(folder, _Content(infos))
    return infos


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _check_free(known: Mapping[str, ArtifactInfo], info: ArtifactInfo, folder: Path) -> None:
    wanted = info.path.casefold()
    if wanted == MANIFEST or wanted.startswith("."):
        raise ArtifactError(info.name, info.handler, f"its file cannot be called {info.path!r}")
    for other in known.values():
        if other.name != info.name and other.path.casefold() == wanted:
            raise ArtifactError(
                info.name, info.handler, f"its file {info.path} is that of the artifact {other.name!r}: rename one"
            )
    if os.path.lexists(folder / info.path) and all(other.path != info.path for other in known.values()):
        raise ArtifactError(info.name, info.handler, f"{folder / info.path} exists and is no artifact: remove it first")


def _read(folder: Path) -> _Content:
    path = folder / MANIFEST
    try:
        with open(path, encoding="utf-8") as file:
            content: Any = json.load(file)
        infos = [_info(entry) for entry in content["artifacts"]]
        pending = _pending(folder, content["pending"]) if "pending" in content else None
        return _Content({info.name: info for info in infos}, pending)
    except FileNotFoundError:
        return _Content({})
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        message = f"{path} is damaged ({type(error).__name__}: {error}): move the folder away, or remove the file"
        raise ArtifactError(MANIFEST, None, message) from None


def _info(entry: Any) -> ArtifactInfo:
    info = ArtifactInfo(**entry)
    return info._replace(path=_inside(info.path))


def _pending(folder: Path, entry: Any) -> _Pending:
    """What moves, and is removed, lies in the folder, whoever wrote the list."""
    staging, _, rest = entry["staged"].partition("/")
    if not _inside(staging).endswith(".tmp") or (folder / staging).is_symlink() or ".." in rest.split("/"):
        raise ValueError(f"{entry['staged']!r} is no place for an artifact")
    if not _inside(entry["aside"]).endswith(".old"):
        raise ValueError(f"{entry['aside']!r} is no place for an artifact")
    return _Pending(_info(entry["artifact"]), entry["staged"], entry["aside"])


def _inside(name: str) -> str:
    if name in ("", ".", "..") or os.path.basename(name) != name or "\0" in name:
        raise ValueError(f"{name!r} is no name in the folder")
    return name


def _write(folder: Path, content: _Content) -> None:
    document: dict[str, Any] = {"artifacts": [info._asdict() for info in content.infos.values()]}
    if content.pending is not None:
        info, staged, aside = content.pending
        document["pending"] = {"artifact": info._asdict(), "staged": staged, "aside": aside}
    write_atomically(str(folder / MANIFEST), [json.dumps(document, indent=2).encode()])

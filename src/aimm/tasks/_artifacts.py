"""Writing and reading artifacts: whole or not at all, inside their folder, and written down in ``artifacts.json``."""

import json
import os
import secrets
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from aimm.errors import ArtifactError, PluginExitError
from aimm.store._atomic import write_atomically
from aimm.tasks._records import HandlerRecord

MANIFEST = "artifacts.json"
"""The file beside the artifacts that says what they are."""
_MAX_NAME = 200
_writing = threading.Lock()
"""Steps that run side by side write one manifest."""


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


def save_artifact(
    directory: str | os.PathLike[str],
    name: str,
    contents: Any,
    handler: HandlerRecord,
    args: Mapping[str, Any] | None = None,
) -> ArtifactInfo:
    """Have a handler write an artifact, and write it down in ``artifacts.json``.

    The handler writes into a folder of its own; only what it returns is moved to its place, by a rename. An artifact
    of this name that is there already is replaced.

    Args:
        directory: Where artifacts are kept; made if it is missing.
        name: Name of the artifact.
        contents: The value.
        handler: Who writes it, as ``find_handler`` gives it.
        args: Further arguments of ``serialize``.

    Returns:
        What was written.

    Raises:
        ArtifactError: The name leaves the folder, an argument is wrong or unknown, the handler did not write what it
            says it did, or another artifact has the same file; nothing was changed.
        PluginExitError: The handler called ``sys.exit``.
    """
    check_name(name, handler.class_name)
    given = check_arguments(name, handler, args or {})
    folder = Path(os.path.abspath(directory))
    folder.mkdir(parents=True, exist_ok=True)
    staging = folder / f".{name}.{secrets.token_hex(4)}.tmp"
    staging.mkdir()
    try:
        with _explained("serialize", name, handler):
            returned = handler.handler.serialize(staging, name, contents, **given)
        written = _inside(staging, returned, name, handler)
        info = _described(written, staging, name, handler)
        with _writing:
            known = _read(folder)
            _check_free(known, info, folder)
            _put(written, folder / info.path)
            _write(folder, {**known, name: info})
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return info


def load_artifact(
    directory: str | os.PathLike[str],
    artifact: "ArtifactInfo | str | os.PathLike[str]",
    handler: HandlerRecord,
    args: Mapping[str, Any] | None = None,
) -> Any:
    """Have a handler read an artifact.

    Args:
        directory: The folder that it lies in.
        artifact: What ``save_artifact`` or ``read_artifacts`` gave, of which the digest is checked first; or a path
            relative to the folder.
        handler: Who reads it.
        args: Keyword arguments of ``deserialize``.

    Raises:
        ArtifactError: It is not there, lies outside, or was altered.
        PluginExitError: The handler called ``sys.exit``.
    """
    name, path = (artifact.name, artifact.path) if isinstance(artifact, ArtifactInfo) else (str(artifact), artifact)
    if "\0" in str(path):
        raise ArtifactError(name, handler.class_name, "its path has a NUL character")
    folder = Path(os.path.abspath(directory))
    found = _inside(folder, folder / path, name, handler)
    if isinstance(artifact, ArtifactInfo) and digest(found) != artifact.sha256:
        raise ArtifactError(name, handler.class_name, f"{found} was altered: its digest is not the one in {MANIFEST}")
    relative = found.relative_to(os.path.realpath(folder))
    with _explained("deserialize", name, handler):
        return handler.handler.deserialize(folder, str(relative), **(args or {}))


def read_artifacts(directory: str | os.PathLike[str]) -> dict[str, ArtifactInfo]:
    """What ``artifacts.json`` says is in a folder, by name; empty if there is none.

    Raises:
        ArtifactError: The file is damaged.
    """
    return _read(Path(directory))


def check_name(name: Any, handler: str | None = None) -> None:
    """Refuse names that are no plain file name.

    Raises:
        ArtifactError: The name is one.
    """
    if not isinstance(name, str) or not name.strip():
        raise ArtifactError(str(name), handler, "its name must be a string that is not blank")
    problem = None
    if any(character in name for character in '/\\:*?"<>|') or not name.isprintable():
        problem = 'has one of / \\ : * ? " < > | or a control character'
    elif name.startswith(".") or name.endswith((".", " ")):
        problem = "begins with a dot, or ends with a dot or a space"
    elif len(name.encode("utf-8", "surrogatepass")) > _MAX_NAME:
        problem = f"is longer than {_MAX_NAME} bytes"
    elif name.casefold() == MANIFEST:
        problem = "is that of the file which lists all artifacts"
    if problem:
        raise ArtifactError(name, handler, f"its name {problem}, and must be usable as the name of a file")


def check_arguments(name: str, handler: HandlerRecord, args: Mapping[str, Any]) -> dict[str, Any]:
    """Check the arguments of a handler against its schema.

    Raises:
        ArtifactError: One is wrong, unknown or missing.
    """
    given = dict(args)
    if given or handler.schema["required"]:
        from jsonschema import Draft202012Validator

        problems = [
            f"{'.'.join(['args', *map(str, error.absolute_path)])}: {error.message}"
            for error in Draft202012Validator(handler.schema).iter_errors(given)
        ]
        if problems:
            known = ", ".join(handler.schema["properties"]) or "none"
            raise ArtifactError(name, handler.class_name, f"{'; '.join(sorted(problems))} (arguments: {known})")
    return given


def digest(path: Path) -> str:
    """SHA-256 of a file; of a folder, that of its names, kinds and files."""
    import hashlib

    if not path.is_dir():
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    total = hashlib.sha256()
    for member in _members(path):
        kind = "link" if member.is_symlink() else "folder" if member.is_dir() else "file"
        content = os.readlink(member) if kind == "link" else digest(member) if kind == "file" else ""
        total.update(json.dumps([member.relative_to(path).as_posix(), kind, content]).encode())
    return total.hexdigest()


def _members(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def _inside(folder: Path, returned: Any, name: str, handler: HandlerRecord) -> Path:
    """The real path of what lies in a folder; nothing in it leads out."""
    if not isinstance(returned, (str, os.PathLike)):
        message = f"serialize must return the path of what it wrote, not {type(returned).__name__}"
        raise ArtifactError(name, handler.class_name, message)
    root = Path(os.path.realpath(folder))
    found = Path(os.path.realpath(folder / os.fspath(returned)))
    if found == root or not found.is_relative_to(root):
        raise ArtifactError(name, handler.class_name, f"the path {returned} leads out of the folder of the artifact")
    if not found.is_file() and not found.is_dir():
        raise ArtifactError(name, handler.class_name, f"there is no file and no folder {returned}")
    if found.is_dir():
        for member in _members(found):
            if member.is_symlink() and not Path(os.path.realpath(member)).is_relative_to(found):
                raise ArtifactError(name, handler.class_name, f"the link {member.name} leads out of the artifact")
    return found


def _described(written: Path, staging: Path, name: str, handler: HandlerRecord) -> ArtifactInfo:
    files = [member for member in _members(written) if member.is_file() and not member.is_symlink()]
    files = files if written.is_dir() else [written]
    for file in files:
        with open(file, "rb") as opened:
            os.fsync(opened.fileno())
    source = handler.source
    return ArtifactInfo(
        name,
        written.name,
        written.is_dir(),
        digest(written),
        sum(file.stat().st_size for file in files),
        str(handler.output),
        handler.name,
        source.plugin or source.module,
        source.distribution,
        source.version,
        datetime.now(UTC).isoformat(timespec="seconds"),
    )


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


def _put(written: Path, target: Path) -> None:
    """Rename into place. What is there gives way first where a rename cannot replace it, and comes back on failure."""
    if not target.is_dir() and not written.is_dir():
        os.replace(written, target)
        return
    old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    if replaces := os.path.lexists(target):
        os.rename(target, old)
    try:
        os.rename(written, target)
    except BaseException:
        if replaces:
            os.rename(old, target)
        raise
    if replaces:
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink()


def _read(folder: Path) -> dict[str, ArtifactInfo]:
    path = folder / MANIFEST
    try:
        with open(path, encoding="utf-8") as file:
            entries = json.load(file)["artifacts"]
        return {entry["name"]: ArtifactInfo(**entry) for entry in entries}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        message = f"{path} is damaged ({type(error).__name__}: {error}): move the folder away, or remove the file"
        raise ArtifactError(MANIFEST, None, message) from None


def _write(folder: Path, infos: Mapping[str, ArtifactInfo]) -> None:
    entries = [info._asdict() for info in infos.values()]
    write_atomically(str(folder / MANIFEST), [json.dumps({"artifacts": entries}, indent=2).encode()])


@contextmanager
def _explained(action: str, name: str, handler: HandlerRecord) -> Iterator[None]:
    """Whatever a handler raises passes as itself, with a note that says whose it is."""
    owner = handler.source.describe()
    try:
        yield
    except SystemExit as error:
        raise PluginExitError(action, handler.name, owner, repr(error.code)) from error
    except Exception as error:
        with suppress(Exception):  # a frozen exception takes no note, but must pass as itself
            error.add_note(f"raised by {owner} in {action} of the artifact {name!r} ({handler.name})")
        raise

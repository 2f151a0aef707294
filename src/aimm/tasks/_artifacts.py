"""Writing and reading artifacts by their handlers: whole or not at all, and inside their folder."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aimm.errors import ArtifactError, PluginExitError
from aimm.store._atomic import sync_folder
from aimm.tasks._folder import MANIFEST, ArtifactInfo, digest, members, place, read_artifacts, staging
from aimm.tasks._records import HandlerRecord

__all__ = [
    "ArtifactInfo",
    "check_arguments",
    "check_name",
    "digest",
    "load_artifact",
    "read_artifacts",
    "save_artifact",
]

_MAX_NAME = 200


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
    with staging(folder, name) as own:
        with _explained("serialize", name, handler):
            returned = handler.handler.serialize(own, name, contents, **given)
        written = _inside(own, returned, name, handler)
        info = _described(written, name, handler)
        place(folder, written, info)
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
        for member in members(found):
            if member.is_symlink() and not Path(os.path.realpath(member)).is_relative_to(found):
                raise ArtifactError(name, handler.class_name, f"the link {member.name} leads out of the artifact")
    return found


def _described(written: Path, name: str, handler: HandlerRecord) -> ArtifactInfo:
    files = [member for member in members(written) if member.is_file() and not member.is_symlink()]
    files = files if written.is_dir() else [written]
    for file in files:
        with open(file, "rb") as opened:
            os.fsync(opened.fileno())
    for holder in {file.parent for file in files}:
        sync_folder(str(holder))
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

"""Reading finished runs: every folder with a ``metadata.json`` of ours."""

import json
import os
from collections.abc import Iterator
from typing import Any

from aimm.errors import RunNotFoundError, TrainError
from aimm.train._outputs import METADATA
from aimm.train._remote import connect, is_remote, local_path

FORMAT = "aimm-run"
FORMAT_VERSION = 1
_DEPTH = 4
"""How many folders deep runs are looked for."""


def list_runs(artifact_path: str) -> list[dict[str, Any]]:
    """Every finished run at or under a path, newest first.

    Args:
        artifact_path: A path or URL.

    Returns:
        The content of each ``metadata.json``, with its place as ``path``; unfinished runs and foreign files are left
        out.

    Raises:
        RunNotFoundError: There is no such folder.
        TrainError: It cannot be reached.
    """
    found = []
    for path, text in _remote(artifact_path) if is_remote(artifact_path) else _local(local_path(artifact_path)):
        record = _record(text)
        if isinstance(record, dict):
            found.append({"path": path, **record})
    return sorted(found, key=lambda record: (str(record.get("started")), record["path"]), reverse=True)


def read_run(path: str) -> dict[str, Any]:
    """One finished run.

    Args:
        path: The path or URL where it is.

    Returns:
        The content of its ``metadata.json``, with its place as ``path``.

    Raises:
        RunNotFoundError: There is none, or something that this version cannot read.
        TrainError: It cannot be reached.
    """
    if is_remote(path):
        shown, text = path.rstrip("/"), _remote_text(path)
    else:
        shown = local_path(path)
        text = _text(os.path.join(shown, METADATA))
    if text is None:
        raise RunNotFoundError(
            shown, f"there is no finished run here (no {METADATA}); 'aimm runs list' shows what there is"
        )
    record = _record(text)
    if isinstance(record, str):
        raise RunNotFoundError(shown, record)
    return {"path": shown, **record}


def _record(text: bytes) -> dict[str, Any] | str:
    """The content of a ``metadata.json``, or why it is none of ours."""
    try:
        record = json.loads(text)
    except ValueError as error:
        return f"its {METADATA} is damaged: {error}"
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        return f"its {METADATA} was not written by aimm"
    if record.get("format_version") != FORMAT_VERSION:
        return f"its {METADATA} has format version {record.get('format_version')!r}; this aimm reads {FORMAT_VERSION}"
    return record


def _local(root: str) -> Iterator[tuple[str, bytes]]:
    if not os.path.isdir(root):
        raise RunNotFoundError(root, "there is no such folder")
    for folder, folders, names in os.walk(root):
        if METADATA in names:
            folders.clear()  # a run holds no other
            text = _text(os.path.join(folder, METADATA))
            if text is not None:
                yield folder, text
        is_deep = os.path.relpath(folder, root).count(os.sep) >= _DEPTH - 1
        folders[:] = [] if is_deep else sorted(name for name in folders if not name.startswith("."))


def _text(file: str) -> bytes | None:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise TrainError(f"{file} cannot be read: {error.strerror}") from error


def _remote(url: str) -> Iterator[tuple[str, bytes]]:
    filesystem, root = connect(url)
    protocol = url.partition("://")[0]
    try:
        names = filesystem.find(root, maxdepth=_DEPTH + 1)
        for name in names:
            if name.endswith(f"/{METADATA}") and "/." not in name[len(root) :]:
                yield f"{protocol}://{name.removesuffix(f'/{METADATA}').lstrip('/')}", filesystem.cat_file(name)
    except Exception as error:
        raise TrainError(f"{url} cannot be read: {type(error).__name__}: {error}") from error


def _remote_text(url: str) -> bytes | None:
    filesystem, root = connect(url)
    try:
        text: bytes = filesystem.cat_file(f"{root}/{METADATA}")
    except FileNotFoundError:
        return None
    except Exception as error:
        raise TrainError(f"{url} cannot be read: {type(error).__name__}: {error}") from error
    return text

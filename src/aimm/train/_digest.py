"""SHA-256 of files, folders, and data as a data access returns it."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

_CHUNK = 1 << 20


def file_digest(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's content, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_digest(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's content; of a folder, that of the names and digests of all files in it."""
    if not os.path.isdir(path):
        return file_digest(path)
    found = []
    for folder, _, names in os.walk(path):
        for name in names:
            file = os.path.join(folder, name)
            found.append((os.path.relpath(file, path).replace(os.sep, "/"), file))
    total = hashlib.sha256()
    for name, file in sorted(found):
        total.update(f"{file_digest(file)}  {name}\n".encode())
    return total.hexdigest()


def data_digest(data: Any) -> str | None:
    """The SHA-256 of data in memory: equal data, equal digest, in every process.

    Args:
        data: Mappings, sequences, sets, text, bytes, numbers, NumPy arrays, pandas objects, and nests of them.

    Returns:
        Hexadecimal; None if there is something else in it.
    """
    total = hashlib.sha256()
    try:
        _feed(data, total.update)
    except _UnknownData:
        return None
    return total.hexdigest()


class _UnknownData(Exception):
    """Internal: data of a kind that has no digest."""


def _feed(data: Any, update: Callable[[bytes], None]) -> None:
    """Write data in a form from which nothing else could have come: kind, length, content."""
    if data is None or isinstance(data, (bool, int, float, complex, str)):
        text = repr(data).encode()
        update(b"%s:%d:%s;" % (type(data).__name__.encode(), len(text), text))
    elif isinstance(data, (bytes, bytearray, memoryview)):
        update(b"bytes:%d:" % len(bytes(data)) + bytes(data))
    elif isinstance(data, Mapping):
        update(b"map:%d:" % len(data))
        for key, value in data.items():
            _feed(key, update)
            _feed(value, update)
    elif hasattr(data, "dtype") and hasattr(data, "tobytes"):
        _feed_array(data, update)
    elif hasattr(data, "columns") and hasattr(data, "items"):  # a data frame
        update(b"frame:")
        _feed({str(name): column for name, column in data.items()}, update)
    elif hasattr(data, "to_numpy"):  # a column, an index
        _feed_array(data.to_numpy(), update)
    elif isinstance(data, Set):
        update(b"set:%d:" % len(data))
        for digest in sorted(data_digest(item) or _refuse(item) for item in data):
            update(digest.encode())
    elif isinstance(data, Sequence):
        update(b"list:%d:" % len(data))
        for item in data:
            _feed(item, update)
    else:
        _refuse(data)


def _feed_array(array: Any, update: Callable[[bytes], None]) -> None:
    if array.dtype.hasobject:
        update(b"objects:")
        _feed([list(array.shape), array.tolist()], update)
        return
    update(f"array:{array.dtype.str}:{tuple(array.shape)}:".encode())
    update(array.tobytes())


def _refuse(data: Any) -> str:
    raise _UnknownData(type(data).__name__)

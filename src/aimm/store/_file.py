"""The model file: magic, format version, JSON header, then the bytes of ``exec_serialize``.

::

    offset  size  content
    0       8     magic: 89 41 49 4D 4D 0D 0A 1A (a text-mode copy breaks it, as with PNG)
    8       2     format version, big-endian
    10      4     length of the header, big-endian
    14      32    SHA-256 of the header
    46      n     header: JSON in UTF-8, with the length and SHA-256 of the payload
    46+n    m     payload, to the end of the file

Everything is checked before any plugin is imported. To change the layout, raise ``FORMAT_VERSION`` and keep the old
reader.
"""

import hashlib
import json
import os
import platform
import shlex
import struct
import warnings
from datetime import UTC, datetime
from typing import Any, BinaryIO, NamedTuple

import aimm
from aimm import plugins
from aimm.errors import (
    DamagedFileError,
    ForeignFileError,
    FormatVersionError,
    PayloadError,
    PluginContractWarning,
    PluginNotFoundError,
)
from aimm.store._atomic import write_atomically

MAGIC = b"\x89AIMM\r\n\x1a"
FORMAT_VERSION = 1
"""The version of the layout that is written, and the only one so far."""
MAX_HEADER = 1 << 20
"""Largest header in bytes; a forged length must not make a reader allocate what it likes."""
_PREFIX = struct.Struct(">8sHI32s")


class Header(NamedTuple):
    """What a model file says about its model.

    Attributes:
        model_type: Model type that deserialises the payload.
        distribution: Distribution whose plugin serialised it; None for a plugin without one.
        version: Version of that distribution.
        aimm: Version of ``aimm`` that wrote the file.
        python: Version of Python that wrote the file.
        created: When, in ISO 8601, UTC.
        sha256: SHA-256 of the payload, hexadecimal.
        length: Length of the payload in bytes.
    """

    model_type: str
    distribution: str | None
    version: str | None
    aimm: str
    python: str
    created: str
    sha256: str
    length: int


def save_model(
    path: str | os.PathLike[str],
    model_type: str,
    instance: Any,
    *,
    manager: plugins.PluginManager = plugins.default_manager,
) -> Header:
    """Serialise an instance and write it to a model file, whole or not at all.

    Args:
        path: Where the file goes; an existing file is replaced.
        model_type: Model type of the instance.
        instance: The instance.
        manager: Whose plugins serialise it.

    Returns:
        The header that was written.

    Raises:
        PayloadError: The plugin's ``serialize`` did not return bytes.
        OSError: The file could not be written; what stood there before is untouched.
    """
    owner = manager.owner(model_type, "serialize")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginContractWarning)  # the error below says the same
        payload = _as_bytes(os.fspath(path), manager.exec_serialize(model_type, instance), model_type)
    header = Header(
        model_type,
        owner.distribution,
        owner.version,
        aimm.__version__,
        platform.python_version(),
        datetime.now(UTC).isoformat(timespec="seconds"),
        hashlib.sha256(payload).hexdigest(),
        len(payload),
    )
    encoded = json.dumps(header._asdict(), sort_keys=True).encode()
    prefix = _PREFIX.pack(MAGIC, FORMAT_VERSION, len(encoded), hashlib.sha256(encoded).digest())
    write_atomically(os.fspath(path), [prefix, encoded, payload])
    return header


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read and check the header of a model file; the payload is neither read nor checked.

    Raises:
        ForeignFileError: It is no model file.
        FormatVersionError: Its format version is unknown.
        DamagedFileError: It is cut short or altered.
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        return _read_header(file, os.fspath(path))


def verify_model(path: str | os.PathLike[str]) -> Header:
    """Read and check a model file, header and payload; no plugin is needed for it.

    Raises:
        ForeignFileError: It is no model file.
        FormatVersionError: Its format version is unknown.
        DamagedFileError: It is cut short or altered.
        OSError: It cannot be read.
    """
    return _read_verified(os.fspath(path))[0]


def load_model(
    path: str | os.PathLike[str], *, manager: plugins.PluginManager = plugins.default_manager
) -> tuple[Header, Any]:
    """Verify a model file, then have its model type deserialise it.

    Args:
        path: The file.
        manager: Whose plugins deserialise it.

    Returns:
        Its header and the instance.

    Raises:
        ForeignFileError: It is no model file.
        FormatVersionError: Its format version is unknown.
        DamagedFileError: It is cut short or altered.
        PluginNotFoundError: No installed plugin owns its model type; a note says which distribution wrote it.
        OSError: It cannot be read.
    """
    name = os.fspath(path)
    header, payload = _read_verified(name)
    try:
        return header, manager.exec_deserialize(header.model_type, payload)
    except PluginNotFoundError as error:
        if header.distribution:
            wanted = shlex.quote(f"{header.distribution}=={header.version}")
            error.add_note(f"{name} was written by {header.distribution} {header.version}; pip install {wanted}")
        raise


def _as_bytes(path: str, payload: Any, model_type: str) -> bytes:
    if isinstance(payload, bytes):
        return payload
    try:
        # A copy, for what can change must not do so between the digest and the writing.
        return memoryview(payload).tobytes()
    except (TypeError, ValueError, BufferError):
        kind = type(payload).__name__
        message = f"serialize of {model_type!r} returned {kind}, not bytes; nothing was written"
        raise PayloadError(path, message) from None


def _read_verified(path: str) -> tuple[Header, bytes]:
    with open(path, "rb") as file:
        header = _read_header(file, path)
        payload = file.read()
    if hashlib.sha256(payload).hexdigest() != header.sha256:
        raise DamagedFileError(path, "its payload was altered: the SHA-256 in the header does not match")
    return header, payload


def _read_header(file: BinaryIO, path: str) -> Header:
    prefix = file.read(_PREFIX.size)
    if not prefix or not MAGIC.startswith(prefix[: len(MAGIC)]):
        raise ForeignFileError(path, _describe_foreign(prefix))
    if len(prefix) < _PREFIX.size:
        raise DamagedFileError(path, f"it ends after {len(prefix)} bytes, inside its own prefix")
    _, version, length, digest = _PREFIX.unpack(prefix)
    if version != FORMAT_VERSION:
        raise FormatVersionError(
            path, f"it has format version {version}, this aimm reads version {FORMAT_VERSION}: upgrade aimm-plugins"
        )
    if length > MAX_HEADER:
        raise DamagedFileError(path, f"its header claims {length} bytes, more than the {MAX_HEADER} that are allowed")
    encoded = file.read(length)
    if len(encoded) < length or hashlib.sha256(encoded).digest() != digest:
        raise DamagedFileError(path, "its header is cut short or was altered: its SHA-256 does not match")
    header = _parse(encoded, path)
    held = os.fstat(file.fileno()).st_size - _PREFIX.size - length
    if held != header.length:
        raise DamagedFileError(path, f"its payload should have {header.length} bytes and has {held}")
    return header


def _parse(encoded: bytes, path: str) -> Header:
    try:
        header = Header(**json.loads(encoded))
    except (ValueError, TypeError, RecursionError):
        raise DamagedFileError(path, "its header is not what this format version prescribes") from None
    texts = (header.model_type, header.aimm, header.python, header.created, header.sha256)
    origin = ["" if value is None else value for value in (header.distribution, header.version)]
    well_formed = all(isinstance(text, str) for text in (*texts, *origin)) and all(map(str.isprintable, origin))
    if not well_formed or type(header.length) is not int or header.length < 0:
        raise DamagedFileError(path, "its header is not what this format version prescribes")
    return header


def _describe_foreign(start: bytes) -> str:
    if not start:
        return "it is empty, not a model file"
    if MAGIC[1:5] in start:
        return "it was altered by a text-mode copy, which a binary file does not survive: copy it again"
    return "it is not a model file of aimm (its first bytes are wrong)"

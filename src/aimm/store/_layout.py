"""The model file: magic, format version, JSON header, then the bytes of ``exec_serialize``.

::

    offset  size  content
    0       8     magic: 89 41 49 4D 4D 0D 0A 1A (a text-mode copy breaks it, as with PNG)
    8       2     format version, big-endian
    10      4     length of the header, big-endian
    14      32    SHA-256 of the header
    46      32    HMAC-SHA-256 of the 46 bytes before, or zeros; format version 1 does not have it
    78      n     header: JSON in UTF-8, with the length and SHA-256 of the payload
    78+n    m     payload, to the end of the file

The digest of the header stands for the whole file, for the header has that of the payload: it is what is signed, and
by which the store finds a file. To change the layout, raise ``FORMAT_VERSION`` and keep the old reader.
"""

import hashlib
import json
import struct
from collections.abc import Callable
from operator import itemgetter
from types import NoneType
from typing import Any, NamedTuple

from aimm.errors import DamagedFileError, ForeignFileError, FormatVersionError

MAGIC = b"\x89AIMM\r\n\x1a"
FORMAT_VERSION = 2
"""The version of the layout that is written; those from 1 on are read."""
MAX_HEADER = 1 << 20
"""Largest header in bytes; a forged length must not make a reader allocate what it likes."""
PREFIX = struct.Struct(">8sHI32s")
UNSIGNED = bytes(32)
_ENCODER = json.JSONEncoder(sort_keys=True)

_MISSHAPEN = "its header is not what this format version prescribes"


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
        signed_by: Name of the key that signed the file; None if it is not signed.
        example: Input example and digest of its prediction, see :class:`Example`; None if there is none.
    """

    model_type: str
    distribution: str | None
    version: str | None
    aimm: str
    python: str
    created: str
    sha256: str
    length: int
    signed_by: str | None = None
    example: dict[str, Any] | None = None


class Head(NamedTuple):
    """Everything before the payload, checked.

    Attributes:
        header: The header.
        format_version: The format version.
        signature: The signature, or zeros.
        front: The bytes themselves.
    """

    header: Header
    format_version: int
    signature: bytes
    front: bytes

    @property
    def prefix(self) -> bytes:
        """The first 46 bytes, which a signature is made of."""
        return self.front[: PREFIX.size]

    @property
    def identity(self) -> str:
        """SHA-256 of the header, hexadecimal: no other content has it."""
        return identity_of(self.front)


def identity_of(front: bytes) -> str:
    """The SHA-256 of the header, hexadecimal, that stands at the start of a model file."""
    digest: bytes = PREFIX.unpack_from(front)[3]
    return digest.hex()


def build_head(header: Header, sign: Callable[[bytes], bytes] | None = None) -> bytes:
    """The bytes before the payload; their number does not depend on the digest in the header.

    Args:
        header: The header.
        sign: From the prefix to its signature.
    """
    encoded = _ENCODER.encode(header._asdict()).encode()
    prefix = PREFIX.pack(MAGIC, FORMAT_VERSION, len(encoded), hashlib.sha256(encoded).digest())
    return prefix + (UNSIGNED if sign is None else sign(prefix)) + encoded


def read_head(start: bytes, read: Callable[[int, int], bytes], size: int, path: str) -> Head:
    """Read and check everything before the payload.

    Args:
        start: Its first bytes, more than the prefix, or all of it.
        read: Gives the bytes from a place on, so many of them or what is left.
        size: Length of the whole file.
        path: The file, for messages.

    Raises:
        ForeignFileError: It is no model file.
        FormatVersionError: Its format version is unknown.
        DamagedFileError: It is cut short or altered.
    """
    if not start or not MAGIC.startswith(start[: len(MAGIC)]):
        raise ForeignFileError(path, _describe_foreign(start[: PREFIX.size]))
    if len(start) < PREFIX.size:
        raise DamagedFileError(path, f"it ends after {len(start)} bytes, inside its own prefix")
    _, version, length, digest = PREFIX.unpack_from(start)
    if version not in _KEYS:
        raise FormatVersionError(
            path,
            f"it has format version {version}, this aimm reads up to version {FORMAT_VERSION}: upgrade aimm-plugins",
        )
    if length > MAX_HEADER:
        raise DamagedFileError(path, f"its header claims {length} bytes, more than the {MAX_HEADER} that are allowed")
    begin = PREFIX.size + len(UNSIGNED) if version > 1 else PREFIX.size
    end = begin + length
    front = start[:end] if end <= len(start) else start + read(len(start), end - len(start))
    encoded = front[begin:]
    if len(encoded) < length or hashlib.sha256(encoded).digest() != digest:
        raise DamagedFileError(path, "its header is cut short or was altered: its SHA-256 does not match")
    header = _parse(encoded, version, path)
    signature = front[PREFIX.size : begin] or UNSIGNED
    if (header.signed_by is None) != (signature == UNSIGNED):
        raise DamagedFileError(path, "its signature was altered: header and signature do not say the same")
    if size - end != header.length:
        raise DamagedFileError(path, f"its payload should have {header.length} bytes and has {size - end}")
    return Head(header, version, signature, front)


_KEYS = {1: {*Header._fields[:8]}, 2: {*Header._fields}}
"""The keys of the header in each format version."""
_VALUES = {version: itemgetter(*[name for name in Header._fields if name in keys]) for version, keys in _KEYS.items()}
"""From a header to its values in order; to pass them by name takes three times as long."""


def _parse(encoded: bytes, version: int, path: str) -> Header:
    try:
        text = encoded.decode()
        found, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        raise DamagedFileError(path, _MISSHAPEN) from None
    if end < len(text) or not isinstance(found, dict) or found.keys() != _KEYS[version]:
        raise DamagedFileError(path, _MISSHAPEN)
    header = Header(*_VALUES[version](found))
    try:
        texts = "".join((header.model_type, header.aimm, header.python, header.created, header.sha256))
        names = "".join([name for name in (header.distribution, header.version, header.signed_by) if name is not None])
    except TypeError:  # one of them is no text
        raise DamagedFileError(path, _MISSHAPEN) from None
    # What is shown to people must not move their cursor; the first format was not strict about it.
    if not names.isprintable() or (version > 1 and not texts.isprintable()):
        raise DamagedFileError(path, _MISSHAPEN)
    if type(header.length) is not int or header.length < 0 or type(header.example) not in (dict, NoneType):
        raise DamagedFileError(path, _MISSHAPEN)
    return header


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of a key that stands twice, one reader takes the first and another the last.
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands twice")
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_once)  # one for all: to make it takes longer than to use it


def _describe_foreign(start: bytes) -> str:
    if not start:
        return "it is empty, not a model file"
    if MAGIC[1:5] in start:
        return "it was altered by a text-mode copy, which a binary file does not survive: copy it again"
    return "it is not a model file of aimm (its first bytes are wrong)"

"""Estimators to bytes and back, with skops: no pickle, and no type that is not trusted by name."""

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import skops.io

from aimm.plugins import ByteString
from aimm_sklearn import _contents, _estimators
from aimm_sklearn._trusted import PARTIALS, TRUSTED
from aimm_sklearn.errors import PayloadError, UntrustedTypesError

LARGEST_SCHEMA = 1 << 26
"""Largest description of an estimator in bytes; a forest of a thousand trees has some millions."""


def dump(model_type: str, instance: Any) -> bytes:
    """Write an estimator; what could not be read back is refused now, while the estimator still exists.

    Raises:
        PayloadError: It is not an instance of this model type, or skops cannot write it.
        UntrustedTypesError: It holds types that ``load`` would refuse.
    """
    _check_class(model_type, instance, "serialize was given")
    try:
        # The schema of a forest is megabytes of JSON; packed, it is a sixth of that.
        data: bytes = skops.io.dumps(instance, compression=zipfile.ZIP_DEFLATED)
        unknown = _unknown_types(data)
    except Exception as error:
        raise PayloadError(model_type, f"skops cannot write it: {type(error).__name__}: {error}") from error
    if unknown:
        raise UntrustedTypesError(model_type, unknown, "serialize")
    return data


def load(model_type: str, payload: ByteString) -> Any:
    """Read an estimator.

    Raises:
        PayloadError: The bytes are damaged, are not from ``dump``, or hold an instance of another model type.
        UntrustedTypesError: The bytes hold types that are not trusted; nothing of them was loaded.
    """
    data = bytes(payload)
    try:
        size = _unpacked_size(data)
        unknown = [] if size is not None else _unknown_types(data)
    except Exception as error:
        raise _damaged(model_type, error) from error
    if size is not None:
        raise PayloadError(model_type, f"the bytes unpack to {size:,} bytes, far more than a model of their size has")
    if unknown:
        raise UntrustedTypesError(model_type, unknown, "deserialize")
    try:
        instance = skops.io.loads(data, trusted=sorted(TRUSTED))
        _contents.check(instance)
    except Exception as error:
        raise _damaged(model_type, error) from error
    _check_class(model_type, instance, "the bytes hold")
    return instance


def _unpacked_size(data: bytes) -> int | None:
    """How large the bytes get, if that is a bomb; what the archive says of its members is what can be read of them."""
    with zipfile.ZipFile(BytesIO(data)) as file:
        schema, total = file.getinfo("schema.json").file_size, sum(member.file_size for member in file.infolist())
    if schema > LARGEST_SCHEMA or total > max(LARGEST_SCHEMA * 16, 100 * len(data)):
        return total
    return None


def _unknown_types(data: bytes) -> list[str]:
    unknown = {name for name in skops.io.get_untrusted_types(data=data) if name not in TRUSTED}
    with zipfile.ZipFile(BytesIO(data)) as file:
        schema = json.loads(file.read("schema.json"))
    # skops trusts a name for every way of building it, a plain call with arguments of the file's choice included.
    for node in _nodes(schema):
        name, loader = _name(node), node["__loader__"]
        if TRUSTED.get(name, loader) != loader:
            unknown.add(f"{name} (by {loader})")
        if loader == "PartialNode" and (function := _name(node["content"]["func"])) not in PARTIALS:
            unknown.add(f"{name} of {function}")
    return sorted(unknown)


def _name(node: dict[str, Any]) -> str:
    return f"{node['__module__']}.{node['__class__']}"


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every node of a skops schema, at any depth: what a loader makes an object of."""
    pending = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if isinstance(part.get("__loader__"), str):
                yield part
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)


def _check_class(model_type: str, instance: Any, what: str) -> None:
    expected, found = _estimators.get(model_type), type(instance)
    if found is not expected:
        problem = f"{what} a {found.__module__}.{found.__qualname__}; name the model type that it was fitted as"
        raise PayloadError(model_type, problem)


def _damaged(model_type: str, error: Exception) -> PayloadError:
    cause = f"{type(error).__name__}: {error}"
    return PayloadError(model_type, f"these are not the whole and unaltered bytes that serialize wrote ({cause})")

"""An input example: the arguments of one prediction, and the digest of what came out, as plain JSON.

Numbers, texts, bytes, lists, tuples, mappings and NumPy arrays; nothing that could run code when it is read.
"""

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from aimm.errors import ExampleError

MAX_EXAMPLE = 1 << 18
"""Largest example in bytes of JSON; it stands in the header, which is read whole."""
_ARRAY_KINDS = "biufcSUmM"  # everything but Python objects and records


class Example:
    """The arguments of one call of ``predict``, few and small, to be kept with a model.

    Args:
        *args: Positional arguments.
        **kwargs: Keyword arguments.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs


def record(example: Example, output: Any, path: str) -> dict[str, Any]:
    """What the header keeps of an example and the prediction that was made for it.

    Raises:
        ExampleError: They hold something that JSON cannot keep, or too much.
    """
    try:
        recorded = {
            "args": [_encode(value) for value in example.args],
            "kwargs": {name: _encode(value) for name, value in example.kwargs.items()},
            "output": digest(output),
        }
    except TypeError as error:
        raise ExampleError(path, f"its input example cannot be kept: {error}; nothing was written") from None
    size = len(json.dumps(recorded))
    if size > MAX_EXAMPLE:
        message = f"its input example takes {size:,} bytes, {MAX_EXAMPLE:,} are allowed: give fewer rows"
        raise ExampleError(path, f"{message}; nothing was written")
    return recorded


def recall(recorded: dict[str, Any], path: str) -> tuple[Example, str]:
    """The example in a header, and the digest of its prediction.

    Raises:
        ExampleError: It is not what ``record`` made.
    """
    try:
        args, kwargs, output = recorded["args"], recorded["kwargs"], recorded["output"]
        example = Example(*map(_decode, args), **{name: _decode(value) for name, value in kwargs.items()})
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        kind = type(error).__name__
        raise ExampleError(path, f"its input example cannot be brought back ({kind}: {error})") from None
    return example, str(output)


def digest(output: Any) -> str:
    """SHA-256 of a prediction: of values, types and shapes, to the last bit.

    Raises:
        TypeError: It holds something else than this module encodes.
    """
    return hashlib.sha256(json.dumps(_encode(output)).encode()).hexdigest()


def is_same(output: Any, recorded: str) -> bool:
    """Whether a prediction has this digest."""
    try:
        return digest(output) == recorded
    except TypeError:
        return False  # what is recorded had a digest


def _encode(value: Any) -> Any:
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, list):
        return [_encode(one) for one in value]
    if isinstance(value, tuple):
        return {"tuple": [_encode(one) for one in value]}
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {"mapping": [[_encode(key), _encode(one)] for key, one in value.items()]}
    if hasattr(value, "dtype"):
        return _encode_array(value)
    raise TypeError(f"{type(value).__name__} is none of number, text, bytes, list, tuple, mapping, NumPy array")


def _encode_array(value: Any) -> Any:
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind == "O":
        return {"objects": _encode(array.tolist())}
    if array.dtype.kind not in _ARRAY_KINDS:
        raise TypeError(f"an array of {array.dtype} is none of numbers, texts or times")
    array = np.ascontiguousarray(array).reshape(array.shape)
    data = base64.b64encode(array.tobytes()).decode()
    return {"array": data, "dtype": array.dtype.str, "shape": list(array.shape)}


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(one) for one in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"float": text}:
            return float(text)
        case {"tuple": items}:
            return tuple(map(_decode, items))
        case {"bytes": text}:
            return base64.b64decode(text, validate=True)
        case {"mapping": pairs}:
            return {_decode(key): _decode(one) for key, one in pairs}
        case {"array": text, "dtype": dtype, "shape": shape}:
            return _decode_array(text, dtype, shape)
        case {"objects": items}:
            import numpy as np

            return np.array(_decode(items), dtype=object)
    raise ValueError(f"unknown kind of value {sorted(value)}")


def _decode_array(text: str, dtype: str, shape: list[int]) -> Any:
    import numpy as np

    kind = np.dtype(dtype)
    if kind.kind not in _ARRAY_KINDS or kind.fields:
        raise ValueError(f"an array of {kind} is none of numbers, texts or times")
    # reshape refuses a shape that the data does not fill, so a forged one allocates nothing.
    return np.frombuffer(base64.b64decode(text, validate=True), kind).reshape(shape).copy()[()]

"""Values that executors take."""

import re
from typing import Any

from aimm.errors import ExecutorOptionError

_UNITS = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def memory_in_bytes(executor: str, memory: int | str | None) -> int | None:
    """An amount of memory: a number of bytes, or text such as ``2GB``, ``512MiB``.

    Args:
        executor: Name of the executor, for the message.
        memory: The amount; None stays None.

    Raises:
        ExecutorOptionError: It is none, or not above 0.
    """
    if memory is None:
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(i?)b?", str(memory).strip().lower())
    amount = 0 if match is None else int(float(match[1]) * (_BINARY if match[3] else _UNITS)[match[2]])
    if amount <= 0:
        raise ExecutorOptionError(executor, f"memory={memory!r}: expected bytes, or text such as '2GB' or '512MiB'")
    return amount


def positive(executor: str, name: str, value: Any) -> int:
    """A whole number above 0.

    Args:
        executor: Name of the executor, for the message.
        name: Name of the option.
        value: Its value.

    Raises:
        ExecutorOptionError: It is none.
    """
    if not isinstance(value, int) or value < 1:
        raise ExecutorOptionError(executor, f"{name}={value!r}: expected a whole number above 0")
    return value

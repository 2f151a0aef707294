"""Checks of what ``instantiate`` is given."""

import math
from numbers import Real


def positive(name: str, value: float) -> float:
    """A parameter that must be a finite number above zero.

    Raises:
        ValueError: It is not.
    """
    return _above(name, value, is_right=_finite(value) and value > 0, expected="above zero")


def not_negative(name: str, value: float) -> float:
    """A parameter that must be a finite number, zero or above.

    Raises:
        ValueError: It is not.
    """
    return _above(name, value, is_right=_finite(value) and value >= 0, expected="of zero or above")


def _finite(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _above(name: str, value: float, *, is_right: bool, expected: str) -> float:
    if not is_right:
        raise ValueError(f"{name} must be a finite number {expected}, got {value!r}")
    return float(value)

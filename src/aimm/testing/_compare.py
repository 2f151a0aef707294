"""Whether two results are the same: fractions to nine digits, everything else exactly."""

import math
import pickle
import sys
from collections.abc import Mapping
from typing import Any

_TOLERANCE = 1e-9
"""Relative: sums over several threads differ in the last digits from one process to the next."""


def same(one: Any, other: Any) -> bool:
    """Compare two results by what they hold.

    Lists and tuples, mappings, sets, numbers, arrays, data frames, sparse matrices and plain objects are looked into;
    anything else is compared by ``==``, and as a last resort by its pickle.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return _are_numbers(one, other) and _close(one, other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if _are_numbers(one, other):
        return _close(one, other)
    if (answer := _same_arrays(one, other)) is not None:
        return answer
    if _equal(one, other):
        return True
    if isinstance(one, (str, bytes, bytearray, set, frozenset)) or callable(one):
        return False
    attributes = getattr(one, "__dict__", None)
    if attributes:
        return same(attributes, other.__dict__)
    return _same_pickle(one, other)


def _are_numbers(one: Any, other: Any) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other))


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, int) and isinstance(other, int):
        return one == other
    if one != one and other != other:
        return True
    return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)


def _same_arrays(one: Any, other: Any) -> bool | None:
    """The answer for arrays and what behaves like them; None for anything else."""
    pandas, sparse = sys.modules.get("pandas"), sys.modules.get("scipy.sparse")
    if pandas is not None and isinstance(one, (pandas.DataFrame, pandas.Series, pandas.Index)):
        return bool(one.equals(other))
    if sparse is not None and sparse.issparse(one):
        return one.shape == other.shape and same(one.toarray(), other.toarray())
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(one, "__array__"):
        return None
    left, right = numpy.asarray(one), numpy.asarray(other)
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    if left.dtype.kind in "fc":
        return bool(numpy.allclose(left, right, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True))
    if left.dtype.kind == "O":
        return same(left.tolist(), right.tolist())
    return bool((left == right).all())


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - an object whose == does not answer is compared in another way
        return False


def _same_pickle(one: Any, other: Any) -> bool:
    try:
        return pickle.dumps(one) == pickle.dumps(other)
    except Exception:  # noqa: BLE001 - there is no way left to find them equal
        return False

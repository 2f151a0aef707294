"""Whether two results are the same."""

from types import SimpleNamespace
from typing import Any

import numpy
import pandas
import pytest
from hypothesis import given, strategies

from aimm.testing._compare import same

NAN = float("nan")
VALUES = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text() | strategies.floats(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
    max_leaves=8,
)


class Plain:
    """An object without an ``==`` of its own."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Mute:
    """An object whose ``==`` does not answer, and that cannot be pickled."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise TypeError

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> str:
        raise TypeError


@given(VALUES)
def test_a_value_is_the_same_as_its_copy(value: Any) -> None:
    """Whatever JSON can hold, not-a-number included."""
    import copy

    assert same(value, copy.deepcopy(value))


EQUAL = [
    (1, 1.0),
    (0.1 + 0.2, 0.3),
    ([NAN], [NAN]),
    (numpy.array([1.0, NAN]), numpy.array([1.0 + 1e-12, NAN])),
    (numpy.array(["a"], object), numpy.array(["a"], object)),
    (pandas.DataFrame({"a": [1]}), pandas.DataFrame({"a": [1]})),
    (Plain([1.0]), Plain([1.0])),
    (SimpleNamespace(a=1), SimpleNamespace(a=1)),
]
DIFFERENT = [
    (1, 2),
    (1, True),
    (1.0, 1.0 + 1e-6),
    ("a", b"a"),
    ([1], (1,)),
    ([1], [1, 2]),
    ({"a": 1}, {"b": 1}),
    ({1}, {2}),
    (numpy.array([1.0]), numpy.array([1.1])),
    (numpy.array([1]), numpy.array([1.0])),
    (numpy.array([1]), numpy.array([1, 1])),
    (numpy.array(["a"]), numpy.array(["b"])),
    (pandas.DataFrame({"a": [1]}), pandas.DataFrame({"a": [2]})),
    (Plain([1.0]), Plain([2.0])),
    (Mute(), Mute()),
]


@pytest.mark.parametrize("number", range(len(EQUAL)))
def test_equal_values(number: int) -> None:
    """Arrays, frames and plain objects are compared by what they hold, fractions to nine digits."""
    assert same(*EQUAL[number])


@pytest.mark.parametrize("number", range(len(DIFFERENT)))
def test_different_values(number: int) -> None:
    """Another value, type or shape is a difference; so is what nobody can compare."""
    assert not same(*DIFFERENT[number])

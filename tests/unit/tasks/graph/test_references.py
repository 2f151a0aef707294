"""References and their escaping."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from aimm.tasks.graph._references import Reference, escape, fill, find_references, parse_reference

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.text("$.a"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("$a", Reference("a")),
        ("$a.b", Reference("a", "b")),
        ("$a.b.c", Reference("a", "b.c")),
        ("$", None),
        ("$$", None),
        ("$$a", None),
        ("a$b", None),
        ("", None),
        (3, None),
    ],
)
def test_a_whole_string_with_one_dollar_is_a_reference(text: Any, reference: Reference | None) -> None:
    """The first dot ends the name; two dollars, a lone one, and one inside a text mean nothing."""
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    ("text", "value"), [("$", "$"), ("$$", "$"), ("$$p", "$p"), ("$$$p", "$$p"), ("foo$p", "foo$p")]
)
def test_a_doubled_dollar_loses_one(text: str, value: str) -> None:
    """A string that starts with two dollars stands for itself without the first."""
    assert fill(text, lambda reference: pytest.fail("no reference")) == value


@given(PLAIN)
def test_what_is_escaped_has_no_reference_and_comes_back(value: Any) -> None:
    """``fill`` undoes ``escape`` for any plain data."""
    written = escape(value)
    assert not list(find_references(written))
    assert fill(written, lambda reference: pytest.fail("no reference")) == value


@given(PLAIN, st.text("ab", min_size=1))
def test_references_are_found_and_filled_wherever_they_stand(value: Any, name: str) -> None:
    """Also in a mapping with a key ``task``, where the original does not look."""
    written = {"task": [escape(value), {"task": f"${name}.o"}], "$key": 1}
    assert list(find_references(written)) == [(("task", 1, "task"), Reference(name, "o"))]
    assert fill(written, lambda reference: 5) == {"task": [value, {"task": 5}], "$key": 1}

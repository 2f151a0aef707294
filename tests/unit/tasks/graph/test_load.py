"""Reading graph files: places, duplicates, limits, and what is refused."""

from typing import Any

import pytest

from aimm.tasks.graph._load import Source, read_file, read_mapping, read_text


def kinds(source: Source) -> list[tuple[str, int | None]]:
    """Kind and line of each issue."""
    return [(issue.kind, issue.line) for issue in map(source.placed, source.issues.found)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: {c: 1,\n  c: 2}\n", [("duplicate-key", 3)]),
        ("a: &a [*a]", [("limit", 1)]),
        ("a: *b", [("syntax", 1)]),
        ("a: !!python/object:os.system {}", [("tag", 1)]),
        ("a: !!python/name:os.system", [("tag", 1)]),
        ("a: 2024-01-01", [("tag", 1)]),
        ("? [a]\n: 1", [("name", 1)]),
        ("a: [1", [("syntax", 2)]),
        ("--- 1\n--- 2", [("syntax", 2)]),
        ("a: {<<: 3}", [("shape", 1)]),
        (f"a: {'9' * 5000}", [("tag", 1)]),
        ("[" * 100_000, [("limit", 1)]),
        ("a: 1\n", []),
    ],
)
def test_yaml_that_is_no_plain_data_is_told(text: str, expected: list[Any]) -> None:
    """Each is an issue with its line; nothing is built, raised or followed without end."""
    assert kinds(read_text(text)) == expected


def test_aliases_are_counted_in_full() -> None:
    """A billion laughs: a small text that stands for billions of values is refused."""
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12))]
    assert [kind for kind, _ in kinds(read_text("\n".join(lines)))] == ["limit"]


def test_aliases_and_merges_mean_what_they_mean_in_yaml() -> None:
    """What stands in a mapping itself wins over what is merged into it."""
    source = read_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\n")
    assert source.value == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,\n "a": 2}', [("duplicate-key", 2)]),
        ('{"a": }', [("syntax", 1)]),
        ("[" * 100_000, [("limit", None)]),
    ],
)
def test_json_is_read_with_places_too(text: str, expected: list[Any]) -> None:
    """Duplicate keys and mistakes of JSON files have lines."""
    assert kinds(read_text(text, "g.json")) == expected


def test_json_values_are_those_of_json() -> None:
    """Tabs, escapes, surrogate pairs and exponents, which YAML reads in another way."""
    text = '{"s":\t["\\ud83d\\ude00", 1e5, "a\\/b", null, true, -2]}'
    assert read_text(text, "g.json").value == {"s": ["\U0001f600", 1e5, "a/b", None, True, -2]}


def test_a_mapping_in_memory_is_bounded_as_well() -> None:
    """One that contains itself, and one with an object in it, get an issue."""
    loop: dict[str, Any] = {}
    loop["graph"] = loop
    assert kinds(read_mapping(loop)) == [("limit", None)]
    assert kinds(read_mapping({"a": object()})) == [("tag", None)]


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Any) -> None:
    """The byte is named."""
    (tmp_path / "g.yaml").write_bytes(b"a: \xff")
    assert "byte 3" in read_file(tmp_path / "g.yaml").issues.found[0].message

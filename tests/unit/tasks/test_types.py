"""The type model, its grammar, and what fits where. Properties hold for any type that the grammar can say."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from aimm.errors import TypeDefinitionError
from aimm.tasks._types import (
    ANY,
    BOOLEAN,
    BUILTINS,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    Type,
    accepts,
    check_value,
    enumerated,
    list_of,
    literal_of,
    mapping_of,
    parse_type,
    parse_types,
    simple,
    tuple_of,
    type_of_value,
    union_of,
)

KNOWN = {"image": simple("image"), "photo": simple("photo", simple("image"))}
LITERALS = st.one_of(st.text(max_size=3), st.integers(-3, 3), st.booleans(), st.none())


def structures(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    """Types made of other types."""
    names = st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3)
    return st.one_of(
        inner.map(list_of),
        st.lists(inner, max_size=3).map(lambda parts: tuple_of(*parts)),
        st.tuples(st.sampled_from([STRING, INTEGER, ANY]), inner).map(lambda parts: mapping_of(*parts)),
        st.tuples(names, st.randoms()).map(
            lambda made: enumerated(made[0], frozenset(n for n in made[0] if made[1].random() < 0.5))
        ),
        st.lists(inner, min_size=2, max_size=3, unique=True).map(lambda parts: Type("union", None, tuple(parts))),
        st.lists(LITERALS, min_size=1, max_size=3).map(lambda values: literal_of(*values)),
    )


SIMPLE = st.sampled_from([*BUILTINS.values(), *KNOWN.values()])
TYPES = st.recursive(SIMPLE, structures, max_leaves=8)
DOCUMENTS = st.recursive(
    st.one_of(LITERALS, st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=8,
)


@given(TYPES)
def test_every_type_survives_its_document(held: Type) -> None:
    """What ``document`` gives is read back as the same type."""
    back = parse_type(held.document(), KNOWN)
    assert back == held
    assert hash(back) == hash(held)
    assert str(back) == str(held)


@given(TYPES)
def test_every_type_accepts_itself(held: Type) -> None:
    """And ``any`` accepts it, and it survives being one of two."""
    assert accepts(held, held)
    assert accepts(ANY, held)
    assert accepts(union_of(held, simple("other")), held)


@given(TYPES, TYPES, TYPES)
def test_accepting_is_transitive(a: Type, b: Type, c: Type) -> None:
    """What fits into something that fits, fits."""
    if accepts(a, b) and accepts(b, c):
        assert accepts(a, c)


@given(DOCUMENTS)
def test_a_value_is_of_its_own_type(value: Any) -> None:
    """The type that is inferred from a document's value takes that value, literally and in general."""
    assert check_value(type_of_value(value), value) is None
    assert check_value(type_of_value(value, literal=True), value) is None
    assert accepts(type_of_value(value), type_of_value(value, literal=True))


@given(TYPES, DOCUMENTS)
def test_the_check_of_a_value_follows_from_that_of_its_type(held: Type, value: Any) -> None:
    """What may go somewhere by its type is not refused there as a value."""
    if accepts(held, type_of_value(value, literal=True)):
        assert check_value(held, value) is None


ROWS = [
    (ANY, STRING, True),
    (STRING, ANY, False),
    (union_of(STRING, ANY), ANY, True),
    (NUMBER, INTEGER, True),
    (INTEGER, NUMBER, False),
    (NUMBER, BOOLEAN, False),
    (INTEGER, BOOLEAN, False),
    (KNOWN["image"], KNOWN["photo"], True),
    (KNOWN["photo"], KNOWN["image"], False),
    (KNOWN["image"], STRING, False),
    (NUMBER, union_of(INTEGER, NUMBER), True),
    (NUMBER, union_of(INTEGER, STRING), False),
    (STRING, Type("union"), True),
    (Type("union"), STRING, False),
    (Type("union"), Type("union"), True),
    (list_of(INTEGER, "a"), list_of(INTEGER, "b"), False),
    (list_of(INTEGER, "a"), list_of(INTEGER), True),
    (list_of(INTEGER, "a"), tuple_of(INTEGER, INTEGER), True),
    (list_of(NUMBER), list_of(INTEGER), True),
    (list_of(INTEGER), tuple_of(), True),
    (list_of(INTEGER), tuple_of(INTEGER, STRING), False),
    (tuple_of(INTEGER), list_of(INTEGER), False),
    (tuple_of(NUMBER, STRING), tuple_of(INTEGER, STRING), True),
    (tuple_of(NUMBER), tuple_of(INTEGER, STRING), False),
    (enumerated({"a": NUMBER}), enumerated({"a": INTEGER}), True),
    (enumerated({"a": NUMBER}), enumerated({"a": INTEGER, "b": INTEGER}), False),
    (enumerated({"a": NUMBER, "b": NUMBER}), enumerated({"a": INTEGER}), False),
    (enumerated({"a": NUMBER, "b": NUMBER}, frozenset("a")), enumerated({"a": INTEGER}), True),
    (enumerated({"a": NUMBER}), enumerated({"a": NUMBER}, frozenset()), False),
    (mapping_of(STRING, NUMBER), enumerated({"a": INTEGER}), True),
    (mapping_of(STRING, NUMBER), enumerated({}), True),
    (mapping_of(INTEGER, NUMBER), enumerated({}), False),
    (enumerated({}), mapping_of(STRING, NUMBER), False),
    (mapping_of(STRING, NUMBER), mapping_of(STRING, INTEGER), True),
    (mapping_of(INTEGER, NUMBER), mapping_of(STRING, NUMBER), False),
    (union_of(STRING, NULL), NULL, True),
    (STRING, NULL, False),
    (STRING, literal_of("a", "b"), True),
    (STRING, literal_of("a", 1), False),
    (literal_of("a", "b"), literal_of("a"), True),
    (literal_of("a"), STRING, False),
    (literal_of(1), literal_of(True), False),
    (KNOWN["image"], literal_of("a"), False),
    (simple("numpy.ndarray", cls=np.ndarray), simple("numpy.ndarray"), True),
    (simple("pandas.Index", cls=np.ndarray), simple("numpy.ndarray"), True),
    (simple("collections.abc.Iterable"), list_of(STRING), True),
    (simple("collections.abc.Callable"), list_of(STRING), False),
]


@pytest.mark.parametrize(("target", "source", "fits"), ROWS, ids=lambda part: str(part))
def test_what_fits_where(target: Type, source: Type, fits: bool) -> None:
    """The table of the original, with literals, optional names and Python classes added."""
    assert accepts(target, source) is fits


WRONG = [
    (STRING, 3, "expected string, not int 3"),
    (INTEGER, True, "expected integer, not bool True"),
    (NUMBER, "1", "expected number, not str '1'"),
    (NULL, 0, "expected null, not int 0"),
    (list_of(STRING), "abc", "expected list[string], not str 'abc'"),
    (list_of(STRING), ["a", 2], "[1]: expected string, not int 2"),
    (tuple_of(STRING, STRING), ["a"], "expected tuple[string, string], not list of 1 elements"),
    (mapping_of(STRING, INTEGER), {"a": "b"}, "['a']: expected integer, not str 'b'"),
    (mapping_of(STRING, INTEGER), {1: 2}, "key 1: expected string, not int 1"),
    (mapping_of(STRING, INTEGER), [], "expected mapping[string, integer], not list"),
    (enumerated({"a": STRING}), {}, "expected {a: string}, not dict without 'a'"),
    (enumerated({"a": STRING}), {"a": "x", "b": 1}, "expected {a: string}, not dict with the unknown 'b'"),
    (enumerated({"a": STRING}), {"a": 1}, "['a']: expected string, not int 1"),
    (enumerated({"a": STRING}), 5, "expected {a: string}, not int 5"),
    (union_of(STRING, NULL), 5, "expected string | null, not int 5"),
    (literal_of("a", 1), True, "expected 'a' | 1, not bool True"),
    (list_of(list_of(STRING)), [[], [None]], "[1][0]: expected string, not null"),
    (list_of(STRING, "words"), [1], "[0]: expected string, not int 1"),
    (list_of(STRING, "words"), 1, "expected words (list[string]), not int 1"),
    (simple("numpy.ndarray"), [1], "expected numpy.ndarray, not list"),
]


@pytest.mark.parametrize(("wanted", "value", "problem"), WRONG, ids=lambda part: str(part))
def test_a_wrong_value_is_explained(wanted: Type, value: Any, problem: str) -> None:
    """The message says what was expected, what there is, and where in the value."""
    assert check_value(wanted, value) == problem


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        (NUMBER, np.float32(1)),
        (INTEGER, np.int64(1)),
        (BOOLEAN, np.bool_(True)),
        (list_of(STRING), ("a", "b")),
        (simple("numpy.ndarray"), np.zeros(2)),
        (simple("never.imported"), object()),
        (simple("image"), object()),
        (union_of(INTEGER, list_of(INTEGER)), [1]),
    ],
    ids=lambda part: str(part) if isinstance(part, Type) else type(part).__name__,
)
def test_a_right_value_has_no_problem(wanted: Type, value: Any) -> None:
    """Scalars of NumPy are numbers, tuples are lists, and nobody can know what a name without a class means."""
    assert check_value(wanted, value) is None


def test_definitions_name_each_other_in_any_order() -> None:
    """The section ``types`` of the original: simple, derived, and all structures."""
    section = {
        "pairs": {"list": {"tuple": ["name", "integer"]}},
        "name": {"is_a": "string"},
        "image": None,
        "photo": {"is_a": "image"},
        "empty": {},
        "table": {"mapping": ["name", {"union": ["image", "null"]}]},
        "point": {"mapping": {"x": "number", "y": "number"}},
    }
    found = parse_types(section)
    assert list(found) == list(section)
    assert found["pairs"].structure() == "list[tuple[name, integer]]"
    assert {name: held.definition() for name, held in found.items()} == {**section, "empty": None}
    assert accepts(found["image"], found["photo"])


REFUSED = [
    ({"string": None}, "string: the type 'string' is built in and cannot be defined anew"),
    ({"a": "integer"}, "a: a type is empty, {is_a: T} or one of"),
    ({"a": {"list": "b"}}, "a.list: no type is called 'b'"),
    ({"a": {"list": "strin"}}, "a.list: no type is called 'strin'; did you mean 'string'?"),
    ({"a": {"list": "b"}, "b": {"list": "a"}}, "a: the type contains itself: a -> b -> a"),
    ({"a": {"is_a": "a"}}, "a: the type contains itself: a -> a"),
    ({"a": {"is_a": ["b"]}}, "a.is_a: is_a names a simple type, not ['b']"),
    ({"a": {"is_a": "b"}, "b": {"list": "string"}}, "a: is_a names a simple type, and 'b' is list[string]"),
    ({"a": {"mapping": ["number", "string"]}}, "a.mapping[0]: the key of a mapping is string, integer or any, not n"),
    ({"a": {"mapping": ["string"]}}, "a.mapping: mapping takes the type of the key and that of the value"),
    ({"a": {"mapping": {1: "string"}}}, "a.mapping: the names of a mapping are strings, not 1"),
    ({"a": {"mapping": {"x": "string"}, "required": ["y"]}}, "a.mapping: required lists names of the mapping"),
    ({"a": {"tuple": "string"}}, "a.tuple: tuple takes a list, not 'string'"),
    ({"a": {"literal": []}}, "a.literal: literal takes strings, numbers, booleans and null, not []"),
    ({"a": {"list": "string", "tuple": []}}, "a: a type is empty"),
    ({"a": {"list": None}}, "a.list: a type is the name of a type or one of"),
    ({"a": {"list": {"is_a": "string"}}}, "a.list: a type is the name of a type or one of"),
    ({"a": 5}, "a: a type is empty, {is_a: T} or one of"),
]


@pytest.mark.parametrize(("section", "message"), REFUSED, ids=lambda part: str(part)[:40])
def test_a_wrong_definition_is_refused(section: dict[str, Any], message: str) -> None:
    """The message names the place in the document, and what was expected there."""
    with pytest.raises(TypeDefinitionError) as caught:
        parse_types(section)
    assert str(caught.value).startswith(message)


def test_deep_nesting_is_refused_in_bounded_time() -> None:
    """A document of a thousand levels is an error, not a crash."""
    document: Any = "string"
    for _ in range(1000):
        document = {"list": document}
    with pytest.raises(TypeDefinitionError, match="nested more than 100 levels deep"):
        parse_type(document)


def test_a_duplicate_member_of_a_union_is_kept() -> None:
    """Whoever validates a graph can see it."""
    assert parse_type({"union": ["string", "string"]}).items == (STRING, STRING)

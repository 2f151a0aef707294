from typing import Any

import click
import pytest
from hypothesis import given, strategies as st

from aimm.cli._arguments import action_arguments, data_arguments, parse_pairs

DATA = {"X": 1, "y": 2, "names": 3}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-2.5e3", -2500.0),
        ("true", True),
        ("null", None),
        ('"3"', "3"),
        ("[1, 2]", [1, 2]),
        ('{"a": {"b": 1}}', {"a": {"b": 1}}),
        ("linear", "linear"),
        ("a=b=c", "a=b=c"),
        ("", ""),
        ('"True"', "True"),
        ("[1,", "[1,"),
        (" 3 ", 3),
        ("grün", "grün"),
    ],
)
def test_a_value_is_json_or_text(text: str, value: object) -> None:
    """What parses as JSON is that value; everything else is the text itself."""
    assert parse_pairs([f"key={text}"], "--param") == {"key": value}


@pytest.mark.parametrize(("text", "meant"), [("True", "true"), ("False", "false"), ("None", "null")])
def test_a_word_of_python_is_refused(text: str, meant: str) -> None:
    """As text, ``False`` would count as true; the message has the word of JSON, and how to mean the text."""
    with pytest.raises(
        click.UsageError, match=f"write shout={meant}, for values are JSON; the text is shout='\"{text}\"'"
    ):
        parse_pairs([f"shout={text}"], "--param")


def test_keys_keep_their_order() -> None:
    """Several options become one mapping, in the order given."""
    assert list(parse_pairs(["b=1", "a=2"], "--param").items()) == [("b", 1), ("a", 2)]


@pytest.mark.parametrize("pair", ["", "key", "=3", "a b=3", "1=3", "a-b=3", "kernel:linear"])
def test_a_pair_without_key_or_value_is_refused(pair: str) -> None:
    """The message repeats what was given and says what was expected."""
    with pytest.raises(click.UsageError, match=r"--fit-param '.*': expected key=value, the key an argument name"):
        parse_pairs([pair], "--fit-param")


def test_a_key_given_twice_is_refused() -> None:
    """Neither of two values wins silently."""
    with pytest.raises(click.UsageError, match="--param 'C' is given twice"):
        parse_pairs(["C=1", "C=1"], "--param")


def test_deep_json_is_text_not_a_crash() -> None:
    """JSON that is nested too deeply to parse is handed on as text."""
    text = "[" * 100_000
    assert parse_pairs([f"x={text}"], "--param") == {"x": text}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_every_json_value_arrives(value: Any) -> None:
    """Whatever JSON can say arrives as it is."""
    import json

    assert parse_pairs([f"k={json.dumps(value)}"], "--param") == {"k": value}


@pytest.mark.parametrize("taken", [["split", "seed"], ["x", "seed", "split"], None])
def test_split_and_seed_go_to_a_data_access_that_takes_them(taken: list[str] | None) -> None:
    """They become keyword arguments beside the others; also where it cannot be known what is taken."""
    given = data_arguments("iris", taken, {"x": 1}, "train", 0)
    assert given == {"x": 1, "split": "train", "seed": 0}


def test_without_split_and_seed_nothing_is_added() -> None:
    """A data access that takes them can be called without them."""
    assert data_arguments("iris", ["split", "seed"], {"x": 1}, None, None) == {"x": 1}


@pytest.mark.parametrize(
    ("taken", "split", "seed", "message"),
    [
        (["n"], "train", None, "data access 'iris' takes no 'split' .it takes n.: leave --split out"),
        ([], None, 7, "data access 'iris' takes no 'seed' .it takes nothing.: leave --seed out"),
        (["split"], "test", 0, "takes no 'seed' .it takes split.: leave --seed out"),
    ],
)
def test_split_and_seed_are_refused_elsewhere(
    taken: list[str], split: str | None, seed: int | None, message: str
) -> None:
    """A data access without such an argument would ignore it, or fail for a reason that the user cannot see."""
    with pytest.raises(click.UsageError, match=message):
        data_arguments("iris", taken, {}, split, seed)


def test_split_given_twice_is_refused() -> None:
    """--split and --data-param split= contradict each other."""
    with pytest.raises(click.UsageError, match="'split' is given by --split and by --data-param"):
        data_arguments("iris", ["split"], {"split": "test"}, "train", None)


@pytest.mark.parametrize(
    ("action", "taken", "expected"),
    [
        ("fit", ["X", "y", "epochs"], {"X": 1, "y": 2}),
        ("predict", ["X"], {"X": 1}),
        ("predict", ["names", "other"], {"names": 3}),
        ("fit", None, DATA),
        ("predict", None, {"X": 1}),
    ],
)
def test_a_mapping_goes_by_name(action: str, taken: list[str] | None, expected: dict[str, int]) -> None:
    """An action gets the entries that it takes; where that is unknown, fit gets all and predict gets X."""
    assert action_arguments(DATA, action, taken, {}) == ((), expected)


@pytest.mark.parametrize(
    ("action", "taken", "expected"),
    [
        ("fit", ["X", "y", "epochs"], (1, 2)),
        ("fit", ["X"], (1,)),
        ("fit", [], ()),
        ("predict", ["X"], (1,)),
        ("predict", ["X", "return_std"], (1,)),
        ("predict", [], ()),
        ("fit", None, (1, 2)),
        ("predict", None, (1,)),
    ],
)
def test_a_tuple_goes_by_position(action: str, taken: list[str] | None, expected: tuple[int, ...]) -> None:
    """Fit gets as many items as it takes, all where that is unknown; predict gets the first."""
    assert action_arguments((1, 2), action, taken, {}) == (expected, {})


@pytest.mark.parametrize("data", [[1, 2], "text", None, 5])
@pytest.mark.parametrize("action", ["fit", "predict"])
def test_anything_else_is_the_one_argument(action: str, data: object) -> None:
    """A list, a frame or an array is handed over as it is."""
    assert action_arguments(data, action, ["X", "y"], {}) == ((data,), {})


def test_options_of_the_action_go_by_keyword() -> None:
    """--fit-param joins what the data gives."""
    assert action_arguments(DATA, "fit", ["X", "y", "epochs"], {"epochs": 5}) == ((), {"X": 1, "y": 2, "epochs": 5})
    assert action_arguments((1, 2), "fit", ["X", "y", "epochs"], {"epochs": 5}) == ((1, 2), {"epochs": 5})


def test_an_option_replaces_an_entry_of_the_data() -> None:
    """An option that names an argument wins over the data where it is known what the action takes."""
    assert action_arguments(DATA, "fit", ["X", "y"], {"y": 9}) == ((), {"X": 1, "y": 9})


def test_an_option_and_the_data_clash_where_nothing_is_known() -> None:
    """Fit would get everything, so an option of the same name is refused."""
    with pytest.raises(click.UsageError, match="y: given by the data and by --fit-param"):
        action_arguments(DATA, "fit", None, {"y": 9})


@pytest.mark.parametrize(
    ("action", "taken", "message"),
    [
        ("predict", ["rows"], "the data has X, y, names, but predict takes rows: none of it"),
        ("fit", [], "the data has X, y, names, but fit takes no argument: none of it"),
    ],
)
def test_data_without_a_common_name_is_refused(action: str, taken: list[str], message: str) -> None:
    """The message lists both sides."""
    with pytest.raises(click.UsageError, match=message):
        action_arguments(DATA, action, taken, {})


def test_data_without_x_is_refused_by_an_unknown_predict() -> None:
    """Where nothing is known, predict wants X."""
    with pytest.raises(click.UsageError, match="the data has table, but predict takes X"):
        action_arguments({"table": 1}, "predict", None, {})

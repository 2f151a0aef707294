import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aimm import plugins
from aimm.errors import AimmError, DeclarationError, DuplicateError
from aimm.plugins._registry import default_registry, scratch_registry

ONE_NAME = {"data_access": plugins.data_access, "instantiate": plugins.instantiate}
WITH_INSTANCE = {"fit": plugins.fit, "predict": plugins.predict}
MANY_NAMES = {**WITH_INSTANCE, "serialize": plugins.serialize, "deserialize": plugins.deserialize}
ALL: dict[str, Any] = {**ONE_NAME, **MANY_NAMES}
NAMES = "model_types: List[str]"


def argument(action: str, *names: Any) -> Any:
    return names[0] if action in ONE_NAME else list(names)


def function(*args: Any, **kwargs: Any) -> None: ...


@pytest.mark.parametrize("action", ALL)
def test_a_decorator_registers_and_returns_the_function(action: str) -> None:
    """Unchanged, so that it can still be called directly."""
    assert ALL[action](argument(action, "m"))(function) is function
    (record,) = default_registry.records()
    assert (record.kind, record.name, record.function, record.source.module) == (action, "m", function, __name__)
    assert (record.state_cb_arg_name, record.instance_arg_name) == (None, None)


@pytest.mark.parametrize("action", MANY_NAMES)
def test_several_model_types_are_registered_at_once(action: str) -> None:
    """Each once, however often it is listed."""
    ALL[action](["a", "b", "a"])(function)
    assert default_registry.names(action) == ["a", "b"]


@pytest.mark.parametrize("names", [("a", "b"), {"a": 1, "b": 2}, iter(["a", "b"])])
def test_any_iterable_of_names_will_do(names: Any) -> None:
    """The seed says list; nothing is gained by refusing a tuple."""
    plugins.fit(names)(function)
    assert default_registry.names("fit") == ["a", "b"]


@pytest.mark.parametrize("action", [*ONE_NAME, *WITH_INSTANCE])
def test_the_state_callbacks_keyword_is_recorded(action: str) -> None:
    """By keyword or position, as in the seed."""
    ALL[action](argument(action, "a"), state_cb_arg_name="cb")(function)
    ALL[action](argument(action, "b"), "cb")(function)
    assert [record.state_cb_arg_name for record in default_registry.records()] == ["cb", "cb"]


@pytest.mark.parametrize("action", WITH_INSTANCE)
def test_the_instances_keyword_is_recorded(action: str) -> None:
    """Third argument of the decorator."""
    ALL[action](["a"], instance_arg_name="own")(function)
    ALL[action](["b"], None, "own")(function)
    assert [record.instance_arg_name for record in default_registry.records()] == ["own", "own"]


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("data_access", "name: str, state_cb_arg_name: str | None = None"),
        ("instantiate", "model_type: str, state_cb_arg_name: str | None = None"),
        ("fit", f"{NAMES}, state_cb_arg_name: str | None = None, instance_arg_name: str | None = None"),
        ("predict", f"{NAMES}, state_cb_arg_name: str | None = None, instance_arg_name: str | None = None"),
        ("serialize", NAMES),
        ("deserialize", NAMES),
    ],
)
def test_signatures_are_the_seeds(action: str, parameters: str) -> None:
    """Names, order, defaults and annotations, to the letter."""
    assert str(inspect.signature(ALL[action])).partition(" -> ")[0] == f"({parameters})"


# What is refused, before anything is registered


def refused(declare: Callable[[], Any]) -> str:
    with pytest.raises(DeclarationError) as caught:
        declare()
    assert default_registry.records() == ()
    assert isinstance(caught.value, (AimmError, TypeError, ValueError))
    return str(caught.value)


@pytest.mark.parametrize("action", MANY_NAMES)
@pytest.mark.parametrize("name", ["abc", ""])
def test_a_bare_string_is_refused(action: str, name: str) -> None:
    """It would register its letters (the original does)."""
    said = refused(lambda: ALL[action](name))
    assert said == f"@{action} expects a list of model types, not '{name}': write @{action}([...])"


@pytest.mark.parametrize("action", MANY_NAMES)
@pytest.mark.parametrize("names", [b"abc", function, None, 5])
def test_what_is_no_list_is_refused(action: str, names: Any) -> None:
    """Among it a decorator that was forgotten to be called."""
    assert f"@{action} expects a list of model types, not {names!r}" in refused(lambda: ALL[action](names))


@pytest.mark.parametrize("action", ALL)
@pytest.mark.parametrize("name", [None, ("a", 1), "", 5, b"m", function])
def test_a_name_must_be_a_string_with_something_in_it(action: str, name: Any) -> None:
    """Neither None nor a tuple nor nothing."""
    said = refused(lambda: ALL[action](argument(action, name)))
    assert said == f"@{action} expects a name, a string that is not empty, not {name!r}"


@pytest.mark.parametrize("action", ALL)
@pytest.mark.parametrize("value", [42, None, "function"])
def test_only_what_can_be_called_can_be_registered(action: str, value: Any) -> None:
    """The message shows what was decorated."""
    said = refused(lambda: ALL[action](argument(action, "m"))(value))
    assert said == f"@{action}(['m']) expects a function, not {value!r}"


@pytest.mark.parametrize("keyword", ["state_cb_arg_name", "instance_arg_name"])
@pytest.mark.parametrize("value", ["not a name", "1a", 5, ["x"]])
def test_a_keyword_must_be_the_name_of_an_argument(keyword: str, value: Any) -> None:
    """Or the call would fail much later."""
    said = refused(lambda: plugins.fit(["m"], **{keyword: value}))
    assert said == f"@fit: {keyword} must be the name of an argument, not {value!r}"


def test_instance_and_callback_cannot_be_one_argument() -> None:
    """One of them would be lost."""
    said = refused(lambda: plugins.fit(["m"], "x", "x"))
    assert said == "@fit: state_cb_arg_name and instance_arg_name are both 'x'"


def test_an_empty_keyword_means_none() -> None:
    """As in the original."""
    plugins.fit(["m"], "", "")(function)
    (record,) = default_registry.records()
    assert (record.state_cb_arg_name, record.instance_arg_name) == (None, None)


# Duplicates


@pytest.mark.parametrize("action", ALL)
def test_a_duplicate_is_refused_and_changes_nothing(action: str) -> None:
    """The first declaration stays."""
    ALL[action](argument(action, "m"))(function)
    before = default_registry.records()
    with pytest.raises(DuplicateError, match=rf"{action} for 'm' is already declared by module '{__name__}'"):
        ALL[action](argument(action, "m"))(lambda: None)
    assert default_registry.records() == before


@pytest.mark.parametrize("action", MANY_NAMES)
def test_a_list_with_one_duplicate_registers_nothing(action: str) -> None:
    """Not even the names before it (the original keeps those)."""
    ALL[action](["b"])(function)
    with pytest.raises(DuplicateError, match="'b'"):
        ALL[action](["a", "b", "c"])(lambda: None)
    assert default_registry.names(action) == ["b"]


def test_a_refused_declaration_is_not_replayed_either() -> None:
    """The journal keeps what was registered, not what was tried."""
    plugins.fit(["b"])(function)
    with pytest.raises(DuplicateError):
        plugins.fit(["a", "b"])(lambda: None)
    plugins.unload_all()
    plugins.fit(["a"])(function)
    assert default_registry.names("fit") == ["a"]


def test_declaring_the_same_function_again_is_no_duplicate() -> None:
    """One object that is reached twice is one."""
    for _ in range(2):
        plugins.fit(["m"])(function)
    assert default_registry.names("fit") == ["m"]


def test_one_name_may_be_used_for_each_action() -> None:
    """They are told apart by their kind."""
    for action in ALL:
        ALL[action](argument(action, "m"))(function)
    assert len(default_registry.records()) == 6


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3), max_size=6))
def test_any_sequence_of_declarations_is_all_or_nothing(declarations: list[list[str]]) -> None:
    """Each either registers all its names or none."""
    with scratch_registry() as registry:
        for names in declarations:
            before = set(registry.names("fit"))
            try:
                plugins.fit(names)(lambda: None)
            except DuplicateError:
                assert before & set(names)
                assert set(registry.names("fit")) == before
            else:
                assert set(registry.names("fit")) == before | set(names)

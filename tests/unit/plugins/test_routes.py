"""From a name to exactly one owner: keyed routing, entries that find their owner anew, route handles."""

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aimm import plugins
from aimm._types import MODEL_ACTIONS
from aimm.errors import PluginExitError, PluginNotFoundError
from aimm.plugins._calls import is_async
from aimm.plugins._registry import Record, Source
from aimm.plugins._routes import Entry, is_bytes_like
from support import FakeSite, class_source, model_source


def declare_type(name: str, tag: str) -> None:
    """Declare all five actions of a model type; each answers with its tag and the action."""
    plugins.instantiate(name)(lambda: (tag, "instantiate"))
    plugins.fit([name])(lambda instance: (tag, "fit"))
    plugins.predict([name])(lambda instance: (tag, "predict"))
    plugins.serialize([name])(lambda instance: f"{tag} serialize".encode())
    plugins.deserialize([name])(lambda instance_bytes: (tag, "deserialize"))


# One owner


@given(st.sets(st.text(min_size=1), min_size=2, max_size=8))
def test_each_name_has_its_own_owner(names: set[str]) -> None:
    """However many model types there are, a call runs the function of its own and no other."""
    plugins.unload_all()
    ran: list[str] = []
    for name in names:
        plugins.fit([name])(functools.partial(lambda n, instance: ran.append(n), name))
    for name in sorted(names):
        plugins.exec_fit(name, None)
    assert ran == sorted(names)


def test_actions_of_one_type_may_have_different_owners(manager: plugins.PluginManager, make_module: Any) -> None:
    """A route joins what several plugins declare for one model type."""
    head = "from aimm import plugins\n"
    one = make_module(head + "@plugins.fit(['x'])\ndef fit(i): return 'one'\n")
    two = make_module(head + "@plugins.predict(['x'])\ndef predict(i): return 'two'\n")
    manager.initialize({"names": [one, two]})
    assert manager.exec_fit("x", 1) == "one"
    assert manager.exec_predict("x", 1) == (1, "two")
    route = manager.route("x")
    assert (route.fit(1), route.predict(1)) == ("one", (1, "two"))
    assert manager.owner("x", "fit").plugin == one
    assert manager.owner("x", "predict").plugin == two


def test_a_missing_action_says_what_the_owner_offers() -> None:
    """Asking for an action that nobody declares lists those that somebody does."""
    plugins.fit(["x"])(lambda instance: instance)
    with pytest.raises(PluginNotFoundError, match=r"no plugin for predict of 'x' .*its owner offers only fit"):
        plugins.exec_predict("x", 1)
    with pytest.raises(PluginNotFoundError, match="its owner offers only fit"):
        plugins.route("x").predict(1)


def test_a_route_of_nobody_is_refused() -> None:
    """A route of an unknown model type fails when it is asked for, with the names that exist."""
    plugins.fit(["forest"])(lambda instance: instance)
    with pytest.raises(PluginNotFoundError, match=r"model type 'forrest'.*did you mean 'forest'"):
        plugins.route("forrest")


def test_data_access_and_model_types_do_not_share_names() -> None:
    """A data access and a model type may have the same name."""
    plugins.data_access("x")(lambda: "data")
    plugins.instantiate("x")(lambda: "instance")
    assert (plugins.exec_data_access("x"), plugins.exec_instantiate("x")) == ("data", "instance")


def test_a_model_class_answers_to_its_canonical_name(manager: plugins.PluginManager, site: FakeSite) -> None:
    """A class entry point answers to its own name and to module + class name, with one class behind both."""
    site.add("d", entry_points={"aimm.models": {"forest": "pkg.mod:Forest"}}, modules={"pkg.mod": class_source()})
    manager.initialize()
    by_canonical = manager.exec_instantiate("pkg.mod.Forest", None, 3)
    assert type(by_canonical) is type(manager.exec_instantiate("forest"))
    assert manager.exec_serialize("forest", by_canonical) == b"3"
    assert manager.exec_deserialize("pkg.mod.Forest", b"4").n == 4


# Handles


def test_a_route_is_exec_without_the_model_type() -> None:
    """The five methods of a route give what the ``exec_*`` of those names give."""
    declare_type("x", "t")
    route = plugins.route("x")
    assert route.instantiate() == plugins.exec_instantiate("x") == ("t", "instantiate")
    assert route.fit(1) == plugins.exec_fit("x", 1) == ("t", "fit")
    assert route.predict(1) == plugins.exec_predict("x", 1) == (1, ("t", "predict"))
    assert route.serialize(1) == plugins.exec_serialize("x", 1) == b"t serialize"
    assert route.deserialize(b"") == plugins.exec_deserialize("x", b"") == ("t", "deserialize")
    assert (route.model_type, repr(route)) == ("x", "<route of 'x'>")


@pytest.mark.parametrize("is_wrapped", [False, True])
@pytest.mark.parametrize("kwargs", [{}, {"y": 9}, {"y": 9, "z": 8}, {"instance": 7, "state_cb": 6}])
@pytest.mark.parametrize("number", range(5))
def test_arguments_arrive_through_a_route_as_they_are(
    manager: plugins.PluginManager, number: int, kwargs: dict[str, int], is_wrapped: bool
) -> None:
    """However many, by position and by name, None and the ellipsis among them, wrapped or not."""
    args = (None, ..., 2, 3, 4)[:number]

    def take(instance: object, /, *args: object, **kwargs: object) -> object:
        return args, kwargs

    source = Source("m")
    manager._registry.add(Record(action, "x", take, source) for action in ("fit", "predict"))
    manager._registry.add([Record("instantiate", "x", lambda *args, **kwargs: (args, kwargs), source)])
    if is_wrapped:
        manager.register(SimpleNamespace(**{a: _passing(a) for a in ("instantiate", "fit", "predict")}))
    route = manager.route("x")
    assert route.instantiate(None, *args, **kwargs) == (args, kwargs)
    assert route.fit(0, None, *args, **kwargs) == (args, kwargs)
    assert route.predict(0, None, *args, **kwargs) == (0, (args, kwargs))


def _passing(action: str) -> object:
    def wrap(model_type, args):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        return (yield)

    return plugins.hookimpl(wrapper=True, specname=action)(wrap)


def test_a_route_passes_the_state_callback() -> None:
    """The state callback is the first argument of ``instantiate`` and the second of ``fit`` and ``predict``."""
    plugins.instantiate("x", state_cb_arg_name="cb")(lambda cb: cb("instantiate"))
    plugins.fit(["x"], state_cb_arg_name="cb")(lambda instance, cb: cb("fit"))
    plugins.predict(["x"], state_cb_arg_name="cb")(lambda instance, cb: cb("predict"))
    states: list[Any] = []
    route = plugins.route("x")
    route.instantiate(states.append)
    route.fit(0, states.append)
    route.predict(0, states.append)
    assert states == ["instantiate", "fit", "predict"]


def test_exceptions_through_a_route_are_explained() -> None:
    """A route adds the same note, and turns ``SystemExit`` into the same error, as ``exec_*``."""

    def fail(*args: Any, error: type[BaseException] = ValueError) -> None:
        raise error("from the plugin")

    for action in ("instantiate", "fit", "predict"):
        getattr(plugins, action)("x" if action == "instantiate" else ["x"])(fail)
        call = functools.partial(getattr(plugins.route("x"), action), *([] if action == "instantiate" else [0]))
        with pytest.raises(ValueError, match="from the plugin") as caught:
            call()
        assert caught.value.__notes__ == [f"raised by module {__name__!r} in {action} of 'x'"]
        with pytest.raises(PluginExitError, match=f"{action} of 'x'"):
            call(None, error=SystemExit)


def test_a_held_route_sees_wrappers_come_and_go() -> None:
    """A handle resolved once goes through a wrapper that is registered later, and not after it left."""
    plugins.fit(["x"])(lambda instance: instance)
    route, seen = plugins.route("x"), []

    class Wrapper:
        @plugins.hookimpl(wrapper=True)
        def fit(self, instance: Any) -> Any:
            seen.append(instance)
            return (yield)

    route.fit(1)
    unregister = plugins.register(Wrapper())
    route.fit(2)
    unregister()
    route.fit(3)
    assert seen == [2]


def test_a_held_route_sees_plugins_come_and_go(manager: plugins.PluginManager, make_module: Any) -> None:
    """A handle finds its owner anew after ``unload_all`` and after another plugin took over."""
    first, second = (make_module(model_source("x", tag=tag)) for tag in ("first", "second"))
    manager.initialize({"names": [first]})
    route = manager.route("x")
    assert route.predict(0)[1][0] == "first"
    manager.unload_all()
    with pytest.raises(PluginNotFoundError):
        route.predict(0)
    manager.initialize({"names": [second]})
    assert route.predict(0)[1][0] == "second"


def test_a_route_sees_an_action_that_is_declared_later() -> None:
    """A handle taken before an action had an owner finds it once it has."""
    plugins.fit(["x"])(lambda instance: instance)
    route = plugins.route("x")
    with pytest.raises(PluginNotFoundError):
        route.serialize(1)
    plugins.serialize(["x"])(lambda instance: b"later")
    assert route.serialize(1) == b"later"


def test_a_route_that_a_plugin_takes_away_while_it_runs_ends_its_call() -> None:
    """A call that began goes on to its end, whatever happens to its owner meanwhile."""

    @plugins.fit(["x"])
    def fit(instance: Any) -> str:
        plugins.unload_all()
        return "finished"

    assert plugins.route("x").fit(0) == "finished"
    with pytest.raises(PluginNotFoundError):
        plugins.exec_fit("x", 0)


def test_the_next_call_has_the_next_owner() -> None:
    """``exec_*`` does not remember an owner that is gone."""
    for tag in ("first", "second"):
        plugins.unload_all()
        declare_type("x", tag)
        assert plugins.exec_predict("x", 0) == (0, (tag, "predict"))


# Entries


def test_an_entry_asks_for_its_owner_once() -> None:
    """An entry binds at its first call and not again before it is reset."""
    bound: list[str] = []

    def bind(entry: Entry) -> None:
        bound.append(entry.name)
        entry.set(Record("fit", "x", lambda instance: instance, Source("m")), None)

    entry = Entry("fit", "x", bind)
    for _ in range(2):
        assert entry.invoke(1, print, (), {}) == 1
    assert entry.owner(2, print, (), {}) == 2
    entry.reset()
    assert entry.owner(3, print, (), {}) == 3
    assert bound == ["x", "x"]


@pytest.mark.parametrize("action", MODEL_ACTIONS)
def test_only_functions_that_take_nothing_by_name_are_plain(action: str) -> None:
    """The short way is open where instance and arguments can be passed just as they are."""
    entry = Entry(action, "x", lambda entry: None)
    record = Record(action, "x", len, Source("m"))
    async_record = record._replace(function=_async_function)
    for held in (record, record._replace(state_cb_arg_name="cb"), record._replace(hook_arguments=()), async_record):
        entry.set(held, None)
        assert entry.plain is (len if held is record else None)
    entry.set(record, print)
    assert entry.plain is None


async def _async_function() -> None: ...


class _Endless:
    @property
    def __func__(self) -> "_Endless":
        return _Endless()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (_async_function, True),
        (functools.partial(_async_function), True),
        (len, False),
        (dict, False),
        (functools.partial(dict), False),
        (_Endless(), False),
    ],
)
def test_is_async(value: Callable[..., Any], expected: bool) -> None:
    """Only what gives a coroutine when it is called counts as async."""
    assert is_async(value) is expected


@given(st.one_of(st.binary(), st.binary().map(bytearray), st.binary().map(memoryview)))
def test_buffers_are_bytes_like(value: Any) -> None:
    """Bytes, byte arrays and views are bytes-like; text is not."""
    assert is_bytes_like(value)
    assert not is_bytes_like(str(bytes(value)))

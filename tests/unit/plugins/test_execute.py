"""The six ``exec_*`` functions, their awaitable twins, and what they do with what plugins return and raise."""

import asyncio
import functools
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from aimm import plugins
from aimm.errors import (
    ArgumentTwiceError,
    AsyncCallError,
    PluginContractWarning,
    PluginExitError,
    PluginNotFoundError,
    StateCallbackError,
)

Exec = Callable[..., Any]
CALLS: dict[str, Exec] = {
    "data_access": lambda *args, **kwargs: plugins.exec_data_access("x", *args, **kwargs),
    "instantiate": lambda *args, **kwargs: plugins.exec_instantiate("x", *args, **kwargs),
    "fit": lambda *args, **kwargs: plugins.exec_fit("x", "instance", *args, **kwargs),
    "predict": lambda *args, **kwargs: plugins.exec_predict("x", "instance", *args, **kwargs),
    "serialize": lambda: plugins.exec_serialize("x", "instance"),
    "deserialize": lambda: plugins.exec_deserialize("x", b"bytes"),
}
WITH_STATE = ["data_access", "instantiate", "fit", "predict"]
anything = st.one_of(st.none(), st.integers(), st.text(), st.lists(st.integers()))


def declare(action: str, function: Callable[..., Any], **options: Any) -> None:
    """Register a function for one action of the name ``x``."""
    decorator = getattr(plugins, action)
    decorator("x" if action in ("data_access", "instantiate") else ["x"], **options)(function)


class Spy:
    """A wrapper plugin around every action that notes what passed."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    def _note(self, action: str, result: Any) -> Any:
        self.seen.append((action, result))
        return result

    @plugins.hookimpl(wrapper=True)
    def data_access(self) -> Any:
        return self._note("data_access", (yield))

    @plugins.hookimpl(wrapper=True)
    def instantiate(self) -> Any:
        return self._note("instantiate", (yield))

    @plugins.hookimpl(wrapper=True)
    def fit(self) -> Any:
        return self._note("fit", (yield))

    @plugins.hookimpl(wrapper=True)
    def predict(self) -> Any:
        return self._note("predict", (yield))

    @plugins.hookimpl(wrapper=True)
    def serialize(self) -> Any:
        return self._note("serialize", (yield))

    @plugins.hookimpl(wrapper=True)
    def deserialize(self) -> Any:
        return self._note("deserialize", (yield))


@pytest.fixture(params=["plain", "wrapped"])
def spy(request: pytest.FixtureRequest) -> Spy | None:
    """Run the test twice: without wrappers, and with one around every action."""
    if request.param == "plain":
        return None
    made = Spy()
    plugins.register(made)
    return made


# What goes in and what comes out


@pytest.mark.parametrize("action", CALLS)
def test_none_is_a_result(action: str, spy: Spy | None) -> None:
    """A plugin that returns None has answered: nobody else is asked, and None comes back."""
    calls: list[str] = []
    declare(action, lambda *args: calls.append(action))
    for _ in "cold", "warm":
        if action == "serialize":
            with pytest.warns(PluginContractWarning):
                assert CALLS[action]() is None
        else:
            assert CALLS[action]() == (("instance", None) if action == "predict" else None)
    assert calls == [action, action]


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (TypeError, ValueError) as error:
        return str(error)


class _Shapes:
    """Functions of many shapes, each of which returns what it got; the first parameter is the instance."""

    def method(self, i: Any, x: Any, y: Any = 1) -> Any:
        return i, x, y

    @classmethod
    def of_class(cls, i: Any, x: Any) -> Any:
        return i, x

    @staticmethod
    def static(i: Any, x: Any, *, y: Any) -> Any:
        return i, x, y

    def __call__(self, i: Any, x: Any = 0, **rest: Any) -> Any:
        return i, x, rest


def _two(i: Any, x: Any) -> Any:
    return i, x


def _swapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(i: Any, *args: Any, **kwargs: Any) -> Any:
        return i, args, kwargs

    return inner


SHAPES: list[Callable[..., Any]] = [
    _two,
    lambda i: i,
    lambda i, x, y: (i, x, y),
    lambda i, y, x: (i, y, x),
    lambda i, x, y, z=3: (i, x, y, z),
    lambda i, x=1, *rest, y=2: (i, x, rest, y),
    lambda i, x=1, *rest, y=3, **more: (i, x, rest, y, more),
    lambda i, x=1, /, **rest: (i, x, rest),
    lambda i, /, x=1, *, y=2: (i, x, y),
    lambda i, /, x, y=0: (i, x, y),
    lambda i, x, /, y=0: (i, x, y),
    lambda i, x, /, **rest: (i, x, rest),
    lambda i, *, x, y=0: (i, x, y),
    lambda *args, **kwargs: (args, kwargs),
    lambda i, **kwargs: (i, kwargs),
    lambda x, i=5: (x, i),
    lambda: None,
    functools.partial(_two, x=7),
    functools.partial(_two, 7),
    _swapped(_two),
    _Shapes().method,
    _Shapes.of_class,
    _Shapes.static,
    _Shapes(),
    dict,
]
CALLERS: dict[str, Callable[..., Any]] = {
    "fit": lambda *a, **k: plugins.exec_fit("x", "I", None, *a, **k),
    "predict": lambda *a, **k: plugins.exec_predict("x", "I", print, *a, **k)[1],
    "instantiate": lambda *a, **k: plugins.exec_instantiate("x", None, *a, **k),
    "data_access": lambda *a, **k: plugins.exec_data_access("x", print, *a, **k),
    "fit by route": lambda *a, **k: plugins.route("x").fit("I", None, *a, **k),
    "predict by route": lambda *a, **k: plugins.route("x").predict("I", print, *a, **k)[1],
    "instantiate by route": lambda *a, **k: plugins.route("x").instantiate(print, *a, **k),
}


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("caller", CALLERS)
@settings(max_examples=50)
@given(
    shape=st.sampled_from(range(len(SHAPES))),
    args=st.lists(anything, max_size=4),
    kwargs=st.dictionaries(st.sampled_from(["x", "y", "z", "i", "rest", "self"]), anything, max_size=4),
)
def test_a_call_is_a_plain_call(
    caller: str, wrapped: bool, shape: int, args: list[Any], kwargs: dict[str, Any]
) -> None:
    """Result and TypeError are those of calling the function itself, at the first call and at later ones."""
    plugins.unload_all()
    if wrapped:
        plugins.register(Spy())
    action = caller.partition(" ")[0]
    declare(action, SHAPES[shape])
    instance = ["I"] if action in ("fit", "predict") else []
    expected = _outcome(lambda: SHAPES[shape](*instance, *args, **kwargs))
    for _ in "cold", "warm", "hot":
        assert _outcome(lambda: CALLERS[caller](*args, **kwargs)) == expected


def test_defaults_and_variadic_keywords_reach_the_plugin(spy: Spy | None) -> None:
    """Parameters with defaults and ``**kwargs`` behave as in plain Python: the caller's values arrive."""

    @plugins.fit(["x"])
    def fit(instance: Any, epochs: int = 10, **options: Any) -> Any:
        return epochs, options

    assert plugins.exec_fit("x", None, None, epochs=99, lr=0.1) == (99, {"lr": 0.1})
    assert plugins.exec_fit("x", None) == (10, {})


def test_predict_returns_the_very_instance(spy: Spy | None) -> None:
    """The instance in the answer is the object that was passed in, and its prediction stands beside it."""
    declare("predict", lambda instance, x: instance.append(x) or "prediction")
    instance: list[int] = []
    returned, prediction = plugins.exec_predict("x", instance, None, 5)
    assert returned is instance
    assert (instance, prediction) == ([5], "prediction")


def test_wrappers_see_the_prediction_alone() -> None:
    """A wrapper around predict gets the prediction, not the pair that the caller gets."""
    spy = Spy()
    plugins.register(spy)
    declare("predict", lambda instance: "prediction")
    plugins.exec_predict("x", 1)
    assert spy.seen == [("predict", "prediction")]


def test_serialize_and_deserialize_hand_the_object_over_as_it_is(spy: Spy | None) -> None:
    """Bytes and instances are neither copied nor converted on their way."""
    payload, instance = bytearray(b"abc"), object()
    declare("serialize", lambda given: payload if given is instance else None)
    declare("deserialize", lambda given: instance if given is payload else None)
    assert plugins.exec_serialize("x", instance) is payload
    assert plugins.exec_deserialize("x", payload) is instance


def test_an_unknown_name_shows_no_inner_lookup() -> None:
    """The error about an unknown name is not shown as a consequence of a KeyError of ours."""
    with pytest.raises(PluginNotFoundError, match="no plugin for fit of 'nobody'") as caught:
        plugins.exec_fit("nobody", None)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("name", [None, 5, ["x"], ("x",)])
def test_a_name_that_is_no_string_is_not_found(name: Any) -> None:
    """A name of another type is refused with its type, also if it cannot be hashed."""
    plugins.predict(["known"])(len)
    with pytest.raises(PluginNotFoundError, match=f"a name is a string, not {type(name).__name__}"):
        plugins.exec_predict(name, None)
    with pytest.raises(PluginNotFoundError, match="a name is a string"):
        plugins.route(name)


# The state callback


@pytest.mark.parametrize("action", WITH_STATE)
def test_the_state_callback_arrives_under_its_name(action: str, spy: Spy | None) -> None:
    """A plugin that asks for the state callback gets the caller's under the keyword that it asked for."""
    declare(action, lambda *args, cb: cb({"progress": 0.5}), state_cb_arg_name="cb")
    states: list[dict[str, Any]] = []
    CALLS[action](states.append)
    assert states == [{"progress": 0.5}]


@pytest.mark.parametrize("action", WITH_STATE)
def test_without_a_state_callback_the_plugin_gets_one_that_does_nothing(action: str, spy: Spy | None) -> None:
    """Left out or None, the plugin may call its callback all the same."""
    declare(action, lambda *args, cb: cb({}) or "done", state_cb_arg_name="cb")
    expected = ("instance", "done") if action == "predict" else "done"
    assert CALLS[action]() == CALLS[action](None) == CALLS[action](state_cb=None) == expected


@pytest.mark.parametrize("action", WITH_STATE)
def test_data_in_the_place_of_the_state_callback_is_refused(action: str) -> None:
    """Forgetting ``state_cb`` before the data is an error that says so, before the plugin runs."""
    declare(action, lambda *args, **kwargs: pytest.fail("the plugin must not run"))
    place = "second" if action in ("data_access", "instantiate") else "third"
    with pytest.raises(StateCallbackError) as caught:
        CALLS[action]([1, 2], [3])
    assert str(caught.value) == (
        f"exec_{action}('x', ...): state_cb, the {place} argument, must be callable or None, not list [1, 2]. It "
        "stands before the arguments of the plugin: pass None there, or pass data by keyword"
    )
    assert isinstance(caught.value, TypeError)


class _Unshowable:
    def __repr__(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (np.zeros((2, 2)), r"ndarray array\(\[\[0., 0.\], \[0., 0.\]\]\)\."),
        (list(range(100)), r"list \[0, 1, 2, [0-9, ]*\.\.\.\."),
        (_Unshowable(), r"not _Unshowable\."),
    ],
)
def test_refused_data_is_shown_in_one_short_line(data: Any, shown: str) -> None:
    """The message shows what stands in the callback's place, cut to a line, whatever its repr does."""
    declare("fit", lambda instance: None)
    for call in (plugins.route("x").fit, functools.partial(plugins.exec_fit, "x")):
        with pytest.raises(StateCallbackError, match=shown):
            call(None, data)


# Given twice


def _function(x: Any, cb: Any, inst: Any) -> Any:
    return x, inst


class _Object:
    def method(self, x: Any, cb: Any, inst: Any) -> Any:
        return x, inst

    __call__ = method


class _Class:
    def __init__(self, x: Any, cb: Any, inst: Any) -> None:
        self.x, self.inst = x, inst


TAKERS = {
    "function": (_function, "_function"),
    "method": (_Object().method, "_Object.method"),
    "object": (_Object(), "_Object"),
    "partial": (functools.partial(_function), "functools.partial"),
    "class": (_Class, "_Class"),
}


@pytest.mark.parametrize("kind", TAKERS)
@pytest.mark.parametrize(
    ("args", "kwargs", "argument", "role", "own"),
    [
        ((1,), {"cb": print}, "cb", "state callback", "state_cb"),
        ((1,), {"inst": 2}, "inst", "instance", "instance"),
        ((1, 2), {}, "cb", "state callback", "state_cb"),
        ((1, 2, 3), {}, "cb", "state callback", "state_cb"),
    ],
)
def test_what_aimm_passes_cannot_be_given_again(
    kind: str, args: Any, kwargs: Any, argument: str, role: str, own: str
) -> None:
    """Instance or state callback supplied twice, by keyword or position: function, argument and fix are named."""
    function, shown = TAKERS[kind]
    declare("fit", function, state_cb_arg_name="cb", instance_arg_name="inst")
    with pytest.raises(ArgumentTwiceError) as caught:
        plugins.exec_fit("x", 0, None, *args, **kwargs)
    message = str(caught.value)
    assert f"{shown} takes the {role} as '{argument}', which is filled from the '{own}' argument" in message
    assert message.endswith(f"of exec_fit; leave {argument}= out of the call")


@pytest.mark.parametrize("kind", TAKERS)
def test_named_instance_and_callback_leave_the_positions_to_the_caller(kind: str, spy: Spy | None) -> None:
    """With both passed by name, the caller's positional arguments start at the first parameter."""
    declare("fit", TAKERS[kind][0], state_cb_arg_name="cb", instance_arg_name="inst")
    result = plugins.exec_fit("x", "I", None, "X")
    assert (vars(result) if kind == "class" else result) == ({"x": "X", "inst": "I"} if kind == "class" else ("X", "I"))


def test_a_callable_without_a_signature_can_be_called() -> None:
    """Where no signature can be read, the call goes through and Python itself checks it."""
    declare("data_access", dict, state_cb_arg_name="cb")
    assert set(plugins.exec_data_access("x", None, a=1)) == {"a", "cb"}


def test_a_leading_instance_counts_as_a_position() -> None:
    """A callback that stands after the data is given twice only by an argument too many."""
    declare("fit", lambda instance, x, cb: x, state_cb_arg_name="cb")
    assert plugins.exec_fit("x", 0, None, 5) == 5
    with pytest.raises(ArgumentTwiceError, match="takes the state callback as 'cb'"):
        plugins.exec_fit("x", 0, None, 5, print)


def test_a_keyword_of_exec_belongs_to_exec(spy: Spy | None) -> None:
    """A plugin argument that is called like one of exec's own cannot pass through it, but through a route."""
    declare("fit", lambda given, **kwargs: kwargs)
    clash = {"name": 1, "model_type": 2, "instance": 3, "state_cb": 4}
    with pytest.raises(TypeError, match="multiple values"):
        plugins.exec_fit("x", None, None, **clash)
    assert plugins.route("x").fit(None, None, **clash) == clash


# Exceptions


@pytest.mark.parametrize("action", CALLS)
def test_an_exception_of_a_plugin_passes_as_itself(action: str, spy: Spy | None) -> None:
    """The caller catches the very object that the plugin raised; a note says whose it is."""
    error = KeyError("column")
    error.payload = object()  # type: ignore[attr-defined]

    def fail(*args: Any) -> None:
        raise error

    declare(action, fail)
    for _ in "cold", "warm":
        with pytest.raises(KeyError) as caught:
            CALLS[action]()
        assert caught.value is error
    assert error.__notes__ == [f"raised by module {__name__!r} in {action} of 'x'"]


def test_a_note_names_the_distribution(manager: plugins.PluginManager, site: Any) -> None:
    """For an installed plugin the note has plugin, distribution and version."""
    source = "from aimm import plugins\n@plugins.fit(['x'])\ndef fit(instance):\n    raise OSError('gone')\n"
    site.add("aimm-broken", "2.5", {"aimm.models": {"x": "broken_plugin"}}, {"broken_plugin": source})
    manager.initialize()
    with pytest.raises(OSError, match="gone") as caught:
        manager.exec_fit("x", None)
    assert caught.value.__notes__ == ["raised by plugin 'x' (distribution aimm-broken 2.5) in fit of 'x'"]


class _FrozenError(Exception):
    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("frozen")


@pytest.mark.parametrize("use", [plugins.exec_data_access, lambda name: plugins.route(name)])
def test_an_exception_that_takes_no_note_still_passes(use: Exec) -> None:
    """An exception whose attributes cannot be set passes without a note rather than as another error."""
    error = _FrozenError("as it is")
    plugins.data_access("x")(lambda: _throw(error))
    plugins.instantiate("x")(lambda: _throw(error))
    with pytest.raises(_FrozenError) as caught:
        use("x").instantiate() if use is not plugins.exec_data_access else use("x")
    assert caught.value is error


def _throw(error: BaseException) -> Any:
    raise error


def test_an_exception_raised_again_and_again_has_one_note() -> None:
    """A plugin that keeps one exception object does not collect notes on it."""
    error = ValueError("always the same")
    declare("data_access", lambda: _throw(error))
    for _ in range(3):
        with pytest.raises(ValueError, match="always"):
            CALLS["data_access"]()
    assert len(error.__notes__) == 1


@pytest.mark.parametrize("action", CALLS)
def test_a_plugin_cannot_end_the_host(action: str, spy: Spy | None) -> None:
    """``SystemExit`` of a plugin becomes an ordinary error that names action, name, owner and code."""
    declare(action, lambda *args: sys.exit(3))
    for _ in "cold", "warm":
        with pytest.raises(PluginExitError) as caught:
            CALLS[action]()
        assert str(caught.value) == (
            f"{action} of 'x': module {__name__!r} called sys.exit(3); a plugin reports trouble by raising an ordinary "
            "exception"
        )
        assert isinstance(caught.value.__cause__, SystemExit)


def test_a_plugin_cannot_end_the_host_after_it_changed_the_plugins() -> None:
    """Nor can one that makes ``aimm`` forget who it is before it leaves."""

    def fit(instance: Any) -> None:
        plugins.unload_all()
        declare("fit", lambda instance: None)
        sys.exit("bye")

    declare("fit", fit)
    with pytest.raises(PluginExitError, match=rf"module '{__name__}' called sys\.exit\('bye'\)"):
        CALLS["fit"]()


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_an_interrupt_passes_untouched(interrupt: type[BaseException], spy: Spy | None) -> None:
    """Ctrl-C and its like are the host's business: they pass as they are, without a note."""
    error = interrupt()
    declare("fit", lambda instance: _throw(error))
    with pytest.raises(interrupt) as caught:
        CALLS["fit"]()
    assert caught.value is error
    assert not hasattr(error, "__notes__")


def test_wrong_arguments_are_the_plugin_s_type_error() -> None:
    """A call that does not fit the plugin's signature is Python's own TypeError, with a note."""
    declare("fit", lambda instance, X: X)
    with pytest.raises(TypeError, match="unexpected keyword argument 'Y'") as caught:
        plugins.exec_fit("x", None, None, Y=1)
    assert f"raised by module {__name__!r} in fit of 'x'" in caught.value.__notes__


# Bytes


@pytest.mark.parametrize("result", ["text", None, 5, np.array(["2020"], "M8[Y]"), [b"list"]])
def test_serialize_without_bytes_warns_and_names_the_plugin(result: Any, spy: Spy | None) -> None:
    """What is not bytes-like comes back as it is, with a warning that names the plugin."""
    declare("serialize", lambda instance: result)
    expected = f"serialize of 'x' by module {__name__!r} returned {type(result).__name__}, not bytes"
    for call in (CALLS["serialize"], lambda: plugins.route("x").serialize(0)):
        with pytest.warns(PluginContractWarning, match=expected) as caught:
            assert call() is result
        assert caught[0].filename == __file__


@pytest.mark.parametrize("result", [b"b", bytearray(b"b"), memoryview(b"abc")[::2], np.zeros(2)])
def test_every_bytes_like_object_is_fine(result: Any) -> None:
    """Anything with a buffer is as good as bytes: no warning, and the object itself."""
    declare("serialize", lambda instance: result)
    assert CALLS["serialize"]() is result


# async def


async def _double(*args: Any, **kwargs: Any) -> Any:
    await asyncio.sleep(0)
    return b"done"


class _AsyncObject:
    async def method(self, *args: Any) -> Any:
        return await _double()

    @classmethod
    async def of_class(cls, *args: Any) -> Any:
        return await _double()

    @staticmethod
    async def static(*args: Any) -> Any:
        return await _double()

    async def __call__(self, *args: Any) -> Any:
        return await _double()


ASYNC: dict[str, Callable[..., Awaitable[Any]]] = {
    "function": _double,
    "method": _AsyncObject().method,
    "class method": _AsyncObject.of_class,
    "static method": _AsyncObject.static,
    "partial": functools.partial(_double, 1),
    "partial of a partial of a method": functools.partial(functools.partial(_AsyncObject().method, 1), 2),
    "object": _AsyncObject(),
}


@pytest.mark.parametrize("kind", ASYNC)
@pytest.mark.parametrize("action", CALLS)
def test_async_functions_run_to_completion(action: str, kind: str) -> None:
    """Whatever form an ``async def`` has, the caller gets its result, and wrappers see it too."""
    declare(action, ASYNC[kind])
    expected = ("instance", b"done") if action == "predict" else b"done"
    assert CALLS[action]() == expected
    spy = Spy()
    plugins.register(spy)
    assert CALLS[action]() == expected
    assert spy.seen == [(action, b"done")]


def test_an_async_hook_owner_runs_to_completion() -> None:
    """The actions of a hook plugin may be ``async def`` as well."""

    class Owner:
        @plugins.hookimpl
        def model_types(self) -> list[str]:
            return ["x"]

        @plugins.hookimpl
        async def fit(self, args: Any, instance: Any) -> Any:
            return await _double(), instance, args

    plugins.register(Owner())
    assert plugins.exec_fit("x", 1, None, 2) == (b"done", 1, (2,))


class _Runner:
    """A callable object that happens to keep an async function."""

    def __init__(self) -> None:
        self.func = _double

    def __call__(self, instance: Any) -> Any:
        return asyncio.run(self.func())


def test_an_object_that_only_keeps_an_async_function_is_not_async() -> None:
    """What counts is what a call runs, not what an object holds."""
    declare("fit", _Runner())
    assert CALLS["fit"]() == b"done"


@pytest.mark.parametrize("action", CALLS)
def test_inside_a_running_loop_the_error_names_the_twin(action: str, spy: Spy | None) -> None:
    """An async plugin called synchronously inside a loop is refused, and the message shows what to write."""
    declare(action, _double)

    async def main() -> None:
        CALLS[action]()

    with pytest.raises(AsyncCallError) as caught:
        asyncio.run(main())
    assert str(caught.value).endswith(f"use 'await plugins.aexec_{action}('x', ...)' here")
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("function", [_double, lambda *args: b"done"])
def test_the_awaitable_twins_give_the_same(function: Callable[..., Any], spy: Spy | None) -> None:
    """Each ``aexec_*`` returns what its twin returns, for plain and async plugins."""
    for action in CALLS:
        declare(action, function)

    async def main() -> list[Any]:
        return (
            [
                await plugins.aexec_data_access("x", None, 1, a=2),
                await plugins.aexec_instantiate("x"),
                await plugins.aexec_fit("x", 1, None),
                await plugins.aexec_predict("x", 1, None),
                await plugins.aexec_serialize("x", 1),
                await plugins.aexec_deserialize("x", b""),
            ]
            if function is _double
            else [await plugins.aexec_predict("x", 1, None, 2)]
        )

    done = b"done"
    assert asyncio.run(main()) == ([done, done, done, (1, done), done, done] if function is _double else [(1, done)])


def test_a_twin_leaves_the_loop_free() -> None:
    """While a plugin works in its thread, the event loop goes on; the state callback runs in that thread."""
    threads: list[threading.Thread] = []

    @plugins.fit(["x"], state_cb_arg_name="cb")
    def fit(instance: threading.Event, cb: Any) -> bool:
        cb({"progress": 0})
        return instance.wait(10)

    async def main() -> bool:
        released = threading.Event()
        task = asyncio.create_task(
            plugins.aexec_fit("x", released, lambda state: threads.append(threading.current_thread()))
        )
        await asyncio.sleep(0)
        released.set()
        return bool(await task)

    assert asyncio.run(main())
    assert threads != [threading.main_thread()]


def test_errors_pass_through_a_twin() -> None:
    """An awaited call raises the plugin's own exception object."""
    error = ValueError("bad shape")
    declare("fit", lambda instance: _throw(error))
    with pytest.raises(ValueError, match="bad shape") as caught:
        asyncio.run(plugins.aexec_fit("x", None))
    assert caught.value is error


@pytest.mark.timeout(30)
def test_stop_iteration_does_not_hang_a_twin() -> None:
    """A bare ``next`` in a plugin, which a future cannot carry, ends the wait with an error."""
    error = StopIteration("empty")
    declare("fit", lambda instance: _throw(error))
    with pytest.raises(RuntimeError, match="the plugin raised StopIteration: empty") as caught:
        asyncio.run(plugins.aexec_fit("x", None))
    assert caught.value.__cause__ is error
    assert error.__notes__ == [f"raised by module {__name__!r} in fit of 'x'"]


@pytest.mark.parametrize("error", [StopIteration("s"), RuntimeError("r"), GeneratorExit()])
def test_awkward_exceptions_pass_wrappers_as_themselves(error: BaseException) -> None:
    """Exceptions with a meaning for generators survive the generators that wrappers are."""
    plugins.register(Spy())
    declare("fit", lambda instance: _throw(error))
    with pytest.raises(type(error)) as caught:
        CALLS["fit"]()
    assert caught.value is error


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_call_inspects_nothing(wrapped: bool) -> None:
    """Signatures are read and bound, and protocols checked, once: when plugins and wrappers come, never in a call."""
    for action in CALLS:
        declare(action, lambda *args, **kwargs: b"")
    if wrapped:
        plugins.register(Spy())
    route = plugins.route("x")
    calls: list[Callable[[], Any]] = [
        *CALLS.values(),
        lambda: route.fit(0, None, 1),
        lambda: route.predict(0, None, y=1),
    ]
    for call in calls:
        call()
    called: set[str] = set()
    sys.setprofile(lambda frame, event, _: called.add(frame.f_globals.get("__name__", "")))
    try:
        for call in calls:
            call()
    finally:
        sys.setprofile(None)
    assert "aimm.plugins._execute" in called
    assert not called & {"inspect", "typing", "_py_abc", "abc"}

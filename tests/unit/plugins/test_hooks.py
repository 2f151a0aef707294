"""Hook plugins: every hook of ``hookspecs`` (one test is named after each), owners, wrappers, refusals."""

import functools
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aimm import plugins
from aimm._types import ACTIONS, ROUTED
from aimm.errors import (
    ConfigError,
    DeclarationError,
    DuplicateError,
    HookSignatureError,
    PluginConflictError,
    PluginExitError,
    PluginFailure,
    PluginLoadError,
    PluginNotFoundError,
    PluginUnavailableError,
)
from aimm.plugins import hookimpl
from aimm.plugins._hooks import SPECIFICATIONS, read_hook_plugin
from aimm.plugins._registry import Source
from support import FakeSite

Manager = plugins.PluginManager
wrapper = hookimpl(wrapper=True)


class Owner:
    """Owns the model types given; every action answers with what it got."""

    def __init__(self, *model_types: str) -> None:
        self.types = model_types

    @hookimpl
    def model_types(self) -> tuple[str, ...]:
        return self.types

    @hookimpl
    def instantiate(self, model_type: str, state_cb: Any, args: Any, kwargs: Any) -> Any:
        state_cb({"instantiate": model_type})
        return model_type, args, kwargs

    @hookimpl
    def fit(self, kwargs: Any, args: Any, state_cb: Any, instance: Any, model_type: str) -> Any:
        state_cb({"fit": model_type})
        return model_type, instance, args, kwargs

    @hookimpl
    def predict(self, model_type: str, instance: Any, state_cb: Any, args: Any, kwargs: Any) -> Any:
        state_cb({"predict": model_type})
        return model_type, instance, args, kwargs

    @hookimpl
    def serialize(self, model_type: str, instance: Any) -> bytes:
        return f"{model_type} {instance}".encode()

    @hookimpl
    def deserialize(self, model_type: str, instance_bytes: Any) -> Any:
        return model_type, instance_bytes


def made(**functions: Callable[..., Any]) -> Any:
    """A hook plugin object with these marked functions as attributes."""
    return type("Made", (), {name: staticmethod(function) for name, function in functions.items()})()


# Each hook


def test_instantiate(manager: Manager) -> None:
    """An owner's instantiate gets model type, state callback, and the caller's arguments."""
    manager.register(Owner("x"))
    states: list[Any] = []
    assert manager.exec_instantiate("x", states.append, 1, a=2) == ("x", (1,), {"a": 2})
    assert states == [{"instantiate": "x"}]


def test_fit(manager: Manager) -> None:
    """An owner's fit gets the instance too, and names its parameters in any order."""
    manager.register(Owner("x", "y"))
    states: list[Any] = []
    assert manager.exec_fit("y", "I", states.append, 1, a=2) == ("y", "I", (1,), {"a": 2})
    assert states == [{"fit": "y"}]


def test_predict(manager: Manager) -> None:
    """An owner's predict returns the prediction; the caller gets the instance beside it."""
    manager.register(Owner("x"))
    assert manager.exec_predict("x", "I", None, 1) == ("I", ("x", "I", (1,), {}))


def test_serialize(manager: Manager) -> None:
    """An owner's serialize gets the instance."""
    manager.register(Owner("x"))
    assert manager.exec_serialize("x", "I") == b"x I"


def test_deserialize(manager: Manager) -> None:
    """An owner's deserialize gets the bytes."""
    manager.register(Owner("x"))
    assert manager.exec_deserialize("x", b"I") == ("x", b"I")


def test_data_access() -> None:
    """A wrapper around data_access sees name, state callback, arguments and result."""
    plugins.data_access("d")(lambda *args, **kwargs: "data")
    seen: list[Any] = []

    @wrapper
    def data_access(name: str, state_cb: Any, args: Any, kwargs: Any) -> Any:
        result = yield
        seen.append((name, state_cb, args, kwargs, result))
        return result

    plugins.register(made(data_access=data_access))
    plugins.exec_data_access("d", print, 1, a=2)
    assert seen == [("d", print, (1,), {"a": 2}, "data")]


def test_run_task() -> None:
    """A wrapper around run_task sees full name, state callback, arguments and result."""
    from aimm import tasks

    def add(a: int, b: int) -> int:
        return a + b

    tasks.register(add)
    seen: list[Any] = []

    @wrapper
    def run_task(task: str, state_cb: Any, args: Any, kwargs: Any) -> Any:
        result = yield
        seen.append((task, state_cb, args, kwargs, result))
        return result

    plugins.register(made(run_task=run_task))
    assert tasks.call_task(tasks.find_task("add"), (1,), {"b": 2}, print) == 3
    assert seen == [(f"{__name__}.add", print, (1,), {"b": 2}, 3)]


def test_model_types(manager: Manager) -> None:
    """The types that a plugin lists are known without a call, and only those are its own."""
    manager.register(Owner("x", "y"), "owner")
    assert [(owner.name, owner.plugin) for owner in manager.owners()] == [("x", "owner"), ("y", "owner")]
    assert manager.owners()[0].actions == ("instantiate", "fit", "predict", "serialize", "deserialize")
    with pytest.raises(PluginNotFoundError):
        manager.exec_instantiate("z")


def test_resolve_model_type(manager: Manager) -> None:
    """A dynamic owner is asked for names that nobody declares, once for each."""
    asked: list[str] = []

    @hookimpl
    def resolve_model_type(model_type: str) -> bool:
        asked.append(model_type)
        return model_type.startswith("lib.")

    manager.register(made(resolve_model_type=resolve_model_type, fit=hookimpl(_fit_any)), "library")
    assert manager.exec_fit("lib.A", 1) == manager.exec_fit("lib.A", 1) == ("lib.A", 1)
    assert asked == ["lib.A"]
    with pytest.raises(PluginNotFoundError):
        manager.exec_fit("other", 1)
    assert manager.owners()[-1] == plugins.Owner("(dynamic)", "library", None, None, ("fit",))


def _fit_any(model_type: str, instance: Any) -> Any:
    return model_type, instance


def test_parameters(manager: Manager) -> None:
    """A hook owner can say which arguments an action takes; one that does not is unknown."""
    told = hookimpl(lambda model_type, action: ("X", "y") if action == "fit" else None)
    types = hookimpl(lambda: ["x"])
    manager.register(made(model_types=types, fit=hookimpl(_fit_any), predict=hookimpl(_fit_any), parameters=told))
    manager.register(Owner("silent"))
    assert manager.parameters("x", "fit") == ["X", "y"]
    assert manager.parameters("x", "predict") is None
    assert manager.parameters("silent", "fit") is None


def test_plugin_loaded(manager: Manager, site: FakeSite) -> None:
    """An observer hears of each plugin that is loaded after it, with distribution and version."""
    heard: list[Any] = []
    observe = hookimpl(lambda plugin, distribution, version: heard.append((plugin, distribution, version)))
    manager.register(made(plugin_loaded=observe))
    source = "from aimm import plugins\n@plugins.fit(['x'])\ndef fit(i): return i\n"
    site.add("lazy-one", "3.1", {"aimm.models": {"x": "lazy_mod"}}, {"lazy_mod": source})
    manager.initialize()
    assert heard == []
    manager.exec_fit("x", 1)
    assert heard == [("x", "lazy-one", "3.1")]


def test_plugin_failed(manager: Manager, site: FakeSite) -> None:
    """An observer hears of each plugin that fails, and why."""
    heard: list[PluginFailure] = []
    manager.register(made(plugin_failed=hookimpl(lambda failure: heard.append(failure))))
    site.add("bad", "1", {"aimm.plugins": {"b": "bad_mod"}}, {"bad_mod": "raise OSError('no disk')"})
    report = manager.initialize()
    assert tuple(heard) == report.failed
    assert heard[0].cause == "OSError: no disk"


SETTINGS_PLUGIN = """
    from aimm.plugins import hookimpl
    GOT = []
    @hookimpl
    def settings_schema():
        return {"type": "object", "properties": {"level": {"type": "integer"}}, "additionalProperties": False}
    @hookimpl
    def configure(settings):
        GOT.append(settings)
"""


def test_configure(manager: Manager, site: FakeSite) -> None:
    """A plugin gets its settings from the configuration once, before anything else is asked of it."""
    site.add("d", entry_points={"aimm.plugins": {"p": "set_mod"}}, modules={"set_mod": SETTINGS_PLUGIN})
    manager.initialize({"names": [], "settings": {"p": {"level": 3}}})
    manager.initialize()
    assert sys.modules["set_mod"].GOT == [{"level": 3}]


def test_configure_without_settings(manager: Manager, make_module: Any) -> None:
    """Without settings in the configuration a plugin is configured with none."""
    name = make_module(SETTINGS_PLUGIN)
    manager.initialize({"names": [name]})
    assert sys.modules[name].GOT == [{}]


def test_settings_schema(manager: Manager, make_module: Any) -> None:
    """Settings that break the plugin's own schema are refused, with their place in the document."""
    name = make_module(SETTINGS_PLUGIN)
    with pytest.raises(PluginLoadError) as caught:
        manager.initialize({"names": [name], "settings": {name: {"level": "high"}}})
    (failure,) = caught.value.failures
    assert failure.stage == "settings"
    assert f"settings.{name}.level" in failure.cause
    assert "expected a whole number, got str 'high'" in failure.cause
    assert sys.modules[name].GOT == []


# Settings, further


def test_settings_for_no_plugin_are_an_error(manager: Manager) -> None:
    """A misspelt plugin name under ``settings`` does not pass in silence."""
    with pytest.raises(PluginLoadError, match="settings for 'nobody', which is no plugin"):
        manager.initialize({"names": [], "settings": {"nobody": {"a": 1}}})


def test_settings_for_a_plugin_that_takes_none_are_an_error(manager: Manager, make_module: Any) -> None:
    """A plugin without ``configure`` cannot be given settings."""
    name = make_module("from aimm.plugins import hookimpl\n@hookimpl\ndef plugin_failed(failure): pass\n")
    with pytest.raises(PluginLoadError, match="this plugin takes no settings: it does not implement configure"):
        manager.initialize({"names": [name], "settings": {name: {"a": 1}}})


def test_a_schema_that_is_none_is_quarantined(manager: Manager, site: FakeSite) -> None:
    """An installed plugin whose schema is broken fails alone, as long as the host has no settings for it."""
    source = "from aimm.plugins import hookimpl\n@hookimpl\ndef settings_schema(): return {'type': 'nonsense'}\n"
    site.add("d", entry_points={"aimm.plugins": {"p": "schema_mod"}}, modules={"schema_mod": source})
    report = manager.initialize()
    assert [(failure.plugin, failure.stage) for failure in report.failed] == [("p", "settings")]
    with pytest.raises(PluginLoadError, match="'nonsense' is not valid"):
        manager.initialize({"names": [], "settings": {"p": {}}})


def test_register_checks_and_passes_settings(manager: Manager) -> None:
    """A plugin that joins at run time is configured like any other."""
    got: list[Any] = []
    schema = hookimpl(lambda: {"type": "object", "required": ["level"]})
    plugin = made(settings_schema=schema, configure=hookimpl(lambda settings: got.append(settings)))
    with pytest.raises(ConfigError, match=r"at settings.late: the key 'level' is missing"):
        manager.register(plugin, "late")
    assert got == []


# Observers and resolvers that fail


@pytest.mark.parametrize("error", ["ValueError('x')", "SystemExit(3)"])
def test_an_observer_that_raises_is_harmless(
    manager: Manager, make_module: Any, caplog: pytest.LogCaptureFixture, error: str
) -> None:
    """A raising observer is logged; the plugin that it observed is loaded, and other observers hear of it."""
    heard: list[str] = []
    bad = f"from aimm.plugins import hookimpl\n@hookimpl\ndef plugin_loaded(plugin):\n    raise {error}\n"
    manager.initialize({"names": [make_module(bad, "bad_observer")]})
    manager.register(made(plugin_loaded=hookimpl(lambda plugin: heard.append(plugin))))
    with caplog.at_level(logging.WARNING, "aimm.plugins"):
        manager.initialize({"names": [make_module("", "empty_plugin")]})
    assert heard == ["empty_plugin"]
    assert f"plugin 'bad_observer': plugin_loaded failed: {error.split('(')[0]}" in caplog.text


@pytest.mark.parametrize("error", [ValueError("lib is broken"), SystemExit("lib is broken")])
def test_a_resolver_that_raises_does_not_hide_the_others(manager: Manager, error: BaseException) -> None:
    """The others are asked all the same; only where nobody else claims the name is its error told."""

    @hookimpl
    def resolve_model_type(model_type: str) -> bool:
        raise error

    manager.register(made(resolve_model_type=resolve_model_type), "broken")
    claims = hookimpl(lambda model_type: model_type == "mine")
    manager.register(made(resolve_model_type=claims, fit=hookimpl(_fit_any)), "sound")
    assert manager.exec_fit("mine", 1) == ("mine", 1)
    with pytest.raises(PluginNotFoundError, match=r"plugin 'broken' could not say .*: lib is broken") as caught:
        manager.exec_fit("nobody's", 1)
    assert caught.value.__cause__ is error


# Conflicts


def _claiming(tag: str) -> Any:
    return made(resolve_model_type=hookimpl(lambda model_type: True), predict=hookimpl(lambda instance: tag))


def test_two_dynamic_owners_of_one_name_are_a_conflict(manager: Manager) -> None:
    """Two plugins that claim the same name are both listed, with the line that settles it."""
    manager.register(_claiming("one"), "one")
    manager.register(_claiming("two"), "two")
    with pytest.raises(PluginConflictError) as caught:
        manager.exec_predict("x", 0)
    assert str(caught.value) == (
        "model type 'x' is claimed by plugin 'one' and by plugin 'two'; put 'prefer: {x: one}' or 'prefer: {x: two}' "
        "into the configuration, or exclude one of the distributions"
    )


def test_prefer_settles_dynamic_owners(manager: Manager) -> None:
    """``prefer`` chooses between dynamic owners, for the names that it lists only."""
    manager.register(_claiming("one"), "one")
    manager.register(_claiming("two"), "two")
    manager.initialize({"names": [], "prefer": {"x": "two"}})
    assert manager.exec_predict("x", 0) == (0, "two")
    with pytest.raises(PluginConflictError):
        manager.exec_predict("y", 0)


def test_a_declared_name_is_not_asked_of_dynamic_owners(manager: Manager) -> None:
    """Whoever declares a model type by name owns it, whatever others claim dynamically."""
    manager.register(_claiming("dynamic"))
    manager.register(made(model_types=hookimpl(lambda: ["x"]), predict=hookimpl(lambda instance: "static")))
    assert manager.exec_predict("x", 0) == (0, "static")


def test_a_listed_type_that_is_taken_is_refused_whole(manager: Manager) -> None:
    """A plugin one of whose types is taken joins with none of its types and none of its hooks."""
    manager.register(Owner("x"), "first")
    seen: list[str] = []

    class Second(Owner):
        @hookimpl
        def plugin_failed(self) -> None:
            seen.append("heard")

    with pytest.raises(DuplicateError, match="for 'x' is already declared by plugin 'first'"):
        manager.register(Second("y", "x"), "second")
    assert [owner.name for owner in manager.owners()] == ["x"]
    with pytest.raises(PluginLoadError):
        manager.initialize({"names": ["no_such_module"]})
    assert seen == []


# Run-time registration


def test_unregister_takes_out_one_plugin(manager: Manager) -> None:
    """Of two plugins of one class, only the one whose function is called leaves; calling it again does nothing."""
    unregister, _ = manager.register(Owner("x")), manager.register(Owner("y"))
    unregister()
    unregister()
    assert [owner.name for owner in manager.owners()] == ["y"]
    assert manager.exec_serialize("y", 1) == b"y 1"
    manager.register(Owner("x"))


def test_unregister_takes_dynamically_claimed_types_along(manager: Manager) -> None:
    """What a plugin claimed when it was asked goes with it."""
    unregister = manager.register(_claiming("one"))
    route = manager.route("x")
    assert route.predict(0) == (0, "one")
    unregister()
    with pytest.raises(PluginNotFoundError):
        route.predict(0)


def test_unregister_after_unload_all_does_nothing(manager: Manager) -> None:
    """The function that register returned may be called late."""
    unregister = manager.register(Owner("x"))
    manager.unload_all()
    unregister()
    assert manager.owners() == []


def test_an_object_without_hooks_cannot_join(manager: Manager) -> None:
    """Registering something that has no marked function is refused."""
    with pytest.raises(DeclarationError, match=r"has no function marked with plugins.hookimpl"):
        manager.register(object())


def test_the_optional_hook_of_another_version_is_left_out(manager: Manager) -> None:
    """An unknown hook marked as optional is neither refused nor called."""
    seen: list[str] = []
    optional = hookimpl(optionalhook=True)(lambda: seen.append("called"))
    manager.register(made(hook_of_the_future=optional, plugin_failed=hookimpl(lambda: None)))
    assert seen == []


def test_properties_of_a_plugin_are_not_run(manager: Manager) -> None:
    """Looking for hooks runs no code of the plugin."""

    class Plugin(Owner):
        @property
        def trap(self) -> None:
            pytest.fail("a property was run")

    manager.register(Plugin("x"))


# Wrappers


def wrap_all(around: Callable[..., Iterator[Any]]) -> Any:
    """A plugin with one wrapper around every action; ``around`` gets the action."""

    def make(action: str) -> Callable[..., Any]:
        def wrapping() -> Iterator[Any]:
            return (yield from around(action))

        return hookimpl(wrapper=True)(wrapping)

    return made(**{action: make(action) for action in ACTIONS})


CALLS: dict[str, Callable[[Manager, str], Any]] = {
    "data_access": lambda m, name: m.exec_data_access(name),
    "instantiate": lambda m, name: m.exec_instantiate(name),
    "fit": lambda m, name: m.exec_fit(name, 0),
    "predict": lambda m, name: m.exec_predict(name, 0)[1],
    "serialize": lambda m, name: m.exec_serialize(name, 0),
    "deserialize": lambda m, name: m.exec_deserialize(name, b""),
}

EVERY_OWNER = """
    from aimm import plugins
    plugins.data_access("decorated")(lambda: b"decorated")
    plugins.instantiate("decorated")(lambda: b"decorated")
    for action in (plugins.fit, plugins.predict, plugins.serialize, plugins.deserialize):
        action(["decorated"])(lambda given: b"decorated")

    @plugins.model
    class Model(plugins.Model):
        def fit(self): ...
        def predict(self): ...
        def serialize(self): return b"class"
        @classmethod
        def deserialize(cls, instance_bytes): return cls()
"""


@pytest.mark.parametrize("action", ACTIONS)
def test_a_wrapper_sees_the_calls_of_every_owner(manager: Manager, make_module: Any, action: str) -> None:
    """Decorated functions, model classes, static and dynamic hook owners: a wrapper stands around all of them."""
    name = make_module(EVERY_OWNER)
    manager.initialize({"names": [name]})
    manager.register(Owner("static"))
    dynamic = made(resolve_model_type=hookimpl(lambda model_type: model_type == "dynamic"))
    for hook in ACTIONS[1:]:
        setattr(dynamic, hook, hookimpl(lambda: b"dynamic"))
    manager.register(dynamic)
    seen: list[str] = []

    def around(action: str) -> Iterator[Any]:
        seen.append(action)
        return (yield)

    manager.register(wrap_all(around))
    owners = ["decorated"] if action == "data_access" else ["decorated", "static", "dynamic"]
    for owner in owners:
        CALLS[action](manager, owner)
    if action != "data_access":
        instance = manager.exec_instantiate(f"{name}.Model")
        manager.exec_serialize(f"{name}.Model", instance)
        owners += ["class"] * ([action].count("instantiate") + [action].count("serialize"))
    assert seen.count(action) == len(owners)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_wrapper_may_replace_the_result(manager: Manager, make_module: Any, action: str) -> None:
    """What a wrapper returns is what the caller gets."""
    manager.initialize({"names": [make_module(EVERY_OWNER)]})

    def around(action: str) -> Iterator[Any]:
        yield
        return b"replaced"

    manager.register(wrap_all(around))
    assert CALLS[action](manager, "decorated") == b"replaced"


@pytest.mark.parametrize("action", ACTIONS)
def test_a_wrapper_may_veto(manager: Manager, make_module: Any, action: str) -> None:
    """A wrapper that raises first stops the call; its own exception arrives, with a note that names it."""
    manager.initialize({"names": [make_module(EVERY_OWNER)]})
    veto = PermissionError("not today")

    def around(action: str) -> Iterator[Any]:
        raise veto
        yield

    manager.register(wrap_all(around), "policy")
    with pytest.raises(PermissionError, match="not today") as caught:
        CALLS[action](manager, "decorated")
    assert caught.value is veto
    assert veto.__notes__ == [f"raised by plugin 'policy' in {action} of 'decorated'"]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_wrapper_cannot_end_the_host(manager: Manager, make_module: Any, action: str) -> None:
    """``SystemExit`` of a wrapper is as little the host's end as that of an owner, and the wrapper is named."""
    manager.initialize({"names": [make_module(EVERY_OWNER)]})

    def around(action: str) -> Iterator[Any]:
        yield
        sys.exit(4)

    manager.register(wrap_all(around), "quitter")
    with pytest.raises(PluginExitError, match=rf"{action} of 'decorated': plugin 'quitter' called sys.exit\(4\)"):
        CALLS[action](manager, "decorated")


def test_an_owner_s_exception_is_not_blamed_on_a_wrapper(manager: Manager) -> None:
    """What passes through wrappers is explained once, by the name of its owner."""

    def around(action: str) -> Iterator[Any]:
        return (yield)

    def fail() -> None:
        raise ValueError("mine")

    manager.register(wrap_all(around), "outer")
    manager.register(made(model_types=hookimpl(lambda: ["x"]), fit=hookimpl(fail)), "owner")
    with pytest.raises(ValueError, match="mine") as caught:
        manager.exec_fit("x", 0)
    assert caught.value.__notes__ == ["raised by plugin 'owner' in fit of 'x'"]


def test_a_wrapper_may_turn_an_exception_into_a_result(manager: Manager) -> None:
    """A wrapper that catches what the owner raised answers in its place."""

    def around(action: str) -> Iterator[Any]:
        try:
            return (yield)
        except ValueError as error:
            return f"caught {error}"

    def fail() -> None:
        raise ValueError("it")

    manager.register(wrap_all(around))
    manager.register(made(model_types=hookimpl(lambda: ["x"]), fit=hookimpl(fail)))
    assert manager.exec_fit("x", 0) == "caught it"


def test_a_wrapper_of_the_old_style_works(manager: Manager) -> None:
    """Pluggy's former ``hookwrapper=True`` gets a result object at its yield."""
    seen: list[Any] = []

    @hookimpl(hookwrapper=True)
    def fit(model_type: str) -> Any:
        outcome = yield
        seen.append((model_type, outcome.get_result()))

    manager.register(made(fit=fit))
    manager.register(Owner("x"))
    manager.exec_fit("x", 0)
    assert seen == [("x", ("x", 0, (), {}))]


def test_a_wrapper_under_another_name(manager: Manager) -> None:
    """``specname`` says which hook a function of another name implements, for owners and wrappers."""
    seen: list[str] = []

    @hookimpl(wrapper=True, specname="fit")
    def _trace(model_type: str) -> Any:
        seen.append(model_type)
        return (yield)

    types = hookimpl(specname="model_types")(lambda: ["x"])
    manager.register(made(trace=_trace, listed=types, fit=hookimpl(_fit_any)))
    assert manager.exec_fit("x", 1) == ("x", 1)
    assert seen == ["x"]


def _tracer(order: list[str], tag: str, **options: bool) -> str:
    options_text = "".join(f", {name}={value}" for name, value in options.items())
    return f"""
        from aimm.plugins import hookimpl
        import order_log
        @hookimpl(wrapper=True{options_text})
        def fit():
            order_log.ENTRIES.append({tag!r})
            return (yield)
    """


def _order(manager: Manager, site: FakeSite, declared: dict[str, dict[str, bool]]) -> list[str]:
    site.module("order_log", "ENTRIES = []")
    for tag, options in declared.items():
        source = _tracer([], tag, **options)
        site.add(f"dist-{tag}", entry_points={"aimm.plugins": {tag: f"mod_{tag}"}}, modules={f"mod_{tag}": source})
    manager.register(Owner("x"))
    manager.initialize()
    manager.exec_fit("x", 0)
    return list(sys.modules["order_log"].ENTRIES)


@pytest.mark.parametrize("names", ["abc", "cba", "bca"])
def test_the_order_of_wrappers_does_not_depend_on_installation(manager: Manager, site: FakeSite, names: str) -> None:
    """Wrappers of installed plugins run in the order of their distributions' names."""
    assert _order(manager, site, {tag: {} for tag in names}) == ["a", "b", "c"]


def test_tryfirst_and_trylast_order_wrappers(manager: Manager, site: FakeSite) -> None:
    """A wrapper may ask to be outermost or innermost."""
    declared = {"a": {"trylast": True}, "b": {}, "c": {"tryfirst": True}}
    assert _order(manager, site, declared) == ["c", "b", "a"]


def test_the_same_wrapper_reached_twice_is_one(manager: Manager, site: FakeSite) -> None:
    """A module that is installed as a plugin and named in the configuration wraps once."""
    site.module("order_log", "ENTRIES = []")
    site.add("d", entry_points={"aimm.plugins": {"p": "mod_t"}}, modules={"mod_t": _tracer([], "t")})
    manager.register(Owner("x"))
    manager.initialize({"names": ["mod_t"]})
    manager.exec_fit("x", 0)
    assert sys.modules["order_log"].ENTRIES == ["t"]


def test_a_wrapper_may_change_the_keyword_arguments(manager: Manager) -> None:
    """Keywords that a wrapper sets before its yield reach the owner; what the owner gets is its own copy."""

    @wrapper
    def fit(kwargs: dict[str, Any]) -> Any:
        kwargs["seed"] = 1
        result = yield
        return result, dict(kwargs)

    plugins.fit(["x"], state_cb_arg_name="cb")(lambda instance, cb, seed: seed)
    plugins.register(made(fit=fit))
    assert plugins.exec_fit("x", 0) == (1, {"seed": 1})


# Refusals


def refused(plugin: Any, error: type[DeclarationError] = HookSignatureError) -> str:
    """The message with which a hook plugin is refused."""
    with pytest.raises(DeclarationError) as caught:
        read_hook_plugin(plugin, Source("m"))
    assert type(caught.value) is error
    return str(caught.value)


RIGHT = "; the hook is fit(model_type, instance, state_cb, args, kwargs) and an implementation takes any subset of it"


def _default(instance: Any, args: Any = ()) -> None: ...
def _variadic(*args: Any) -> None: ...
def _keywords(instance: Any, **kwargs: Any) -> None: ...
def _keyword_only(*, instance: Any) -> None: ...
def _unknown(instanse: Any) -> None: ...


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (_default, "gives 'args' a default, with which a hook call never fills it"),
        (_variadic, "takes *args: Any, which a hook call never fills"),
        (_keywords, "takes **kwargs: Any, which a hook call never fills"),
        (_keyword_only, "takes 'instance' by keyword only"),
        (_unknown, "takes 'instanse', which the hook does not pass"),
    ],
)
def test_a_signature_that_does_not_fit_is_refused(function: Any, problem: str) -> None:
    """The message names the function, what is wrong with it, and the right signature."""
    message = refused(made(model_types=hookimpl(lambda: ["x"]), fit=hookimpl(function)))
    assert message == f"{__name__}.{function.__name__} {problem}{RIGHT}"


@pytest.mark.parametrize("hook", SPECIFICATIONS)
def test_every_hook_shows_its_own_signature(hook: str) -> None:
    """Whichever hook does not fit, the message has the signature of that one."""
    message = refused(made(**{hook: hookimpl(lambda wrong: None)}))
    assert f"the hook is {hook}({', '.join(SPECIFICATIONS[hook])}) and" in message


def test_a_misspelt_hook_is_refused_with_the_right_name() -> None:
    """A marked function that is no hook is refused, not ignored."""
    assert refused(made(fitt=hookimpl(lambda: None))).endswith("there is no hook 'fitt'; did you mean 'fit'?")


def test_an_unknown_hook_is_refused_with_all_names() -> None:
    """Without a near miss the message lists every hook."""
    message = refused(made(zzz=hookimpl(lambda: None)))
    assert message.endswith(f"there is no hook 'zzz'; the hooks are {', '.join(sorted(SPECIFICATIONS))}")


async def _async_wrapper() -> Any:
    yield


@pytest.mark.parametrize("function", [lambda: None, _async_wrapper, functools.partial(_async_wrapper)])
def test_a_wrapper_that_is_no_generator_is_refused(function: Any) -> None:
    """A wrapper has to yield; the message shows how."""
    message = refused(made(fit=hookimpl(wrapper=True)(function)))
    assert message.endswith("a wrapper must be a generator function: 'result = yield' and 'return result'")


def test_only_actions_can_be_wrapped() -> None:
    """A wrapper around another hook is refused."""
    message = refused(made(model_types=hookimpl(wrapper=True)(lambda: (yield))))
    assert message.endswith(f"only {', '.join(ROUTED)} can be wrapped, not 'model_types'")


@pytest.mark.parametrize("hook", sorted(set(SPECIFICATIONS) - set(ROUTED)))
def test_only_actions_can_be_async(hook: str) -> None:
    """Other hooks are asked while plugins load or names are resolved: there is no loop to await them."""

    async def answer() -> bool:
        return True

    message = refused(made(**{hook: hookimpl(answer)}))
    assert message.endswith(f"only {', '.join(ACTIONS)} can be 'async def', not {hook!r}")


def test_a_data_access_owner_is_refused() -> None:
    """Data is owned by name, not by hook; the message says where."""
    message = refused(made(data_access=hookimpl(lambda name: None)))
    assert "data_access can only be wrapped; declare an owner of data under its name" in message
    assert "group aimm.data_access, or with the decorator plugins.data_access" in message


def test_a_route_keeps_the_reason_why_a_resolver_failed(manager: Manager) -> None:
    """Not even the plugin knows whether it owns the name: the way out is in its own words."""

    def resolve_model_type(model_type: str) -> bool:
        raise ImportError("enable it first")

    manager.register(made(resolve_model_type=hookimpl(resolve_model_type), fit=hookimpl(lambda: 1)), "unsure")
    with pytest.raises(PluginNotFoundError, match=r"'unsure' could not say .*: ImportError: enable it first") as caught:
        manager.route("x")
    assert caught.value.kind == "model type"
    assert isinstance(caught.value.__cause__, ImportError)
    assert "but not this one" not in str(caught.value)


def test_an_unknown_name_says_which_dynamic_owners_were_asked(manager: Manager) -> None:
    """They are not in the list of known names, and may own a similar one."""
    manager.register(made(resolve_model_type=hookimpl(lambda: False), fit=hookimpl(lambda: 1)), "asked")
    with pytest.raises(PluginNotFoundError, match="plugin 'asked' may own further names, but not this one"):
        manager.exec_fit("x", 0)


@pytest.mark.parametrize(
    ("similar", "hint"),
    [
        (lambda model_type: ["lib.forest", "lib.tree"], "; did you mean 'lib.forest'?"),
        (lambda model_type: ["lib.tree", "lib.forest"], "; did you mean 'lib.forest'?"),
        (lambda model_type: ("quite.another",), "; did you mean 'quite.another'?"),
        (lambda: [], ""),
        (lambda: None, ""),
        (lambda: "lib.forest", ""),
        (lambda: [3], ""),
        (lambda: 3, ""),
        (lambda: 1 / 0, ""),
        (lambda: sys.exit(1), ""),
    ],
)
def test_similar_model_types(manager: Manager, similar: Any, hint: str) -> None:
    """The owner of names that nobody else knows says which is meant; what it does wrong changes nothing."""
    own = hookimpl(lambda model_type: model_type == "lib.forest")
    manager.register(
        made(resolve_model_type=own, similar_model_types=hookimpl(similar), fit=hookimpl(lambda: 1)), "library"
    )
    with pytest.raises(PluginNotFoundError) as caught:
        manager.exec_fit("lib.forrest", 0)
    told = str(caught.value).partition("; initialize()")[0]
    assert told == f"no plugin for fit of 'lib.forrest' (known: none){hint}"


def test_similar_model_types_are_those_of_model_types(manager: Manager) -> None:
    """A name of another kind, or one that is owned, asks nobody."""
    asked: list[str] = []

    def similar_model_types(model_type: str) -> list[str]:
        asked.append(model_type)
        return []

    hooks = {"similar_model_types": hookimpl(similar_model_types), "fit": hookimpl(lambda: 1)}
    manager.register(made(resolve_model_type=hookimpl(lambda model_type: model_type == "lib.x"), **hooks), "library")
    manager.exec_fit("lib.x", 0)
    with pytest.raises(PluginNotFoundError):
        manager.exec_data_access("lib.y")
    with pytest.raises(PluginNotFoundError, match="its owner offers only fit"):
        manager.exec_predict("lib.x", 0)
    assert asked == []


def test_a_class_gives_each_manager_an_instance_of_its_own() -> None:
    """Two managers that declare one class do not share its state."""
    one, other = (read_hook_plugin(Owner, Source("m")) for _ in range(2))
    assert one
    assert other
    assert one.plugin is other.plugin is Owner
    owners = [plugin.hooks["fit"].__self__ for plugin in (one, other)]  # type: ignore[attr-defined]
    assert owners[0] is not owners[1]


def test_a_class_that_needs_arguments_says_so() -> None:
    """Nobody could give them; the language's own message names them."""

    class Demanding:
        def __init__(self, url: str) -> None: ...

        @hookimpl
        def plugin_failed(self) -> None: ...

    with pytest.raises(TypeError, match="missing 1 required positional argument: 'url'"):
        read_hook_plugin(Demanding, Source("m"))


def test_actions_of_no_model_type_are_refused() -> None:
    """An owner that does not say of what would never be called."""
    message = refused(made(fit=hookimpl(lambda: None), predict=hookimpl(lambda: None)), DeclarationError)
    assert message.startswith("implements fit, predict for no model type: add model_types() or resolve_model_type(")
    assert message.endswith("or make it a wrapper with hookimpl(wrapper=True)")


def test_a_hook_implemented_twice_is_refused() -> None:
    """Two functions for one hook leave open which one counts."""
    twice = made(model_types=hookimpl(lambda: []), other=hookimpl(specname="model_types")(lambda: []))
    assert refused(twice, DeclarationError) == "implements the hook 'model_types' twice"


@pytest.mark.parametrize("listed", ["text", None, 5, [""], [1], ["x", None]])
def test_model_types_must_be_names(manager: Manager, listed: Any) -> None:
    """Anything but a list of names is refused, a bare string above all."""
    with pytest.raises(DeclarationError) as caught:
        manager.register(made(model_types=hookimpl(lambda: listed)))
    assert str(caught.value) == f"model_types() must return a list of names, not {listed!r}"


def test_model_types_may_be_a_generator(manager: Manager) -> None:
    """Names that are yielded count like names in a list."""

    @hookimpl
    def model_types() -> Iterator[str]:
        yield from ["x", "y"]

    manager.register(made(model_types=model_types, fit=hookimpl(_fit_any)))
    assert [owner.name for owner in manager.owners()] == ["x", "y"]


def test_a_refused_installed_plugin_is_quarantined(manager: Manager, site: FakeSite) -> None:
    """A hook plugin that does not fit fails as a whole at load: none of its hooks is called."""
    source = """
        from aimm.plugins import hookimpl
        @hookimpl
        def model_types(): return ["x"]
        @hookimpl
        def fit(instance, epochs=10): return instance
    """
    site.add("d", entry_points={"aimm.plugins": {"p": "unfit_mod"}}, modules={"unfit_mod": source})
    (failure,) = manager.initialize().failed
    assert (failure.stage, failure.entry_point) == ("check", "[aimm.plugins] p = unfit_mod")
    assert "unfit_mod.fit gives 'epochs' a default" in failure.cause
    with pytest.raises(PluginNotFoundError, match=r"plugin 'p' \(distribution d 1.0\) failed to load and may have"):
        manager.exec_fit("x", 0)


CHANGING = """
    from aimm.plugins import hookimpl
    seen = []
    @hookimpl
    def settings_schema(): return {"properties": {"level": {"type": "integer"}}}
    @hookimpl
    def configure(settings): seen.append(settings)
"""


def test_changed_settings_reach_a_plugin_that_is_loaded(manager: Manager, make_module: Callable[..., str]) -> None:
    """A second ``initialize`` hands them over; settings that stay are not handed over again."""
    name = make_module(CHANGING)
    for level in (1, 1, 2):
        manager.initialize({"names": [name], "settings": {name: {"level": level}}})
    assert sys.modules[name].seen == [{"level": 1}, {"level": 2}]


def test_changed_settings_that_do_not_fit_change_nothing(manager: Manager, make_module: Callable[..., str]) -> None:
    """The plugin keeps the settings it has, and the manager its configuration."""
    name = make_module(CHANGING)
    manager.initialize({"names": [name], "settings": {name: {"level": 1}}})
    with pytest.raises(ConfigError, match=r"level: expected a whole number, got str 'high'"):
        manager.initialize({"names": ["json"], "settings": {name: {"level": "high"}}})
    assert [candidate.name for candidate in manager.candidates()] == [name]
    assert sys.modules[name].seen == [{"level": 1}]


def test_a_plugin_that_fails_to_configure_says_so(manager: Manager, make_module: Callable[..., str]) -> None:
    """The stage tells a plugin's own refusal from settings that its schema refuses."""
    name = make_module("""
        from aimm.plugins import hookimpl
        @hookimpl
        def configure(): raise OSError("no such server")
    """)
    with pytest.raises(PluginLoadError, match="failed at stage 'configure': OSError: no such server"):
        manager.initialize({"names": [name]})


def test_parameters_that_are_a_bare_string_are_refused(manager: Manager) -> None:
    """Its letters are no arguments."""
    manager.register(
        made(model_types=hookimpl(lambda: ["m"]), fit=hookimpl(lambda: 1), parameters=hookimpl(lambda: "X"))
    )
    with pytest.raises(DeclarationError, match=r"parameters\(\) must return a list of names or None, not 'X'"):
        manager.parameters("m", "fit")


def test_settings_of_a_class_entry_point_stay_in_their_manager(site: FakeSite) -> None:
    """An entry point that names a hook class is configured once for each manager."""
    source = """
        from aimm.plugins import hookimpl, fit
        fit(["m"])(lambda instance: "fitted")
        class Labels:
            @hookimpl
            def configure(self, settings): self.label = settings.get("label", "none")
            @hookimpl(wrapper=True)
            def fit(self): return (self.label, (yield))
    """
    points = {"aimm.plugins": {"labels": "labels_mod:Labels"}}
    site.add("d", entry_points=points, modules={"labels_mod": source})
    one = Manager({"names": ["labels_mod"], "settings": {"labels": {"label": "one"}}})
    other = Manager({"names": ["labels_mod"]})
    assert (one.exec_fit("m", 0), other.exec_fit("m", 0)) == (("one", "fitted"), ("none", "fitted"))


def test_owners_that_are_unavailable_are_not_asked_dynamically(manager: Manager, site: FakeSite) -> None:
    """A name whose declared owner is broken is not handed to a dynamic owner in silence."""
    site.add("d", entry_points={"aimm.models": {"x": "gone_mod"}})
    manager.register(_claiming("dynamic"))
    manager.initialize()
    with pytest.raises(PluginUnavailableError, match="predict of 'x' is not available"):
        manager.exec_predict("x", 0)

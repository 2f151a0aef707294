"""Hook plugins: their implementations checked, their wrappers joined in one pluggy manager, their events sent.

This module loads only when a hook plugin does, and with it pluggy.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import SimpleNamespace
from typing import Any, NamedTuple

import pluggy

from aimm._types import ACTIONS, MODEL_ACTIONS, ROUTED, ignore_state
from aimm.errors import DeclarationError, HookSignatureError
from aimm.plugins import hookspecs
from aimm.plugins._calls import is_async
from aimm.plugins._document import schema_error
from aimm.plugins._registry import Record, Source
from aimm.plugins._routes import Entry

_MARK = f"{hookspecs.PROJECT}_impl"
SPECIFICATIONS: dict[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(function).parameters)
    for name, function in vars(hookspecs).items()
    if hasattr(function, f"{hookspecs.PROJECT}_spec")
}
"""Every hook with the names of its parameters."""


class HookPlugin(NamedTuple):
    """One checked hook plugin.

    Attributes:
        source: Where it came from.
        plugin: The module, object or class that was declared.
        hooks: Hook name to its implementation, wrappers left out.
        wrappers: The wrappers, as (hook name, attribute name, function).
    """

    source: Source
    plugin: Any
    hooks: Mapping[str, Callable[..., Any]]
    wrappers: tuple[tuple[str, str, Callable[..., Any]], ...]

    def owned_records(self, model_type: str, rank: int) -> list[Record]:
        """The records of the actions that this plugin offers for a model type that it owns."""
        source = self.source._replace(rank=rank)
        return [
            Record(action, model_type, self.hooks[action], source, hook_arguments=_parameters(self.hooks[action]))
            for action in MODEL_ACTIONS
            if action in self.hooks
        ]

    def call(self, hook: str, **arguments: Any) -> Any:
        """Call this plugin's implementation of a hook with the arguments that it takes; None if it has none."""
        function = self.hooks.get(hook)
        return function(*(arguments[name] for name in _parameters(function))) if function else None

    def check_settings(self, settings: Mapping[str, Any], location: str) -> None:
        """Check settings against the plugin's own schema.

        Raises:
            ConfigError: They do not follow it.
        """
        schema = self.call("settings_schema")
        if schema is None:
            return
        from jsonschema import Draft202012Validator

        Draft202012Validator.check_schema(schema)
        for error in Draft202012Validator(schema).iter_errors(dict(settings)):
            raise schema_error(error, "configuration", location)

    def static_model_types(self) -> list[str]:
        """What ``model_types()`` lists.

        Raises:
            DeclarationError: It lists something else than names.
        """
        if "model_types" not in self.hooks:
            return []
        returned = self.call("model_types")
        is_list = isinstance(returned, Iterable) and not isinstance(returned, str)
        names: list[str] = list(returned) if is_list else []
        if not is_list or not all(isinstance(name, str) and name for name in names):
            raise DeclarationError(f"model_types() must return a list of names, not {returned!r}")
        return names


def read_hook_plugin(plugin: Any, source: Source) -> HookPlugin | None:
    """Find and check the hook implementations of a module or object.

    Args:
        plugin: The module or object; or a class, which is called without arguments, so that each manager has an
            instance of its own.
        source: Where it came from.

    Returns:
        None if nothing in it is marked with ``hookimpl``.

    Raises:
        HookSignatureError: An implementation does not fit its specification.
        DeclarationError: A hook does not make sense where it stands.
    """
    hooks: dict[str, Callable[..., Any]] = {}
    wrappers: list[tuple[str, str, Callable[..., Any]]] = []
    origin = plugin
    if isinstance(plugin, type) and any(_marked(plugin)):
        plugin = plugin()
    for name, function, options in _marked(plugin):
        hook = options.get("specname") or name
        wraps = options.get("wrapper") or options.get("hookwrapper")
        if hook not in SPECIFICATIONS and options.get("optionalhook"):
            continue
        _check(hook, function, wraps)
        if wraps:
            wrappers.append((hook, name, function))
        elif hook in hooks:
            raise DeclarationError(f"implements the hook {hook!r} twice")
        else:
            hooks[hook] = function
    if not hooks and not wrappers:
        return None
    owned = [action for action in MODEL_ACTIONS if action in hooks]
    if owned and not {"model_types", "resolve_model_type"} & hooks.keys():
        raise DeclarationError(
            f"implements {', '.join(owned)} for no model type: add model_types() or resolve_model_type(model_type), "
            "or make it a wrapper with hookimpl(wrapper=True)"
        )
    return HookPlugin(source, origin, hooks, tuple(wrappers))


def _marked(plugin: Any) -> Iterator[tuple[str, Callable[..., Any], Mapping[str, Any]]]:
    for name in sorted(dir(plugin)):
        # Looked up without running properties or __getattr__: a plugin's own code must not run here.
        found = inspect.getattr_static(plugin, name, None)
        bare = found.__func__ if isinstance(found, (staticmethod, classmethod)) else found
        options = inspect.getattr_static(bare, _MARK, None)
        if isinstance(options, dict):
            yield name, getattr(plugin, name), options


def _check(hook: str, function: Callable[..., Any], wraps: bool | None) -> None:
    where = f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', hook)}"
    if hook not in SPECIFICATIONS:
        near = get_close_matches(hook, SPECIFICATIONS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; the hooks are {', '.join(sorted(SPECIFICATIONS))}"
        raise HookSignatureError(f"{where}: there is no hook {hook!r}{hint}")
    right = f"{hook}({', '.join(SPECIFICATIONS[hook])})"
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            problem = f"takes {parameter}, which a hook call never fills"
        elif parameter.default is not parameter.empty:
            problem = f"gives {parameter.name!r} a default, with which a hook call never fills it"
        elif parameter.kind is parameter.KEYWORD_ONLY:
            problem = f"takes {parameter.name!r} by keyword only"
        elif parameter.name not in SPECIFICATIONS[hook]:
            problem = f"takes {parameter.name!r}, which the hook does not pass"
        else:
            continue
        raise HookSignatureError(f"{where} {problem}; the hook is {right} and an implementation takes any subset of it")
    if wraps and hook not in ROUTED:
        raise HookSignatureError(f"{where}: only {', '.join(ROUTED)} can be wrapped, not {hook!r}")
    if hook == "run_task" and not wraps:
        raise HookSignatureError(
            f"{where}: run_task can only be wrapped; declare a task with the decorator tasks.register, in a module of "
            "the entry-point group aimm.tasks"
        )
    if hook not in ACTIONS and is_async(function):
        raise HookSignatureError(f"{where}: only {', '.join(ACTIONS)} can be 'async def', not {hook!r}")
    if wraps and not (inspect.isroutine(function) and inspect.isgeneratorfunction(function)):
        raise HookSignatureError(
            f"{where}: a wrapper must be a generator function: 'result = yield' and 'return result'"
        )
    if hook == "data_access" and not wraps:
        raise HookSignatureError(
            f"{where}: data_access can only be wrapped; declare an owner of data under its name in the entry-point "
            "group aimm.data_access, or with the decorator plugins.data_access"
        )


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


class HookLayer:
    """The hook plugins of one manager. Replaced state only: readers need no lock, writers take turns."""

    def __init__(self, tables: Mapping[str, Mapping[str, Entry]]) -> None:
        self._tables = tables
        self.plugins: tuple[HookPlugin, ...] = ()
        self._callers: Mapping[str, Callable[..., Any]] = {}

    def add(self, plugin: HookPlugin) -> None:
        """Take a plugin in; the pluggy manager is built anew and swapped as a whole."""
        self._replace(sorted((*self.plugins, plugin), key=_order))

    def remove(self, plugin: HookPlugin) -> None:
        """Take a plugin out again."""
        self._replace(held for held in self.plugins if held is not plugin)

    def _replace(self, plugins: Iterable[HookPlugin]) -> None:
        plugins = tuple(plugins)
        wrapping = [plugin for plugin in plugins if plugin.wrappers]
        self._callers = _build_callers(wrapping, self._tables)
        self.plugins = plugins

    def wrapped(self, action: str) -> Callable[..., Any] | None:
        """The pluggy hook to call instead of the owner, or None if nobody wraps this action."""
        return self._callers.get(action)

    def claimants(self, model_type: str) -> tuple[list[HookPlugin], list[tuple[HookPlugin, BaseException]]]:
        """The plugins whose ``resolve_model_type`` claims a model type, and those in which it failed."""
        claiming: list[HookPlugin] = []
        failing: list[tuple[HookPlugin, BaseException]] = []
        for plugin in self.plugins:
            try:
                if plugin.call("resolve_model_type", model_type=model_type):
                    claiming.append(plugin)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a broken owner must not hide the others
                failing.append((plugin, error))
        return claiming, failing

    def similar(self, model_type: str) -> list[str]:
        """What the plugins that own names by a rule think is meant by one that nobody owns."""
        found: list[str] = []
        for plugin in self.plugins:
            try:
                names = plugin.call("similar_model_types", model_type=model_type)
                found += [name for name in (() if isinstance(names, str) else names or ()) if isinstance(name, str)]
            except (Exception, SystemExit):  # noqa: BLE001 - the name is unknown all the same
                continue
        return found

    def parameters(self, record: Record, model_type: str, action: str) -> list[str] | None:
        """What the owner's ``parameters`` hook says about an action, or None."""
        for plugin in self.plugins:
            if plugin.hooks.get(action) == record.function:
                names = plugin.call("parameters", model_type=model_type, action=action)
                if isinstance(names, str):
                    raise DeclarationError(f"parameters() must return a list of names or None, not {names!r}")
                return None if names is None else list(names)
        return None

    def tell(self, event: str, **arguments: Any) -> list[tuple[HookPlugin, BaseException]]:
        """Call every implementation of ``plugin_loaded`` or ``plugin_failed``; failures are returned, not raised."""
        failing: list[tuple[HookPlugin, BaseException]] = []
        for plugin in self.plugins:
            try:
                plugin.call(event, **arguments)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - an observer must not stop what it observes
                failing.append((plugin, error))
        return failing


def _order(plugin: HookPlugin) -> tuple[bool, str, str]:
    source = plugin.source
    return source.distribution is not None, source.distribution or "", source.plugin or ""


def _build_callers(
    plugins: list[HookPlugin], tables: Mapping[str, Mapping[str, Entry]]
) -> dict[str, Callable[..., Any]]:
    if not plugins:
        return {}
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(_dispatcher(tables), "aimm")
    # pluggy calls what was registered last first, so the first plugin in order becomes the outermost wrapper.
    for plugin in reversed(plugins):
        # Only wrappers go in: owners are reached through the dispatcher, each call exactly one of them.
        only_wrappers = SimpleNamespace(**{name: function for _, name, function in plugin.wrappers})
        only_wrappers._source = plugin.source
        manager.register(only_wrappers, f"{plugin.source.describe()} {id(plugin)}")
    return {hook: getattr(manager.hook, hook) for plugin in plugins for hook, _, _ in plugin.wrappers}


def _dispatcher(tables: Mapping[str, Mapping[str, Entry]]) -> SimpleNamespace:
    """The single implementation of each action: it hands the call to the owner's own function."""
    data_accesses, instantiations, fits, predictions, serializations, deserializations, tasks = (
        tables[kind] for kind in ROUTED
    )

    @hookspecs.hookimpl
    def data_access(name: str, state_cb: Any, args: Any, kwargs: Any) -> Any:
        return data_accesses[name].owner(None, state_cb, args, kwargs)

    @hookspecs.hookimpl
    def instantiate(model_type: str, state_cb: Any, args: Any, kwargs: Any) -> Any:
        return instantiations[model_type].owner(None, state_cb, args, kwargs)

    @hookspecs.hookimpl
    def fit(model_type: str, instance: Any, state_cb: Any, args: Any, kwargs: Any) -> Any:
        return fits[model_type].owner(instance, state_cb, args, kwargs)

    @hookspecs.hookimpl
    def predict(model_type: str, instance: Any, state_cb: Any, args: Any, kwargs: Any) -> Any:
        return predictions[model_type].owner(instance, state_cb, args, kwargs)

    @hookspecs.hookimpl
    def serialize(model_type: str, instance: Any) -> Any:
        return serializations[model_type].owner(instance, ignore_state, (), {})

    @hookspecs.hookimpl
    def deserialize(model_type: str, instance_bytes: Any) -> Any:
        return deserializations[model_type].owner(instance_bytes, ignore_state, (), {})

    @hookspecs.hookimpl
    def run_task(task: str, state_cb: Any, args: Any, kwargs: Any) -> Any:
        return tasks[task].owner(None, state_cb, args, kwargs)

    return SimpleNamespace(
        data_access=data_access,
        run_task=run_task,
        instantiate=instantiate,
        fit=fit,
        predict=predict,
        serialize=serialize,
        deserialize=deserialize,
    )

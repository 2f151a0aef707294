"""Checks of hook plugins (wrappers and owners), and of data accesses."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from aimm import plugins
from aimm._types import ACTIONS
from aimm.errors import AimmError
from aimm.testing import _probe
from aimm.testing._checks import DATA, HOOKS, FailedError, SkippedError, check, raised
from aimm.testing._checks_states import expect_json
from aimm.testing._compare import same
from aimm.testing._examples import Arguments
from aimm.testing._probe import NAME, Told

_FOREIGN = ("nobody.owns.this", "aimm.testing.NoSuchModel", "x", "")


class Hooks(NamedTuple):
    """A hook plugin.

    Attributes:
        target: The module, object or class with the implementations.
        examples: What it supplies as examples.
    """

    target: Any
    examples: Any = None

    def implementations(self, *, wrapping: bool) -> dict[str, Callable[..., Any]]:
        """Hook name to implementation: the wrappers, or the others."""
        plugin = self.target() if isinstance(self.target, type) else self.target
        return {
            options.get("specname") or name: getattr(plugin, name)
            for name, options in marked(plugin)
            if bool(options.get("wrapper") or options.get("hookwrapper")) is wrapping
        }

    def own(self, hook: str, otherwise: str) -> Callable[..., Any]:
        """Its implementation of a hook that wraps nothing.

        Raises:
            SkippedError: It has none, which means what is said.
        """
        found = self.implementations(wrapping=False).get(hook)
        if found is None:
            raise SkippedError(otherwise)
        return found

    def calls(self) -> Iterator[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
        """Every wrapped action: its name, a call that goes through the wrapper, and what must reach the owner."""
        wrapped = self.implementations(wrapping=True)
        if not wrapped:
            raise SkippedError("it wraps no action")
        manager = plugins.PluginManager()
        for group, target in (("aimm.models", _probe.__name__), ("aimm.data_access", f"{_probe.__name__}:fetch")):
            if failure := manager.load(plugins.Candidate(group, NAME, target)):
                raise FailedError(failure.describe())
        try:
            manager.register(self.target, "checked")
        except AimmError as error:
            raise SkippedError(f"it needs settings: {error}") from error
        one, two, instance = object(), object(), object()
        route, given, data = manager.route(NAME), ((one,), {"two": two}), b"bytes"
        every: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
            "data_access": (lambda: manager.exec_data_access(NAME, None, one, two=two), given),
            "instantiate": (lambda: route.instantiate(None, one, two=two), given),
            "fit": (lambda: route.fit(instance, None, one, two=two), (instance, *given)),
            "predict": (lambda: route.predict(instance, None, one, two=two)[1], (instance, *given)),
            "serialize": (lambda: route.serialize(instance), (instance,)),
            "deserialize": (lambda: route.deserialize(data), (data,)),
        }
        for action in ACTIONS:
            if action in wrapped:
                yield (action, *every[action])


def marked(target: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is marked with ``hookimpl`` in a module, class or object: its name, and what the mark says."""
    for name in dir(target):
        found = inspect.getattr_static(target, name, None)
        options = inspect.getattr_static(getattr(found, "__func__", found), "aimm_impl", None)
        if isinstance(options, dict):
            yield name, options


@check(HOOKS, "wrapper-passes-results", hint="return what the yield gives: 'result = yield' and 'return result'")
def wrapper_passes_results(subject: Hooks) -> None:
    """A wrapper hands on the very result of the owner."""
    for action, perform, _ in subject.calls():
        Told.result, Told.error = b"result of the probe", None
        try:
            result = perform()
        except Exception as error:
            raise FailedError(f"{action}: the owner returns, but {raised(error)}") from error
        if result is not Told.result:
            raise FailedError(f"{action}: the owner returns {Told.result!r}, and the caller gets {result!r}")


@check(HOOKS, "wrapper-passes-exceptions", hint="let the exception pass: clean up in 'finally', and raise nothing else")
def wrapper_passes_exceptions(subject: Hooks) -> None:
    """A wrapper hands on the very exception of the owner."""
    for action, perform, _ in subject.calls():
        Told.error = LookupError("raised by the probe")
        try:
            result = perform()
        except Exception as error:
            if error is not Told.error:
                raise FailedError(f"{action}: the owner raises LookupError, but {raised(error)}") from error
        else:
            raise FailedError(f"{action}: the owner raises LookupError, and the caller gets {result!r}")
        finally:
            Told.error = None


@check(HOOKS, "wrapper-passes-arguments", hint="do not change args and kwargs: the owner gets the same objects")
def wrapper_passes_arguments(subject: Hooks) -> None:
    """The owner gets the very arguments of the caller."""
    for action, perform, wanted in subject.calls():
        Told.result, Told.error, Told.seen = b"result of the probe", None, ()
        perform()
        if not _identical(Told.seen, wanted):
            raise FailedError(f"{action}: the owner gets other arguments than the caller gave")


@check(HOOKS, "owner-leaves-foreign-names", hint="return True for names that are yours, and False for any other text")
def owner_leaves_foreign_names(subject: Hooks) -> None:
    """``resolve_model_type`` answers no, without an exception, for names that are not the plugin's."""
    resolve = subject.own("resolve_model_type", "it does not resolve names dynamically")
    for name in _FOREIGN:
        if resolve(name):
            raise FailedError(f"it claims the model type {name!r}")


@check(HOOKS, "owner-lists-the-same-names", hint="let model_types() return the same list at every call")
def owner_lists_the_same_names(subject: Hooks) -> None:
    """``model_types`` lists each name once, and the same names at every call."""
    listed = subject.own("model_types", "it has no static list of model types")
    first, second = list(listed()), list(listed())
    if first != second or len(set(first)) != len(first):
        raise FailedError(f"it lists {first}, and then {second}")


@check(HOOKS, "settings-schema-is-valid", hint="return a JSON Schema (2020-12) whose root describes an object")
def settings_schema_is_valid(subject: Hooks) -> None:
    """``settings_schema`` returns a valid JSON Schema of an object."""
    schema = subject.own("settings_schema", "it takes no settings")()
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise FailedError(f"its schema is not valid: {error.message}") from None
    if schema.get("type") != "object":
        raise FailedError("the root of its schema is not of type object")


class Data(NamedTuple):
    """A data access with arguments to try it with.

    Attributes:
        manager: Where it is loaded.
        name: Its name.
        arguments: The arguments; None if there are none.
    """

    manager: plugins.PluginManager
    name: str
    arguments: Arguments | None

    def fetch(self, state_cb: Any = None) -> Any:
        """Fetch the data.

        Raises:
            SkippedError: Nobody said with what arguments.
        """
        if self.arguments is None:
            raise SkippedError("there is no example: let the plugin supply aimm_examples() with call(...) for it")
        return self.manager.exec_data_access(self.name, state_cb, *self.arguments.args, **self.arguments.kwargs)


@check(DATA, "data-access-works", hint="make the function work with the example's arguments")
def data_access_works(subject: Data) -> None:
    """The data access returns data."""
    if subject.fetch() is None:
        raise FailedError("it returns None")


@check(DATA, "data-access-repeats", needs=["data-access-works"], hint="take a seed where data are drawn at random")
def data_access_repeats(subject: Data) -> None:
    """Equal arguments give equal data."""
    if not same(subject.fetch(), subject.fetch()):
        raise FailedError("a second call with the same arguments gives other data")


@check(DATA, "data-access-states-are-json", needs=["data-access-works"], hint="report dicts of numbers and texts")
def data_access_states_are_json(subject: Data) -> None:
    """Every state that a data access reports is a dict that JSON can hold."""
    states: list[Any] = []
    subject.fetch(states.append)
    expect_json(states, "it")


def _identical(seen: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    if len(seen) != len(wanted):
        return False
    for one, other in zip(seen, wanted, strict=True):
        if isinstance(other, tuple):
            if not isinstance(one, tuple) or [*map(id, one)] != [*map(id, other)]:
                return False
        elif isinstance(other, dict):
            if {key: id(value) for key, value in one.items()} != {key: id(value) for key, value in other.items()}:
                return False
        elif one is not other:
            return False
    return True

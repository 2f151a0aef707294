"""How an owner is called: one function for each shape of declaration, made when the owner is found.

What depends on the declaration alone is decided here, once, and not in each call. Why the calls are written as they
are stands in :mod:`aimm.plugins._execute`.
"""

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

from aimm import errors
from aimm._types import Invoke, StateCallback
from aimm.plugins._registry import Record, Source

_TAKES_INSTANCE = frozenset(("fit", "predict", "serialize", "deserialize"))
_COROUTINE = 0x80  # inspect.CO_COROUTINE, without the price of importing inspect
_SPECIFIED = ("model_type", "instance", "state_cb", "args", "kwargs")


def owner_call(record: Record) -> Invoke:
    """What calls the owner itself."""
    function = _completed(record) if is_async(record.function) else record.function
    if record.hook_arguments is not None:
        return _hook_call(record, function)
    if record.state_cb_arg_name or record.instance_arg_name:
        return _naming_call(record, function)
    return _leading_call(record, function) if record.kind in _TAKES_INSTANCE else _bare_call(record, function)


def is_plain(record: Record) -> bool:
    """Whether the function can be called with the instance and the caller's arguments just as they are."""
    named = record.hook_arguments is not None or record.state_cb_arg_name or record.instance_arg_name
    return not named and not is_async(record.function)


def leading_names(record: Record) -> tuple[str | None, str | None]:
    """The names of the first two arguments after the instance, if they may be given by name and by position."""
    function = record.function
    if type(function) is not FunctionType:
        return None, None
    code, place = function.__code__, int(record.kind in _TAKES_INSTANCE)
    if code.co_posonlyargcount > place:
        return None, None
    first, second, *_ = *code.co_varnames[place : code.co_argcount], None, None
    return first, second


def _leading_call(record: Record, function: Callable[..., Any]) -> Invoke:
    """A decorated function that takes the instance first."""

    def call(instance: Any, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            if kwargs:
                return function(*(instance,) + args, **kwargs)  # noqa: RUF005
            match args:
                case ():
                    return function(instance)
                case (one,):
                    return function(instance, one)
            return function(*(instance,) + args)  # noqa: RUF005
        except BaseException as error:
            add_note(error, record, record.source)
            raise

    return call


def _bare_call(record: Record, function: Callable[..., Any]) -> Invoke:
    """A decorated function that takes the caller's arguments alone."""

    def call(instance: Any, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return function(*args, **kwargs) if kwargs or len(args) != 1 else function(args[0])
        except BaseException as error:
            add_note(error, record, record.source)
            raise

    return call


def _naming_call(record: Record, function: Callable[..., Any]) -> Invoke:
    """A decorated function that takes the state callback, the instance or both under names of its own."""
    state_name, instance_name = record.state_cb_arg_name, record.instance_arg_name
    leads = record.kind in _TAKES_INSTANCE and instance_name is None
    limit = min(_position(record, state_name), _position(record, instance_name)) - leads

    def call(instance: Any, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if state_name in kwargs or instance_name in kwargs or len(args) > limit:
            raise _twice(record, kwargs)
        kwargs = {**kwargs}  # wrappers hold the same dict, and must not see what is added
        if state_name is not None:
            kwargs[state_name] = state_cb
        if instance_name is not None:
            kwargs[instance_name] = instance
        try:
            return function(*(instance,) + args, **kwargs) if leads else function(*args, **kwargs)  # noqa: RUF005
        except BaseException as error:
            add_note(error, record, record.source)
            raise

    return call


def _position(record: Record, argument: str | None) -> int:
    """At which position the function takes an argument; beyond reach if by keyword only, or unknown."""
    function = record.function
    if argument is None:
        return 1 << 30
    if code := getattr(getattr(function, "__func__", function), "__code__", None):
        names = code.co_varnames[hasattr(function, "__func__") : code.co_argcount]
    else:
        names = _positional_names(function)
    return names.index(argument) if argument in names else 1 << 30


def _positional_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """For what is no plain function: a class, a partial, a callable object."""
    from inspect import Parameter, signature

    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(p.name for p in parameters if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD))


def _twice(record: Record, kwargs: dict[str, Any]) -> "errors.ArgumentTwiceError":
    state, instance = record.state_cb_arg_name, record.instance_arg_name
    given = next((name for name in (state, instance) if name in kwargs), None)
    argument = given or min((state, instance), key=lambda name: _position(record, name)) or ""
    role = "state callback" if argument == state else "instance"
    named = record.function if hasattr(record.function, "__qualname__") else type(record.function)
    function = f"{named.__module__}.{named.__qualname__}"
    return errors.ArgumentTwiceError(record.kind, record.name, function, argument, role)


def _hook_call(record: Record, function: Callable[..., Any]) -> Invoke:
    """A hook implementation: the specified arguments that it takes, in its own order."""
    name, names = record.name, record.hook_arguments or ()
    places = tuple(_SPECIFIED.index("instance" if argument == "instance_bytes" else argument) for argument in names)
    takes_all, takes_no_instance, takes_no_more = places == (0, 1, 2, 3, 4), places == (0, 2, 3, 4), places == (0, 1)

    def call(instance: Any, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            if takes_all:
                return function(name, instance, state_cb, args, kwargs)
            if takes_no_instance:
                return function(name, state_cb, args, kwargs)
            if takes_no_more:
                return function(name, instance)
            given = name, instance, state_cb, args, kwargs
            return function(*[given[place] for place in places])
        except BaseException as error:
            add_note(error, record, record.source)
            raise

    return call


def _wrapped_task(record: Record, hook: Callable[..., Any]) -> Invoke:
    name = record.name

    def run_task(instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        try:
            return hook(task=name, state_cb=state_cb, args=args, kwargs=kwargs)
        except BaseException as error:
            _explain_wrapped(error, record, hook)
            raise

    return run_task


def wrapped_call(record: Record, hook: Callable[..., Any]) -> Invoke:
    """The same call through pluggy, whose only implementation calls the owner."""
    action, name = record.kind, record.name

    def data_access(instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        try:
            return hook(name=name, state_cb=state_cb, args=args, kwargs=kwargs)
        except BaseException as error:
            _explain_wrapped(error, record, hook)
            raise

    def instantiate(instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        try:
            return hook(model_type=name, state_cb=state_cb, args=args, kwargs=kwargs)
        except BaseException as error:
            _explain_wrapped(error, record, hook)
            raise

    def with_arguments(instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        try:
            return hook(model_type=name, instance=instance, state_cb=state_cb, args=args, kwargs=kwargs)
        except BaseException as error:
            _explain_wrapped(error, record, hook)
            raise

    def serialize(instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        try:
            return hook(model_type=name, instance=instance)
        except BaseException as error:
            _explain_wrapped(error, record, hook)
            raise

    def deserialize(instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        try:
            return hook(model_type=name, instance_bytes=instance)
        except BaseException as error:
            _explain_wrapped(error, record, hook)
            raise

    own = {
        "data_access": data_access,
        "run_task": _wrapped_task(record, hook),
        "instantiate": instantiate,
        "serialize": serialize,
        "deserialize": deserialize,
    }
    return own.get(action, with_arguments)


def add_note(error: BaseException, record: Record, source: Source) -> None:
    if isinstance(error, SystemExit):
        raise errors.PluginExitError(record.kind, record.name, source.describe(), repr(error.code)) from error
    if not isinstance(error, Exception) or isinstance(error, errors.AsyncCallError):
        return
    note = f"raised by {source.describe()} in {record.kind} of {record.name!r}"
    # An exception object that a plugin raises again and again must not collect notes for ever.
    if note not in getattr(error, "__notes__", ()):
        try:
            error.add_note(note)
        except Exception:  # noqa: BLE001 - a frozen exception takes no note, but must pass as itself
            return


def _explain_wrapped(error: BaseException, record: Record, hook: Any) -> None:
    """The same where wrappers took part: what the owner raised is explained already, so look for a wrapper."""
    plugins = {impl.function.__code__: impl.plugin for impl in hook.get_hookimpls()}
    innermost, trace = None, error.__traceback__
    while trace is not None:
        innermost = plugins.get(trace.tb_frame.f_code, innermost)
        trace = trace.tb_next
    if source := getattr(innermost, "_source", None):
        add_note(error, record, source)


def is_async(function: Any) -> bool:
    """Whether calling this gives a coroutine: an ``async def``, also bound, partial or as ``__call__``."""
    for _ in range(10):
        code = getattr(function, "__code__", None)
        if code is not None:
            return bool(code.co_flags & _COROUTINE)
        # Only partial's own "func" is what gets called; other objects may call theirs as they like.
        inner = function.func if isinstance(function, partial) else getattr(function, "__func__", None)
        if inner is None and not isinstance(function, type):
            inner = getattr(type(function), "__call__", None)  # noqa: B004 - its function, not whether
        if inner is None or inner is function:
            return False
        function = inner
    return False


def _completed(record: Record) -> Callable[..., Any]:
    """An ``async def`` function as one that returns its result."""

    def run(*args: Any, **kwargs: Any) -> Any:
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(record.function(*args, **kwargs))
        raise errors.AsyncCallError(record.kind, record.name)

    return run

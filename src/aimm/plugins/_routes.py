"""Routes: from a name to exactly one implementation, ready to call.

An :class:`Entry` belongs to one (action, name). It is found once, by the resolver handed in; when plugins or wrappers
change it is reset and finds its owner again at the next call, so whoever holds it never holds something stale.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from aimm._types import MODEL_ACTIONS, Invoke, StateCallback, ignore_state
from aimm.errors import ArgumentTwiceError, AsyncCallError, PluginExitError, StateCallbackError
from aimm.plugins._registry import Record, Source

_TAKES_INSTANCE = frozenset(("fit", "predict", "serialize", "deserialize"))
_COROUTINE = 0x80  # inspect.CO_COROUTINE, without the price of importing inspect


class Entry:
    """Who owns one (action, name), and how to call it.

    Attributes:
        action: The action.
        name: The model type or data access name.
        plain: The owner's function where it can be called with the instance and the caller's arguments just as they
            are, which is the common case; else None.
        invoke: Calls the owner through every wrapper.
        owner: Calls the owner itself.
        record: The record of the owner found last; None until the first call.
    """

    __slots__ = ("_bind", "action", "invoke", "name", "owner", "plain", "record")

    plain: Callable[..., Any] | None
    invoke: Invoke
    owner: Invoke
    record: Record | None

    def __init__(self, action: str, name: str, bind: Callable[["Entry"], None]) -> None:
        self.action, self.name, self._bind = action, name, bind
        self.record = None
        self.reset()

    def reset(self) -> None:
        """Forget the owner; the next call finds it again."""
        self.plain = None
        self.invoke, self.owner = self._find_and_invoke, self._find_and_call_owner

    def set(self, record: Record, hook: Callable[..., Any] | None) -> None:
        """Fix the owner, and the pluggy hook to go through if somebody wraps this action."""
        self.record = record
        self.owner = _owner_call(record)
        self.invoke = self.owner if hook is None else _wrapped_call(record, hook)
        self.plain = record.function if hook is None and _is_plain(record) else None

    def _find_and_invoke(self, instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        self._bind(self)
        return self.invoke(instance, state_cb, args, kwargs)

    def _find_and_call_owner(self, instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        self._bind(self)
        return self.owner(instance, state_cb, args, kwargs)


class Route:
    """A model type resolved once: the five actions for hot loops.

    Each method is the ``exec_*`` function of that name without the model type. Its own parameters are positional-only,
    so that a plugin may take keyword arguments called ``name``, ``model_type``, ``instance`` or ``state_cb``. A route
    stays good for ever: it sees plugins and wrappers that come or go later.

    Attributes:
        model_type: The model type.
    """

    __slots__ = ("_deserialize", "_fit", "_instantiate", "_predict", "_serialize", "model_type")

    def __init__(self, model_type: str, entry: Callable[[str, str], Entry]) -> None:
        self.model_type = model_type
        self._instantiate, self._fit, self._predict, self._serialize, self._deserialize = (
            entry(action, model_type) for action in MODEL_ACTIONS
        )

    def __repr__(self) -> str:
        return f"<route of {self.model_type!r}>"

    def instantiate(self, state_cb: StateCallback | None = None, /, *args: Any, **kwargs: Any) -> Any:
        """Create an instance; see ``exec_instantiate``."""
        entry = self._instantiate
        if state_cb is None or not callable(state_cb):
            state_cb = ignore_state if state_cb is None else check_state_cb(state_cb, entry)
        if (plain := entry.plain) is None:
            return entry.invoke(None, state_cb, args, kwargs)
        try:
            return plain(*args, **kwargs)
        except BaseException as error:
            explain(error, entry, plain)
            raise

    def fit(self, instance: Any, state_cb: StateCallback | None = None, /, *args: Any, **kwargs: Any) -> Any:
        """Fit an instance; see ``exec_fit``."""
        entry = self._fit
        if state_cb is None or not callable(state_cb):
            state_cb = ignore_state if state_cb is None else check_state_cb(state_cb, entry)
        if (plain := entry.plain) is None:
            return entry.invoke(instance, state_cb, args, kwargs)
        try:
            if kwargs:
                return plain(instance, *args, **kwargs)
            return plain(instance, args[0]) if len(args) == 1 else plain(instance, *args)
        except BaseException as error:
            explain(error, entry, plain)
            raise

    def predict(
        self, instance: Any, state_cb: StateCallback | None = None, /, *args: Any, **kwargs: Any
    ) -> tuple[Any, Any]:
        """Predict; returns the instance and the prediction, see ``exec_predict``."""
        entry = self._predict
        if state_cb is None or not callable(state_cb):
            state_cb = ignore_state if state_cb is None else check_state_cb(state_cb, entry)
        if (plain := entry.plain) is None:
            return instance, entry.invoke(instance, state_cb, args, kwargs)
        try:
            if kwargs:
                return instance, plain(instance, *args, **kwargs)
            return instance, plain(instance, args[0]) if len(args) == 1 else plain(instance, *args)
        except BaseException as error:
            explain(error, entry, plain)
            raise

    def serialize(self, instance: Any, /) -> Any:
        """Turn an instance into bytes; see ``exec_serialize``."""
        entry = self._serialize
        return check_bytes(entry.invoke(instance, ignore_state, (), {}), entry)

    def deserialize(self, instance_bytes: Any, /) -> Any:
        """Turn bytes into an instance; see ``exec_deserialize``."""
        return self._deserialize.invoke(instance_bytes, ignore_state, (), {})


def check_state_cb(state_cb: Any, entry: Entry) -> StateCallback:
    """Accept a callback or None, refuse what is most likely data.

    Raises:
        StateCallbackError: It is neither.
    """
    if callable(state_cb):
        return state_cb  # type: ignore[no-any-return]
    if state_cb is None:
        return ignore_state
    raise StateCallbackError(entry.action, entry.name, f"{type(state_cb).__name__} {_shown(state_cb)}".rstrip())


def _shown(value: Any) -> str:
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 - a broken repr must not replace the message
        return ""
    return text if len(text) <= 60 else f"{text[:57]}..."


def check_bytes(result: Any, entry: Entry) -> Any:
    """Warn, naming the plugin, where ``serialize`` returned something that is not bytes-like; hand it on as it is."""
    if type(result) is not bytes and not is_bytes_like(result):
        import warnings

        from aimm.errors import PluginContractWarning

        owner = entry.record.source.describe() if entry.record else "its owner"
        message = (
            f"serialize of {entry.name!r} by {owner} returned {type(result).__name__}, not bytes; "
            "such a result cannot be stored in a model file"
        )
        warnings.warn(message, PluginContractWarning, stacklevel=3)
    return result


def is_bytes_like(value: Any) -> bool:
    """Whether a value offers its bytes through the buffer protocol."""
    try:
        memoryview(value).release()
    except (TypeError, ValueError, BufferError):  # numpy refuses some types of element by ValueError
        return False
    return True


def explain(error: BaseException, entry: Entry, function: Callable[..., Any]) -> None:
    """Add to an exception of plugin code whose it is.

    Args:
        error: What the function raised.
        entry: The entry that it was called for, which may have another owner by now.
        function: The plugin function.

    Raises:
        PluginExitError: The exception is ``SystemExit``.
    """
    record = entry.record
    if record is None or record.function is not function:
        module = getattr(function, "__module__", None) or type(function).__module__
        record = Record(entry.action, entry.name, function, Source(module))
    _explain(error, record, record.source)


def _explain(error: BaseException, record: Record, source: Source) -> None:
    if isinstance(error, SystemExit):
        raise PluginExitError(record.kind, record.name, source.describe(), repr(error.code)) from error
    if not isinstance(error, Exception) or isinstance(error, AsyncCallError):
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
        _explain(error, record, source)


def _is_plain(record: Record) -> bool:
    named = record.hook_arguments is not None or record.state_cb_arg_name or record.instance_arg_name
    return not named and not is_async(record.function)


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
        raise AsyncCallError(record.kind, record.name)

    return run


def _owner_call(record: Record) -> Invoke:
    function = _completed(record) if is_async(record.function) else record.function
    if record.hook_arguments is not None:
        return _hook_call(record, function)
    return _function_call(record, function)


def _function_call(record: Record, function: Callable[..., Any]) -> Invoke:
    """A decorated function: the caller's arguments, with instance and state callback where it wants them."""
    state_name, instance_name = record.state_cb_arg_name, record.instance_arg_name
    leads = record.kind in _TAKES_INSTANCE and instance_name is None
    limit = min(_position(record, state_name), _position(record, instance_name)) - leads

    def call(instance: Any, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if state_name in kwargs or instance_name in kwargs or len(args) > limit:
            raise _twice(record, kwargs)
        # kwargs was made for this call alone: adding to it saves a copy.
        if state_name is not None:
            kwargs[state_name] = state_cb
        if instance_name is not None:
            kwargs[instance_name] = instance
        try:
            return function(instance, *args, **kwargs) if leads else function(*args, **kwargs)
        except BaseException as error:
            _explain(error, record, record.source)
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


def _twice(record: Record, kwargs: dict[str, Any]) -> ArgumentTwiceError:
    state, instance = record.state_cb_arg_name, record.instance_arg_name
    given = next((name for name in (state, instance) if name in kwargs), None)
    argument = given or min((state, instance), key=lambda name: _position(record, name)) or ""
    role = "state callback" if argument == state else "instance"
    named = record.function if hasattr(record.function, "__qualname__") else type(record.function)
    function = f"{named.__module__}.{named.__qualname__}"
    return ArgumentTwiceError(record.kind, record.name, function, argument, role)


def _hook_call(record: Record, function: Callable[..., Any]) -> Invoke:
    """A hook implementation: the specified arguments that it takes, in its own order."""
    names, name = record.hook_arguments or (), record.name

    def call(instance: Any, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        values = {
            "model_type": name,
            "instance": instance,
            "instance_bytes": instance,
            "state_cb": state_cb,
            "args": args,
            "kwargs": kwargs,
        }
        try:
            return function(*[values[argument] for argument in names])
        except BaseException as error:
            _explain(error, record, record.source)
            raise

    return call


def _wrapped_call(record: Record, hook: Callable[..., Any]) -> Invoke:
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
        "instantiate": instantiate,
        "serialize": serialize,
        "deserialize": deserialize,
    }
    return own.get(action, with_arguments)

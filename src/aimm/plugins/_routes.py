"""Routes: from a name to exactly one implementation, ready to call.

An :class:`Entry` belongs to one (action, name). It is found once, by the resolver handed in; when plugins or wrappers
change it is reset and finds its owner again at the next call, so whoever holds it never holds something stale.
"""

from collections.abc import Callable
from typing import Any

from aimm._types import MODEL_ACTIONS, Invoke, StateCallback, ignore_state
from aimm.errors import ArgumentTwiceError, AsyncCallError, PluginExitError, StateCallbackError
from aimm.plugins._registry import Record

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
        record: The owner's record; None until the first call.
    """

    __slots__ = ("_bind", "action", "invoke", "name", "owner", "plain", "record")

    plain: Callable[..., Any] | None
    invoke: Invoke
    owner: Invoke
    record: Record | None

    def __init__(self, action: str, name: str, bind: Callable[["Entry"], None]) -> None:
        self.action, self.name, self._bind = action, name, bind
        self.reset()

    def reset(self) -> None:
        """Forget the owner; the next call finds it again."""
        self.plain = self.record = None
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
            explain(error, entry)
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
            explain(error, entry)
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
            explain(error, entry)
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
    text = repr(type(state_cb).__name__) if len(shown := _safe_repr(state_cb)) > 60 else shown
    raise StateCallbackError(entry.action, entry.name, f"{type(state_cb).__name__} {text}")


def _safe_repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a broken repr must not replace the message
        return "?" * 61


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
    except TypeError:
        return False
    return True


def explain(error: BaseException, entry: Entry) -> None:
    """Add to an exception of plugin code whose it is.

    Raises:
        PluginExitError: The exception is ``SystemExit``.
    """
    if entry.record is not None:
        _explain(error, entry.record)


def _explain(error: BaseException, record: Record) -> None:
    owner = record.source.describe()
    if isinstance(error, SystemExit):
        raise PluginExitError(record.kind, record.name, owner, repr(error.code)) from error
    if isinstance(error, Exception) and not isinstance(error, AsyncCallError):
        error.add_note(f"raised by {owner} in {record.kind} of {record.name!r}")


def _is_plain(record: Record) -> bool:
    named = record.hook_arguments is not None or record.state_cb_arg_name or record.instance_arg_name
    return not named and not is_async(record.function)


def is_async(function: Any) -> bool:
    """Whether calling this gives a coroutine: an ``async def``, also bound, partial or as ``__call__``."""
    for _ in range(10):
        code = getattr(function, "__code__", None)
        if code is not None:
            return bool(code.co_flags & _COROUTINE)
        inner = getattr(function, "__func__", None) or getattr(function, "func", None)
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
            _explain(error, record)
            raise

    return call


def _position(record: Record, argument: str | None) -> int:
    """At which position the function takes an argument; beyond reach if by keyword only, or unknown."""
    function = record.function
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    return names.index(argument) - hasattr(function, "__func__") if argument in names else 1 << 30


def _twice(record: Record, kwargs: dict[str, Any]) -> ArgumentTwiceError:
    state, instance = record.state_cb_arg_name, record.instance_arg_name
    named = next((name for name in (state, instance) if name in kwargs), None)
    argument = named or min((state, instance), key=lambda name: _position(record, name)) or ""
    role = "state callback" if argument == state else "instance"
    function = f"{record.function.__module__}.{getattr(record.function, '__qualname__', record.function)}"
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
            _explain(error, record)
            raise

    return call


def _wrapped_call(record: Record, hook: Callable[..., Any]) -> Invoke:
    """The same call through pluggy, whose only implementation calls the owner."""
    action, name = record.kind, record.name

    def data_access(instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        return hook(name=name, state_cb=state_cb, args=args, kwargs=kwargs)

    def instantiate(instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        return hook(model_type=name, state_cb=state_cb, args=args, kwargs=kwargs)

    def with_arguments(instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        return hook(model_type=name, instance=instance, state_cb=state_cb, args=args, kwargs=kwargs)

    def serialize(instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        return hook(model_type=name, instance=instance)

    def deserialize(instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        return hook(model_type=name, instance_bytes=instance)

    own = {
        "data_access": data_access,
        "instantiate": instantiate,
        "serialize": serialize,
        "deserialize": deserialize,
    }
    return own.get(action, with_arguments)

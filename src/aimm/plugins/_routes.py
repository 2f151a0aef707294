"""Routes: from a name to exactly one implementation, ready to call.

An :class:`Entry` belongs to one (action, name). It is found once, by the resolver handed in; when plugins or wrappers
change it is reset and finds its owner again at the next call, so whoever holds it never holds something stale.
"""

from collections.abc import Callable
from typing import Any

from aimm import errors
from aimm._types import MODEL_ACTIONS, Invoke, StateCallback, ignore_state
from aimm.plugins._calls import add_note, is_plain, leading_names, owner_call, wrapped_call
from aimm.plugins._registry import Record, Source


class Entry:
    """Who owns one (action, name), and how to call it.

    Attributes:
        action: The action.
        name: The model type or data access name.
        plain: The owner's function where it can be called with the instance and the caller's arguments just as they
            are, which is the common case; else None.
        named: The names of the first two arguments of ``plain``, the instance apart, and ``plain`` once more: arguments
            given by these names alone go by position, at half the price. One object, so that no other thread changes
            half of it. A name is None where that cannot be done.
    """

    __slots__ = ("_bind", "action", "invoke", "name", "named", "owner", "plain", "record")

    plain: Callable[..., Any] | None
    invoke: Invoke
    owner: Invoke
    record: Record | None
    named: tuple[str | None, str | None, Callable[..., Any]]

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
        self.owner = owner_call(record)
        self.invoke = self.owner if hook is None else wrapped_call(record, hook)
        plain = hook is None and is_plain(record)
        self.named = (*leading_names(record), record.function) if plain else (None, None, record.function)
        self.plain = record.function if plain else None

    def _find_and_invoke(self, instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        self._bind(self)
        return self.invoke(instance, state_cb, args, kwargs)

    def _find_and_call_owner(self, instance: Any, state_cb: StateCallback, args: Any, kwargs: Any) -> Any:
        self._bind(self)
        return self.owner(instance, state_cb, args, kwargs)


class _None:
    """The type of :data:`NONE`, which shows in signatures."""

    def __repr__(self) -> str:
        return "<none>"


NONE = _None()
"""No argument."""


def _given(one: Any, two: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    return () if one is NONE else (one,) if two is NONE else (one, two, *args)


class Route:
    """A model type resolved once: the five actions for hot loops.

    Each method is the ``exec_*`` function of that name without the model type. Its own parameters are positional-only,
    so that a plugin may take keyword arguments called ``name``, ``model_type``, ``instance`` or ``state_cb``. A route
    stays good for ever: it sees plugins and wrappers that come or go later.

    The plugin's first two positional arguments stand apart from ``args`` only because a tuple that is made and taken
    apart again is what a call through a handle would cost most.

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

    def instantiate(self, state_cb: StateCallback | None = None, one: Any = NONE, /, *args: Any, **kwargs: Any) -> Any:
        """Create an instance; see ``exec_instantiate``."""
        entry = self._instantiate
        if state_cb is not None and not callable(state_cb):
            raise refused(state_cb, entry)
        if (plain := entry.plain) is None:
            given = args if one is NONE else (one, *args)
            return entry.invoke(None, ignore_state if state_cb is None else state_cb, given, kwargs)
        try:
            if not kwargs and not args:
                return plain() if one is NONE else plain(one)
            if one is not NONE:
                return plain(one, *args, **kwargs)
            first, _, function = entry.named
            if first in kwargs and len(kwargs) == 1:
                return function(kwargs[first])
            return plain(**kwargs)
        except BaseException as error:
            explain(error, entry, plain)
            raise

    def fit(
        self,
        instance: Any,
        state_cb: StateCallback | None = None,
        one: Any = NONE,
        two: Any = NONE,
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Fit an instance; see ``exec_fit``."""
        entry = self._fit
        if state_cb is not None and not callable(state_cb):
            raise refused(state_cb, entry)
        if (plain := entry.plain) is None:
            given = _given(one, two, args)
            return entry.invoke(instance, ignore_state if state_cb is None else state_cb, given, kwargs)
        try:
            if not kwargs and not args:
                if one is NONE:
                    return plain(instance)
                return plain(instance, one) if two is NONE else plain(instance, one, two)
            if one is not NONE:
                return plain(instance, *_given(one, two, args), **kwargs)
            first, second, function = entry.named
            if first in kwargs:
                if len(kwargs) == 1:
                    return function(instance, kwargs[first])
                if second in kwargs and len(kwargs) == 2:
                    return function(instance, kwargs[first], kwargs[second])
            return plain(instance, **kwargs)
        except BaseException as error:
            explain(error, entry, plain)
            raise

    def predict(
        self,
        instance: Any,
        state_cb: StateCallback | None = None,
        one: Any = NONE,
        two: Any = NONE,
        /,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[Any, Any]:
        """Predict; returns the instance and the prediction, see ``exec_predict``."""
        entry = self._predict
        if state_cb is not None and not callable(state_cb):
            raise refused(state_cb, entry)
        if (plain := entry.plain) is None:
            given = _given(one, two, args)
            return instance, entry.invoke(instance, ignore_state if state_cb is None else state_cb, given, kwargs)
        try:
            if not kwargs and not args:
                if one is NONE:
                    return instance, plain(instance)
                return instance, plain(instance, one) if two is NONE else plain(instance, one, two)
            if one is not NONE:
                return instance, plain(instance, *_given(one, two, args), **kwargs)
            first, second, function = entry.named
            if first in kwargs:
                if len(kwargs) == 1:
                    return instance, function(instance, kwargs[first])
                if second in kwargs and len(kwargs) == 2:
                    return instance, function(instance, kwargs[first], kwargs[second])
            return instance, plain(instance, **kwargs)
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


def refused(state_cb: Any, entry: Entry) -> "errors.StateCallbackError":
    """The error for a state callback that cannot be called and is most likely data."""
    return errors.StateCallbackError(entry.action, entry.name, f"{type(state_cb).__name__} {_shown(state_cb)}".rstrip())


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

        owner = entry.record.source.describe() if entry.record else "its owner"
        message = (
            f"serialize of {entry.name!r} by {owner} returned {type(result).__name__}, not bytes; "
            "such a result cannot be stored in a model file"
        )
        warnings.warn(message, errors.PluginContractWarning, stacklevel=3)
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
    add_note(error, record, record.source)

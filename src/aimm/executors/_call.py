"""A call as data: what is called, with what, and how it crosses to another process and back.

A model instance travels as the bytes of its own plugin's ``serialize``, everything else by pickle protocol 5, whose
buffers (the data of arrays) stay apart from the pickle so that an executor can move them without copying.
"""

import pickle
import uuid
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from aimm import plugins
from aimm.errors import NotTransferableError, owner_text
from aimm.executors._recipe import ManagerCall, recipe_of
from aimm.plugins import PluginsConfig

LARGE = 1 << 16
"""From how many bytes on a buffer travels apart from the pickle."""
WITH_INSTANCE = ("fit", "predict", "serialize")
"""The actions that take an instance."""
ACTIONS = {
    "exec_data_access": "data_access",
    "exec_instantiate": "instantiate",
    "exec_fit": "fit",
    "exec_predict": "predict",
    "exec_serialize": "serialize",
    "exec_deserialize": "deserialize",
}
"""The functions of a manager that executors know by name."""
UNSET: Any = object()
"""Stands for a ``state_cb`` that was not given."""


class Kept:
    """A model instance that stays in the workers; see :func:`keep`.

    Attributes:
        model_type: Its model type.
        content: What its plugin's ``serialize`` returned.
        token: A name for it, the same in every process.
    """

    def __init__(self, model_type: str, content: bytes, token: str = "") -> None:
        self.model_type, self.content = model_type, content
        self.token = token or uuid.uuid4().hex

    def __repr__(self) -> str:
        return f"<kept instance of {self.model_type!r}, {len(self.content):,} bytes>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        content = pickle.PickleBuffer(self.content) if protocol >= 5 else self.content
        return _kept_again, (self.model_type, content, self.token)


def _kept_again(model_type: str, content: Any, token: str) -> Kept:
    return Kept(model_type, bytes(content), token)


def keep(model_type: str, instance: Any, *, manager: plugins.PluginManager = plugins.default_manager) -> Kept:
    """Serialise an instance once, for many calls.

    A job that gets the result in the place of an instance sends it to each worker only once, where it stays. It is a
    snapshot: what ``predict`` changes in it stays in that worker, and ``exec_predict`` gives the kept instance back.

    Args:
        model_type: Model type of the instance.
        instance: The instance.
        manager: Whose plugins serialise it.

    Returns:
        What to pass to ``exec_predict`` instead of the instance.

    Raises:
        NotTransferableError: The plugin's ``serialize`` did not return bytes.
    """
    return Kept(model_type, instance_bytes(manager, "predict", model_type, instance))


class Packed(NamedTuple):
    """A call that can cross to another process.

    Attributes:
        action: The action; empty for a plain function.
        name: The model type or data access name, or the name of the function.
        owner: Whose plugin it is, as far as that is known without importing it.
        body: The pickle.
        buffers: What belongs to it, apart.
        kept: The kept instance that it is about.
    """

    action: str
    name: str
    owner: str
    body: bytes
    buffers: Sequence[Any] = ()
    kept: Kept | None = None

    def packed(self) -> "Packed":
        """Itself."""
        return self

    def describe_owner(self) -> str:
        """Whose it is."""
        return self.owner


class Call:
    """One call of an ``exec_*`` function, or of any function.

    Attributes:
        function: The function as given.
        action: The action; empty for a plain function.
        name: The model type or data access name, or the name of the function.
        manager: Whose ``exec_*`` function it is; None for a plain function.
        instance: The instance, for actions that take one; may be a :class:`Kept`.
        args: Further positional arguments, without the state callback.
        kwargs: Keyword arguments, without those above.
        wants_states: Whether ``state_cb`` was given.
    """

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], state_cb: Any = UNSET
    ) -> None:
        self.function, self.instance = function, None
        manager = getattr(function, "__self__", None)
        self.action = ACTIONS.get(getattr(function, "__name__", ""), "")
        self.manager = manager if self.action and isinstance(manager, plugins.PluginManager) else None
        self.state_cb = None if state_cb is UNSET else state_cb
        if self.manager is None:
            self.action = function.action if isinstance(function, ManagerCall) else ""
            self.name = getattr(function, "__qualname__", getattr(function, "name", type(function).__name__))
            self.args, self.kwargs = args, kwargs
            return
        rest, self.kwargs = list(args), dict(kwargs)
        self.name = self._take(rest, "name" if self.action == "data_access" else "model_type")
        if self.action in WITH_INSTANCE:
            self.instance = self._take(rest, "instance")
        if self.action in ("data_access", "instantiate", "fit", "predict"):
            if state_cb is UNSET and rest:
                self.state_cb = rest.pop(0)
            if self.state_cb is not None and not callable(self.state_cb):
                from aimm.errors import StateCallbackError

                raise StateCallbackError(self.action, self.name, f"{type(self.state_cb).__name__}")
        self.args = tuple(rest)

    def _take(self, rest: list[Any], name: str) -> Any:
        if rest:
            return rest.pop(0)
        try:
            return self.kwargs.pop(name)
        except KeyError:
            raise TypeError(f"exec_{self.action}() needs the argument {name!r}") from None

    @property
    def is_kept(self) -> bool:
        """Whether it is about a kept instance."""
        return isinstance(self.instance, Kept)

    def describe_owner(self) -> str:
        """Whose plugin it is, as far as that is known without importing it; empty if it is not."""
        if self.manager is None:
            return self.function.owner if isinstance(self.function, ManagerCall) else ""
        for owner in self.manager.owners("data access" if self.action == "data_access" else "model type"):
            if owner.name == self.name:
                return owner_text(owner.plugin, owner.distribution, owner.version)
        try:
            found = self.manager.owner(self.name, self.action)
        except Exception:  # noqa: BLE001 - only for a message about something else
            return ""
        return owner_text(found.plugin, found.distribution, found.version)

    def packed(self) -> Packed:
        """The call in a form that crosses to another process.

        Raises:
            NotTransferableError: An argument cannot be pickled, or ``serialize`` did not return bytes.
            PluginNotFoundError: The model type has no ``serialize``; a note says what it is needed for.
        """
        kept = self.instance if isinstance(self.instance, Kept) else None
        instance: Any = None
        if self.manager is not None and self.action in WITH_INSTANCE and kept is None:
            content = instance_bytes(self.manager, self.action, self.name, self.instance)
            instance = pickle.PickleBuffer(content)
        function = self.function if self.manager is None else None
        recipe = module = None
        if self.manager is not None:
            recipe, module = recipe_of(self.manager), _declared_by(self.manager, self.action, self.name)
        what = (recipe, module, function, self.action, self.name, instance, self.args, self.kwargs)
        wants_states = self.state_cb is not None
        body, buffers = dump((*what, wants_states, None if kept is None else kept.token), self, "arguments")
        return Packed(self.action, self.name, "", body, buffers, kept)


def instance_bytes(manager: plugins.PluginManager, action: str, model_type: str, instance: Any) -> bytes:
    """An instance as the bytes of its own plugin.

    Args:
        manager: Whose plugins serialise it.
        action: What the bytes are needed for, for messages.
        model_type: Its model type.
        instance: The instance.

    Raises:
        NotTransferableError: ``serialize`` did not return bytes.
        PluginNotFoundError: The model type has no ``serialize``.
    """
    import warnings

    from aimm.errors import PluginContractWarning, PluginNotFoundError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PluginContractWarning)  # the error below says the same
            content = manager.exec_serialize(model_type, instance)
    except PluginNotFoundError as error:
        error.add_note("an executor carries model instances by serialize and deserialize of their own plugin")
        raise
    if type(content) is bytes:
        return content
    try:
        return memoryview(content).tobytes()
    except (TypeError, ValueError, BufferError):
        reason = f"serialize returned {type(content).__name__}, not bytes"
        raise NotTransferableError(action, model_type, "", "instance", reason) from None


def dump(value: Any, call: Any, part: str) -> tuple[bytes, list[Any]]:
    """Pickle something, with its large buffers apart.

    Args:
        value: What to pickle.
        call: The call it belongs to: anything with ``action``, ``name`` and ``describe_owner()``.
        part: What it is, for the message.

    Raises:
        NotTransferableError: It cannot be pickled.
    """
    buffers: list[Any] = []

    def apart(buffer: pickle.PickleBuffer) -> bool:
        try:
            raw = buffer.raw()
        except BufferError:  # not contiguous
            return True
        if raw.nbytes < LARGE:
            return True
        buffers.append(raw)
        return False

    try:
        return pickle.dumps(value, 5, buffer_callback=apart), buffers
    except MemoryError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise NotTransferableError(call.action, call.name, call.describe_owner(), part, reason) from error


_declared: WeakKeyDictionary[plugins.PluginManager, tuple[PluginsConfig, dict[str, str | None]]] = WeakKeyDictionary()


def _declared_by(manager: plugins.PluginManager, action: str, name: str) -> str | None:
    """The module that declared a name by a plain import, if one did; looked up once."""
    known = _declared.get(manager)
    if known is None or known[0] is not manager.config:
        known = _declared[manager] = (manager.config, {})
    modules = known[1]
    if name not in modules:
        owners = manager.owners("data access" if action == "data_access" else "model type")
        declared = [owner.plugin for owner in owners if owner.name == name and owner.distribution is None]
        modules[name] = declared[0] if declared else None
    return modules[name]

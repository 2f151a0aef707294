"""Names for the shapes that travel through a call; nothing of ours is imported here."""

from typing import TYPE_CHECKING, Any, Callable, Dict, TypeAlias, Union  # noqa: UP035 - the seed's alias, to the letter

if TYPE_CHECKING:  # what the alias means; type checkers call a bare Dict unknown
    StateCallback: TypeAlias = Callable[[dict[Any, Any]], None]
else:
    StateCallback = Callable[[Dict], None]  # noqa: UP006
"""Generic state callback function signature a plugin would receive.

A state is a ``dict`` that ``json.dumps`` accepts, for instance ``{"progress": 0.5}``.
"""

if TYPE_CHECKING:  # the signatures are the seed's to the letter; that None is accepted too is for type checkers
    StateCallbackOrNone: TypeAlias = StateCallback | None
else:
    StateCallbackOrNone = StateCallback

ByteString: TypeAlias = Union[bytes, bytearray, memoryview]  # noqa: UP007 - shows up in signatures
"""What ``serialize`` returns and ``deserialize`` takes: any bytes-like object."""

Invoke: TypeAlias = Callable[[Any, StateCallback, tuple[Any, ...], dict[str, Any]], Any]
"""One routed call: ``(instance, state_cb, args, kwargs)``; the instance is ``None`` where there is none."""

MODEL_ACTIONS = ("instantiate", "fit", "predict", "serialize", "deserialize")
"""The five actions of a model type."""

ACTIONS = ("data_access", *MODEL_ACTIONS)
"""Every action that a plugin can own."""

ROUTED = (*ACTIONS, "run_task")
"""Every kind of call that finds its one owner by name and that wrappers can stand around."""

GROUPS = ("aimm.plugins", "aimm.models", "aimm.data_access", "aimm.tasks", "aimm.train", "aimm.executors")
"""The entry-point groups that ``aimm`` reads."""

READ_AS = {**dict(zip(GROUPS, GROUPS, strict=True)), "aimm.plugins.train": "aimm.train"}
"""The names under which they may be declared; the last one is what a plugin of ravenML has after its renaming."""


def ignore_state(state: dict[str, Any]) -> None:
    """Accept a state and do nothing: the state callback of a caller who gave none."""

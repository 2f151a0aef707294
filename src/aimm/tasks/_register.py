"""The decorator of function tasks."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

from aimm.errors import DeclarationError
from aimm.plugins._registry import Record, Source, declare
from aimm.tasks._records import Declared

F = TypeVar("F", bound=Callable[..., Any])
TASK, ARTIFACT = "run_task", "artifact"
"""The kinds of records that this package adds."""
_UNSTAMPED = Source("")


@overload
def register(function: F, /) -> F: ...


@overload
def register(
    *, sort_value: int = 0, outputs: str | Sequence[str] | None = None, state_cb_arg_name: str | None = None
) -> Callable[[F], F]: ...


def register(
    function: Any = None,
    /,
    *,
    sort_value: int = 0,
    outputs: str | Sequence[str] | None = None,
    state_cb_arg_name: str | None = None,
) -> Any:
    """Make a function, also an ``async def`` one, a task called ``plugin.module.function``.

    Use it bare, ``@register``, or called, ``@register(...)``.

    Args:
        function: The function; left to the decorator syntax.
        sort_value: Modules are listed by the sort value of their first task, then in the order of registration.
        outputs: Names of the outputs. A list has the returned tuple or list split in order; a single string names the
            returned value as a whole; an empty list says that there is no output. Without it the return hint decides.
        state_cb_arg_name: Keyword under which the function wants the state callback, if it does. It is then no input.

    Returns:
        The very same function; or, called without one, a decorator that returns it.

    Raises:
        DeclarationError: What is decorated is no function, or an argument is of the wrong kind.
        DuplicateError: The module has a task of this name already; nothing was changed.
    """
    declared = Declared(_checked_sort_value(sort_value), *_checked_outputs(outputs))
    if state_cb_arg_name is not None and not (isinstance(state_cb_arg_name, str) and state_cb_arg_name.isidentifier()):
        raise DeclarationError(f"@register: state_cb_arg_name must name an argument, not {state_cb_arg_name!r}")

    def decorate(decorated: F) -> F:
        record = Record(TASK, _full_name(decorated), decorated, _UNSTAMPED, state_cb_arg_name, details=declared)
        declare([record], sys._getframe(1 if function is None else 2))
        return decorated

    return decorate if function is None else decorate(function)


def _full_name(function: Any) -> str:
    module, name = getattr(function, "__module__", None), getattr(function, "__name__", None)
    if not callable(function) or not isinstance(module, str) or not isinstance(name, str):
        raise DeclarationError(f"@register expects a function that is defined by a name, not {function!r}")
    if not name.isidentifier():
        raise DeclarationError(f"@register expects a function with a name of its own, not {name!r} of {module!r}")
    return f"{module}.{name}"


def _checked_sort_value(value: Any) -> int:
    if not isinstance(value, int):
        raise DeclarationError(f"@register: sort_value must be a whole number, not {value!r}")
    return value


def _checked_outputs(outputs: Any) -> tuple[tuple[str, ...] | None, bool]:
    if outputs is None:
        return None, False
    names = (outputs,) if isinstance(outputs, str) else tuple(outputs) if isinstance(outputs, (list, tuple)) else None
    if names is None or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise DeclarationError(f"@register: outputs must be a name or a list of different names, not {outputs!r}")
    return names, not isinstance(outputs, str)

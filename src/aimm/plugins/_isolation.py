"""What importing a plugin may change in the whole process: noticed, and put back where it belongs to the host."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class _Watched(NamedTuple):
    """One piece of process-wide state; ``restore`` is None where undoing would break the plugin."""

    label: str
    read: Callable[[], Any]
    restore: Callable[[Any], object] | None


@contextmanager
def side_effects(changes: list[str]) -> Iterator[None]:
    """Add to ``changes`` what the block changes in the process, in words; host-owned state is put back on the way out.

    Working directory, umask, signal handlers, standard streams, exception hook and recursion limit belong to the host
    and are restored. The module search path, log handlers and warning filters are only reported: late imports of the
    plugin may depend on them.
    """
    before = [(watched, watched.read()) for watched in _watched()]
    try:
        yield
    finally:
        for watched, old in before:
            new = watched.read()
            if new != old:
                changes.append(_settle(watched, old))


def _settle(watched: _Watched, old: Any) -> str:
    if watched.restore is None:
        return f"changed {watched.label} (left as it is)"
    try:
        watched.restore(old)
    except Exception as error:  # noqa: BLE001 - the working directory is gone, the recursion too deep, ...
        return f"changed {watched.label} (it could not be put back: {error})"
    return f"changed {watched.label} (put back)"


def _watched() -> list[_Watched]:
    return [
        _Watched("the working directory", _cwd, os.chdir),
        _Watched("the umask", _umask, lambda old: None if old is None else os.umask(old)),
        _Watched("signal handlers", _signal_handlers, _restore_signal_handlers),
        _Watched("sys.stdout, stderr or stdin", _streams, _restore_streams),
        _Watched("sys.excepthook", lambda: sys.excepthook, lambda old: setattr(sys, "excepthook", old)),
        _Watched("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
        _Watched("sys.path", lambda: list(sys.path), None),
        _Watched("the root logger", _root_logger, None),
        _Watched("warning filters", _warning_filters, None),
    ]


def _cwd() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None


def _umask() -> int | None:
    # os.umask can only be read by setting it, which other threads would notice; Linux shows it in a file.
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            return next((int(line.split()[1], 8) for line in status if line.startswith("Umask:")), None)
    except OSError:
        return None


def _signal_handlers() -> dict[int, Any]:
    import signal

    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _restore_signal_handlers(old: dict[int, Any]) -> None:
    import signal

    for number, handler in old.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


class _Same(tuple[Any, ...]):
    """Values compared by identity: a stream's own idea of equality is not to be trusted."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple) and all(a is b for a, b in zip(self, other, strict=True))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]


def _streams() -> _Same:
    return _Same((sys.stdout, sys.stderr, sys.stdin))


def _restore_streams(old: _Same) -> None:
    sys.stdout, sys.stderr, sys.stdin = old


def _warning_filters() -> list[Any]:
    import _warnings  # where the module warnings, once it is loaded, takes them from

    return list(getattr(sys.modules.get("warnings", _warnings), "filters", ()))


def _root_logger() -> tuple[int, list[Any]]:
    logging = sys.modules.get("logging")
    return (logging.root.level, list(logging.root.handlers)) if logging else (30, [])  # as logging starts out

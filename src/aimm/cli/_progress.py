"""Progress for people: a bar on a terminal, a line now and then elsewhere; always on stderr."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aimm.plugins import StateCallback


@contextmanager
def progress(title: str) -> Iterator[StateCallback]:
    """Show what a plugin reports; the block gets the state callback to hand over.

    A state's ``progress``, a number from 0 to 1, moves the bar; its other entries are shown beside it.

    Args:
        title: What is going on, in a word or two.
    """
    if sys.stderr.isatty():
        with _bar(title) as callback:
            yield callback
    else:
        yield _Lines(title)


@contextmanager
def _bar(title: str) -> Iterator[StateCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    # Without markup: a state such as {"history": "[/]"} is text.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    states = TextColumn("{task.fields[state]}", markup=False)
    with Progress(*columns, states, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None, state="")

        def callback(state: dict[str, Any]) -> None:
            done = _fraction(state)
            if done is not None:
                bar.update(task, total=1.0, completed=done)
            bar.update(task, state=_others(state))

        yield callback


class _Lines:
    """A line for each tenth of the work, from the second second on."""

    def __init__(self, title: str) -> None:
        self._title, self._start, self._shown = title, time.monotonic(), 0.0

    def __call__(self, state: dict[str, Any]) -> None:
        done = _fraction(state)
        if done is not None and done >= self._shown + 0.1 and time.monotonic() - self._start > 1:
            self._shown = done
            print(f"{self._title}: {done:.0%} {_others(state)}".rstrip(), file=sys.stderr)


def _fraction(state: Any) -> float | None:
    value = state.get("progress") if isinstance(state, Mapping) else None
    return float(min(max(0, value), 1)) if isinstance(value, (int, float)) else None


def _others(state: Any) -> str:
    if not isinstance(state, Mapping):
        return str(state)
    return " ".join(f"{key}={value}" for key, value in state.items() if key != "progress")[:60]

"""Progress of a graph: on a terminal a bar, and a line for each step that is running; lines elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aimm.cli._progress import progress
from aimm.plugins import StateCallback

_ROWS = 8
"""So many running steps are shown."""


@contextmanager
def step_progress(title: str) -> Iterator[StateCallback]:
    """Show how a graph comes on; the block gets the state callback to hand over.

    Args:
        title: Name of the graph.
    """
    if not sys.stderr.isatty():
        with progress(title) as callback:
            yield callback
        return
    from rich.console import Console
    from rich.live import Live

    board = _Board(title)
    # Drawn at its own pace, not at that of the steps: there may be thousands in a second.
    with Live(console=Console(stderr=True), get_renderable=board.draw, refresh_per_second=10, transient=True):
        yield board


class _Board:
    """What is running, and how far everything is."""

    def __init__(self, title: str) -> None:
        self._title, self._start, self._done = title, time.monotonic(), 0.0
        self._running: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def __call__(self, state: dict[str, Any]) -> None:
        with self._lock:
            step = str(state.get("step", ""))
            self._done = max(self._done, state.get("progress", 0.0))
            if state.get("status") == "done":
                self._running.pop(step, None)
            else:
                began, _ = self._running.get(step, (time.monotonic(), None))
                self._running[step] = (began, state)

    def draw(self) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        now = time.monotonic()
        with self._lock:
            running, done = list(self._running.items()), self._done
        table = Table.grid(padding=(0, 1))
        # Text, not strings: what stands in brackets is the plugin's, not markup.
        bar = ProgressBar(total=1.0, completed=done, width=30)
        table.add_row(Text(self._title), bar, Text(f"{done:4.0%}"), Text(f"{now - self._start:.1f} s"))
        for step, (began, state) in running[:_ROWS]:
            part = state.get("step_progress")
            inner = ProgressBar(total=1.0, completed=part or 0.0, width=30, pulse=part is None)
            share = Text("" if part is None else f"{part:4.0%}")
            table.add_row(Text(f"  {step}"), inner, share, Text(f"{now - began:.1f} s  {_told(state)}"))
        if len(running) > _ROWS:
            table.add_row(Text(f"  and {len(running) - _ROWS} more"))
        return table


def _told(state: dict[str, Any]) -> str:
    own = {"step", "task", "status", "progress", "step_progress"}
    others = (f"{key}={value}" for key, value in state.items() if key not in own)
    return " ".join([str(state.get("task", "")), *others])[:60]

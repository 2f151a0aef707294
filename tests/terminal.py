"""Running the command line from outside: as a process with pipes, or with a terminal on some of its streams."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeAlias

AIMM = (sys.executable, "-P", "-m", "aimm.cli")
"""The command ``aimm`` of the environment that runs the tests."""


class Run(NamedTuple):
    """How a run ended, and what it wrote."""

    code: int
    out: str
    err: str


Cli: TypeAlias = Callable[..., Run]
"""Runs ``aimm`` with the arguments it gets."""


def run(*command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None, feed: str = "") -> Run:
    """Run a program to its end, with pipes."""
    done = subprocess.run(
        [*map(str, command)],
        input=feed,
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def run_on_terminal(
    *command: str | Path, stdout: bool = True, env: Mapping[str, str] | None = None, feed: str | None = None
) -> tuple[Run, str]:
    """Run a program with a terminal 120 columns wide as stderr, and as stdout unless told otherwise.

    With ``feed`` the terminal is its stdin too, and this is what is typed there.

    Returns:
        How it ended and what went to pipes; and what appeared on the terminal.
    """
    terminal, its_end = pty.openpty()
    settings = {"TERM": "xterm", "COLUMNS": "120", "LINES": "40", "PYTHON_COLORS": "0", **(env or {})}
    with subprocess.Popen(
        [*map(str, command)],
        stdin=subprocess.DEVNULL if feed is None else its_end,
        stdout=its_end if stdout else subprocess.PIPE,
        stderr=its_end,
        env={**os.environ, **settings},
        text=True,
    ) as process:
        os.close(its_end)
        if feed is not None:
            os.write(terminal, feed.encode())
        shown = _read_all(terminal)
        out = process.stdout.read() if process.stdout else ""
    os.close(terminal)
    return Run(process.returncode, out, ""), shown.replace("\r\n", "\n")


def _read_all(terminal: int) -> str:
    parts = []
    with suppress(OSError):  # Linux says EIO once the last writer is gone
        while part := os.read(terminal, 65536):
            parts.append(part)
    return b"".join(parts).decode(errors="replace")

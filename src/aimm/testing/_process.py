"""Runs the dangerous part in a process of its own, which may hang, crash or end itself.

It tells what it does through a file, one JSON text a line: whoever else holds a pipe, such as a process that a plugin
left behind, keeps it open.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_START = """
import pickle, sys
request = pickle.load(sys.stdin.buffer)
sys.path[:] = request["path"]
from aimm.testing._child import main
main(request)
"""
"""Run with -P: a file beside the user that happens to be called like one of ours must not come first."""

Event = list[Any]
DEAD = "dead"


def converse(request: dict[str, Any], timeout: float) -> Iterator[Event]:
    """Run a request in a new process and hand on what it tells.

    Args:
        request: What :func:`aimm.testing._child.main` takes; must be picklable.
        timeout: Seconds that it may be silent.

    Yields:
        Its events; the last one is ``["dead", cause]`` if it did not come to its end.
    """
    with tempfile.TemporaryDirectory(prefix="aimm-check-") as folder:
        place = Path(folder)
        (place / "events").touch()
        (place / "request").write_bytes(
            pickle.dumps({**request, "path": sys.path, "events": str(place / "events"), "printed": str(place / "out")})
        )
        # Another hash seed than ours: what depends on the order of sets shows.
        environment = {**os.environ, "PYTHONHASHSEED": "4242", "PYTHONDONTWRITEBYTECODE": "1"}
        with open(place / "request", "rb") as question, open(place / "out", "wb") as printed:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START],
                stdin=question,
                stdout=printed,
                stderr=printed,
                env=environment,
                start_new_session=True,
            )
        try:
            yield from _events(process, place, timeout)
        finally:
            _kill(process)


def _events(process: "subprocess.Popen[bytes]", place: Path, timeout: float) -> Iterator[Event]:
    deadline, last = time.monotonic() + timeout, ""
    with open(place / "events", encoding="utf-8") as lines:
        while True:
            code = process.poll()
            read = lines.read()
            if read:
                deadline = time.monotonic() + timeout
                *complete, last = (last + read).split("\n")
                for line in complete:
                    event = json.loads(line)
                    if event[0] == "end":
                        return
                    yield event
            elif code is not None:
                yield [DEAD, f"the process ended {_ending(code)}{_tail(place / 'out')}"]
                return
            elif time.monotonic() > deadline:
                yield [DEAD, f"it did not finish within {timeout:g} seconds"]
                return
            else:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.02)


def _tail(file: Path) -> str:
    lines = file.read_text("utf-8", errors="replace").strip().splitlines()
    return f"; its last words: {lines[-1][:200]}" if lines else ""


def _ending(code: int) -> str:
    try:
        return f"with signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    except ValueError:
        return f"with signal {-code}"


def _kill(process: "subprocess.Popen[bytes]") -> None:
    # With all that it started: it leads a session of its own.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
    process.wait()

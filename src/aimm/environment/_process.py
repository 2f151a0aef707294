"""Running pip or uv in a process of its own, with everything that it writes in a log."""

import logging
import os
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from aimm.errors import InstallerError

_logger = logging.getLogger("aimm.environment")
_TAIL = 12

_ADVICE = (
    (("ResolutionImpossible", "No solution found", "conflicting dependencies"),
     "the requirements contradict each other, as it says below"),
    (("No space left on device", "Disk quota exceeded", "os error 28"), "the disk is full: make room and try again"),
    (("externally-managed", "externally managed"),
     "this Python belongs to the operating system: make a virtual environment with 'python -m venv'"),
    (("Name or service not known", "Temporary failure in name resolution", "Connection refused", "NewConnectionError",
      "ConnectTimeoutError", "Network is unreachable", "error sending request", "dns error", "Retrying (Retry("),
     "the package index cannot be reached: check the network, or use --find-links FOLDER --no-index"),
    (("DO NOT MATCH THE HASHES", "Hash mismatch"),
     "a file is not the one that the lock file names; --lock makes a new one"),
    (("No matching distribution found", "was not found in the", "not found in the package registry"),
     "no package of that name and version can be had from the index and folders that were searched"),
    (("Permission denied", "os error 13"), "a file or folder of the environment cannot be written: see who owns it"),
)  # fmt: skip


def run_installer(
    command: Sequence[str],
    what: str,
    program: str,
    on_line: Callable[[str], None] = lambda line: None,
    descriptor: int | None = None,
) -> str:
    """Run an installer to its end.

    Args:
        command: What to run.
        what: What is being done, for messages.
        program: ``pip`` or ``uv``.
        on_line: Called with each line that it writes.
        descriptor: The lock of the environment: the process keeps it if this one is killed.

    Returns:
        What it wrote, both streams together.

    Raises:
        InstallerError: It failed.
    """
    lines: list[str] = []
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "PIP_NO_INPUT": "1", "PYTHONUNBUFFERED": "1"},
        pass_fds=() if descriptor is None or os.name != "posix" else (descriptor,),
        start_new_session=True,  # an interrupt of the terminal is for us: we end it, and then undo
    )
    try:
        assert process.stdout
        for line in process.stdout:
            lines.append(line.rstrip())
            _logger.info("%s: %s", program, lines[-1])
            on_line(lines[-1])
        code = process.wait()
    finally:
        _end(process)
    text = "\n".join(lines)
    if code:
        tail = deque((line for line in lines if line.strip()), _TAIL)
        raise InstallerError(what, program, code, tail, _advice(text), _write_log(program, command, text))
    return text


def _write_log(program: str, command: Sequence[str], text: str) -> str:
    try:
        descriptor, path = tempfile.mkstemp(prefix=f"aimm-{program}-", suffix=".log", text=True)
        with os.fdopen(descriptor, "w", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n{text}\n")
    except OSError as error:  # a full disk is what it may be about
        return f"no file, because none could be written: {error}"
    return path


def _advice(text: str) -> str:
    for signs, advice in _ADVICE:
        if any(sign in text for sign in signs):
            return advice
    return "see below what it says"


def _end(process: "subprocess.Popen[str]") -> None:
    if process.stdout:
        process.stdout.close()
    if process.poll() is not None:
        return
    timer = threading.Timer(10, process.kill)
    timer.start()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM) if os.name == "posix" else process.terminate()
    process.wait()
    timer.cancel()

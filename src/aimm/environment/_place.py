"""The environment that is acted on, and the lock that lets one process at a time change it."""

import os
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

from aimm.errors import EnvironmentBusyError, PluginEnvironmentError

WAIT = 60.0
"""Seconds to wait for another process that changes the environment."""


def prefix() -> str:
    """The folder of the environment of this interpreter."""
    return _resolved(sys.prefix)  # asked for once for every file


@cache
def _resolved(path: str) -> str:
    return os.path.realpath(path)


def describe() -> str:
    """The environment in words."""
    kind = "" if sys.prefix != sys.base_prefix else ", not a virtual environment"
    return f"{sys.prefix} (Python {sys.version.split()[0]}{kind})"


def home() -> str:
    """The folder in the environment where ledger and journal are kept."""
    return os.path.join(prefix(), "share", "aimm")


def ledger_path() -> str:
    """The file of the ledger."""
    return os.path.join(home(), "ledger.json")


def check_writable() -> None:
    """Make sure that packages can be installed here.

    Raises:
        PluginEnvironmentError: They cannot.
    """
    for folder in (sysconfig.get_path("purelib"), prefix()):
        if not os.access(folder, os.W_OK):
            raise PluginEnvironmentError(
                f"{folder} cannot be written: make a virtual environment with 'python -m venv', install aimm-plugins "
                "there, and run its aimm"
            )


@contextmanager
def locked(wait: float = WAIT) -> Iterator[int]:
    """Keep other processes from changing the environment.

    The lock is on the folder of the environment itself, so that no file is left behind. Child processes that inherit
    the descriptor keep it: while pip works on after its parent was killed, nobody takes the environment for idle.

    Args:
        wait: Seconds to wait for whoever has it.

    Yields:
        The descriptor to hand to child processes.

    Raises:
        EnvironmentBusyError: Somebody else has had it all the time.
    """
    descriptor = _open()
    end = time.monotonic() + wait
    try:
        while not _try(descriptor):
            if time.monotonic() >= end:
                raise EnvironmentBusyError(
                    f"another process has been changing {sys.prefix} for {wait:g} seconds; try again when it is done"
                )
            time.sleep(0.1)
        yield descriptor
    finally:
        os.close(descriptor)


def _open() -> int:
    if os.name == "posix":
        return os.open(prefix(), os.O_RDONLY)
    import tempfile  # a folder cannot be locked there
    import zlib

    name = f"aimm-{zlib.crc32(prefix().lower().encode()):x}.lock"
    return os.open(os.path.join(tempfile.gettempdir(), name), os.O_RDWR | os.O_CREAT)


def _try(descriptor: int) -> bool:
    with suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False

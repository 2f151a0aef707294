"""The ``aimm`` command line: thin; it parses, calls :mod:`aimm.plugins` and :mod:`aimm.store`, and prints.

Exit codes: 0 done; 1 it failed, and the message on stderr says why; 2 wrong usage or configuration; 130 interrupted.
Results go to stdout, everything else (messages, logs, progress, what plugins print) to stderr.
"""

from aimm.cli._app import main

__all__ = ["main"]

"""What one run of the command line shares: the configuration, the plugins, and where output goes."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from aimm import plugins


class Session:
    """One run: gives access to the plugins, and keeps their output away from the results.

    Args:
        config: Path of the configuration file, if one was given.
        verbose: How often ``-v`` was given.

    Attributes:
        is_diverted: Whether plugins ran, or may have, and what they print was sent to stderr.
    """

    def __init__(self, config: str | None = None, verbose: int = 0) -> None:
        self.config, self.verbose = config, verbose
        self.is_diverted = False
        self._results: TextIO | None = None
        self._undo: Callable[[], None] = lambda: None

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo()

    def manager(self) -> "plugins.PluginManager":
        """The default manager, initialised; from now on what plugins print goes to stderr."""
        from aimm import plugins  # not at the top: "aimm --help" does without

        self.divert()
        plugins.initialize(self.config)
        return plugins.default_manager

    def divert(self) -> None:
        """Send whatever is written to stdout by others to stderr, also below Python; results still go to stdout."""
        if self.is_diverted:
            return
        self.is_diverted = True
        sys.stdout.flush()
        stdout, descriptor = sys.stdout, _descriptor(sys.stdout)
        if descriptor is None:  # somebody captures sys.stdout in this process: divert only what Python writes
            self._results, sys.stdout = stdout, sys.stderr
            self._undo = lambda: setattr(sys, "stdout", stdout)
            return
        kept = os.dup(descriptor)
        os.dup2(2, descriptor)
        self._results = open(kept, "w", encoding=stdout.encoding, errors=stdout.errors)  # noqa: SIM115 - closed by undo
        self._undo = lambda: self._restore(descriptor, kept)

    def _restore(self, descriptor: int, kept: int) -> None:
        sys.stdout.flush()
        if self._results is not None:
            try:
                flush(self._results)
            finally:
                os.dup2(kept, descriptor)
                self._results.close()
                self._results = None

    def write(self, text: str) -> None:
        """Write a line of results; when nobody reads them any more, the work goes on all the same."""
        out = self._results or sys.stdout
        try:
            print(text, file=out)
        except BrokenPipeError:
            flush(out)

    def say(self, text: str) -> None:
        """Write a message for people."""
        print(text, file=sys.stderr)

    def write_json(self, value: Any) -> None:
        """Write results as JSON."""
        import json

        self.write(json.dumps(value, indent=2, default=str))

    def write_records(self, columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
        """Write a table with these entries of each record."""
        rows = [[str(record[column] or "") for column in columns] for record in records]
        self.write_table([column.upper() for column in columns], rows)

    def write_table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write a table: with lines on a terminal, aligned plain lines elsewhere; nothing if it is empty."""
        out = self._results or sys.stdout
        if not rows:
            return
        if out.isatty():
            _write_rich_table(out, headings, rows)
            return
        widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
        for row in (headings, *rows):
            self.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def flush(stream: TextIO) -> bool:
    """Flush results.

    Returns:
        False if their reader is gone, as with ``aimm plugins list | head -1``: they go nowhere from now on.

    Raises:
        OSError: They cannot be written for another reason; they go nowhere from now on.
    """
    try:
        stream.flush()
    except OSError as error:
        # What is still in the buffer would be tried again, and complained about, when Python exits.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise
        return False
    return True


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def _write_rich_table(out: TextIO, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*headings, header_style="bold")
    for row in rows:
        table.add_row(*row)
    # Without markup: what stands in brackets is the plugin's text, not ours to interpret.
    Console(file=out, markup=False, emoji=False, highlight=False).print(table)

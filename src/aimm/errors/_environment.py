"""Errors of :mod:`aimm.environment`."""

from collections.abc import Sequence

from aimm.errors import AimmError


class PluginEnvironmentError(AimmError, RuntimeError):
    """The Python environment cannot be examined or changed as asked.

    Attributes:
        message: What is wrong, and what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class EnvironmentBusyError(PluginEnvironmentError):
    """Another process changes this environment now."""


class LedgerError(PluginEnvironmentError):
    """The record of what was installed, or of an interrupted change, cannot be read."""


class InstallerError(PluginEnvironmentError):
    """pip or uv failed.

    Attributes:
        what: What was being done.
        program: ``pip`` or ``uv``.
        code: Its exit code.
        tail: The last lines that it wrote.
        advice: What to do.
        log: The file with all that it wrote.
    """

    def __init__(self, what: str, program: str, code: int, tail: Sequence[str], advice: str, log: str) -> None:
        self.what, self.program, self.code, self.tail = what, program, code, tuple(tail)
        self.advice, self.log = advice, log
        said = "".join(f"\n  {line}" for line in self.tail) or " nothing"
        super().__init__(
            f"{what} failed: {program} ended with exit code {code}; {advice}\n"
            f"the last that {program} said (all of it is in {log}):{said}"
        )
        self.args = (what, program, code, self.tail, advice, log)


class HostConflictError(PluginEnvironmentError):
    """A plugin would change a dependency of the host; nothing was changed.

    Attributes:
        changes: For each, what would change and who wants it.
    """

    def __init__(self, changes: Sequence[str]) -> None:
        self.changes = tuple(changes)
        super().__init__(
            "refused: this would change what aimm-plugins itself runs on, and nothing was changed:"
            + "".join(f"\n  {change}" for change in self.changes)
            + "\nask for another version of the plugin, or upgrade aimm-plugins and its dependencies with pip first"
        )
        self.args = (self.changes,)


class StillNeededError(PluginEnvironmentError):
    """A plugin that is to be removed is needed by something that stays; nothing was changed.

    Attributes:
        name: The plugin.
        needed_by: Who needs it.
    """

    def __init__(self, name: str, needed_by: Sequence[str]) -> None:
        self.name, self.needed_by = name, tuple(needed_by)
        super().__init__(f"{name} is needed by {', '.join(self.needed_by)}; uninstall both, or keep {name}")
        self.args = (name, self.needed_by)


class RequirementsFileError(AimmError, ValueError):
    """A file that names distributions and versions cannot be used.

    Attributes:
        path: The file.
        line: Number of the line, 0 for the file as a whole.
        message: What is wrong with it.
    """

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(path, line, message)
        self.path, self.line, self.message = path, line, message

    def __str__(self) -> str:
        return f"{self.path}{f', line {self.line}' if self.line else ''}: {self.message}"

"""Errors of :mod:`aimm.scaffold`."""

from aimm.errors import AimmError


class ScaffoldError(AimmError, ValueError):
    """A new package cannot be made with this answer; nothing was written.

    Attributes:
        field: Which answer: ``name``, ``package``, ``kind``, ...
        value: The answer.
        reason: Why it cannot be used.
        suggestion: One that can.
    """

    def __init__(self, field: str, value: str, reason: str, suggestion: str) -> None:
        super().__init__(field, value, reason, suggestion)
        self.field, self.value, self.reason, self.suggestion = field, value, reason, suggestion

    def __str__(self) -> str:
        return f"{self.field} {self.value!r} cannot be used: {self.reason}; {self.suggestion!r} would do"


class TargetExistsError(AimmError, FileExistsError):
    """What is to be made exists already; it was left as it is.

    Attributes:
        path: The file or folder.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path} exists and was left as it is: choose another name or folder, or remove it first"

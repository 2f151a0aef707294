"""Errors of :mod:`aimm.testing`."""

from collections.abc import Sequence

from aimm.errors import AimmError


class ConformanceError(AimmError, AssertionError):
    """A plugin does not conform; test runners show it as a failed assertion.

    Attributes:
        subject: What was checked.
        problems: What is wrong, one text each.
    """

    def __init__(self, subject: str, problems: Sequence[str]) -> None:
        super().__init__(subject, tuple(problems))
        self.subject, self.problems = subject, tuple(problems)

    def __str__(self) -> str:
        return "\n".join([f"{self.subject} does not conform:", *(f"  {problem}" for problem in self.problems)])


class CheckInputError(AimmError, ValueError):
    """An example, or an expected failure, is not what the conformance kit can use.

    Attributes:
        message: What was given, and what was expected instead.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SubjectError(AimmError, LookupError, ValueError):
    """What should be checked cannot be found.

    Attributes:
        message: What was sought, where, and what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

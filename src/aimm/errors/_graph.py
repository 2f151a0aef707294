"""Errors of :mod:`aimm.tasks.graph`."""

from collections.abc import Sequence

from aimm.errors import AimmError


class GraphError(AimmError, ValueError):
    """A task graph cannot be run as it was asked for."""


class InvalidGraphError(GraphError):
    """A graph has errors, so no step of it was run.

    Attributes:
        source: The file, or ``<graph>``.
        problems: Its errors, each in a line of text.
    """

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        super().__init__(source, tuple(problems))
        self.source, self.problems = source, tuple(problems)

    def __str__(self) -> str:
        shown = "".join(f"\n  {problem}" for problem in self.problems[:20])
        more = f"\n  and {len(self.problems) - 20} more" if len(self.problems) > 20 else ""
        count = "an error" if len(self.problems) == 1 else f"{len(self.problems)} errors"
        return f"{self.source}: the graph has {count}, and no step was run:{shown}{more}"


class GraphInputError(GraphError):
    """The parameters or artifacts that were given are not what the graph takes; no step was run.

    Attributes:
        source: The file, or ``<graph>``.
        problems: What is missing, unknown or wrong, each in a sentence.
    """

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        super().__init__(source, tuple(problems))
        self.source, self.problems = source, tuple(problems)

    def __str__(self) -> str:
        return f"{self.source}: {'; '.join(self.problems)}"


class StepError(AimmError, RuntimeError):
    """A step failed; ``__cause__`` is the original exception. Artifacts that were written before stay.

    Attributes:
        step: The step.
        task: Full name of its task.
        owner: Plugin, distribution and version of the task.
        place: File and line where it went wrong, or where the task is defined; None if nobody knows.
        problem: What went wrong.
    """

    def __init__(self, step: str, task: str, owner: str, place: str | None, problem: str) -> None:
        super().__init__(step, task, owner, place, problem)
        self.step, self.task, self.owner, self.place, self.problem = step, task, owner, place, problem

    def __str__(self) -> str:
        at = f", {self.place}" if self.place else ""
        return f"step {self.step!r} failed: {self.problem} (task {self.task}, {self.owner}{at})"


class StepTypeError(StepError, TypeError):
    """An argument or output of a step is not of its declared type."""


class StepOutputError(StepError, LookupError):
    """A step needs an output that an earlier one did not give."""

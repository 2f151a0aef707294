"""Errors of :mod:`aimm.tasks`."""

from collections.abc import Sequence

from aimm.errors import AimmError
from aimm.errors._plugins import known_names


class TaskNotFoundError(AimmError, LookupError, ValueError):
    """No task, or no artifact handler, has this name.

    Attributes:
        kind: ``task`` or ``artifact handler``.
        name: The name that was asked for.
        known: Names of that kind that do exist.
        hints: Further sentences: near misses, plugins that failed, what to call first.
    """

    def __init__(self, kind: str, name: str, known: Sequence[str] = (), hints: Sequence[str] = ()) -> None:
        super().__init__(kind, name, tuple(known), tuple(hints))
        self.kind, self.name, self.known, self.hints = kind, name, tuple(known), tuple(hints)

    def __str__(self) -> str:
        text = f"no {self.kind} is called {self.name!r} ({known_names(self.known)})"
        return "; ".join([text, *self.hints, "'aimm tasks list' shows what there is"])


class TaskConflictError(AimmError, LookupError, ValueError):
    """The end of a name fits several tasks, or several artifact handlers.

    Attributes:
        kind: ``task`` or ``artifact handler``.
        name: The name that was asked for.
        matches: The full names that it fits.
    """

    def __init__(self, kind: str, name: str, matches: Sequence[str]) -> None:
        super().__init__(kind, name, tuple(matches))
        self.kind, self.name, self.matches = kind, name, tuple(matches)

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r} may be {' or '.join(map(repr, self.matches))}: write the full name"


class TypeDefinitionError(AimmError, ValueError):
    """A type does not follow the grammar of types.

    Attributes:
        message: What is wrong with it, and what was expected.
        path: Where in its document, for instance ``table.list``; may be empty.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message, path)
        self.message, self.path = message, path

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class RegistrationError(AimmError, ValueError):
    """A registration document, or the code that it is to be compared with, cannot be read.

    Attributes:
        path: The file.
        message: What is wrong with it, and what was expected.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path, self.message = path, message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class TaskOutputError(AimmError, ValueError):
    """What a task returned cannot be split into the outputs that it declares.

    Attributes:
        task: The task.
        outputs: The names of its outputs.
        message: What it returned, and what was expected.
    """

    def __init__(self, task: str, outputs: Sequence[str], message: str) -> None:
        super().__init__(task, tuple(outputs), message)
        self.task, self.outputs, self.message = task, tuple(outputs), message

    def __str__(self) -> str:
        return f"task {self.task!r} declares the outputs {', '.join(map(repr, self.outputs))}: {self.message}"


class ChangedValueError(AimmError, RuntimeError):
    """A task changed a value that others hold too; noticed in debug mode only.

    Attributes:
        task: The task that changed it.
        values: What was changed, in words, such as ``argument 'rows'``.
    """

    def __init__(self, task: str, values: Sequence[str]) -> None:
        super().__init__(task, tuple(values))
        self.task, self.values = task, tuple(values)

    def __str__(self) -> str:
        return (
            f"task {self.task!r} changed {' and '.join(self.values)}, which other steps may hold too: "
            "work on a copy, and return the changed one"
        )


class ArtifactError(AimmError, ValueError):
    """An artifact cannot be written or read.

    Attributes:
        artifact: The name of the artifact.
        handler: The name of its handler; None if none has been asked yet.
        message: What is wrong, and what to do.
    """

    def __init__(self, artifact: str, handler: str | None, message: str) -> None:
        super().__init__(artifact, handler, message)
        self.artifact, self.handler, self.message = artifact, handler, message

    def __str__(self) -> str:
        by = f" (handler {self.handler})" if self.handler else ""
        return f"artifact {self.artifact!r}{by}: {self.message}"


class TaskOutputWarning(UserWarning):
    """A task returned fewer values than it declares; the missing ones cannot be referred to."""

"""A graph as it was read: sections, steps and references as small immutable objects."""

from typing import Any, NamedTuple

from aimm.tasks.graph._issues import Path
from aimm.tasks.graph._references import Reference

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "<missing>", "__slots__": ()})()
"""Stands where a document has no value; None is one."""


class GraphParameter(NamedTuple):
    """A parameter of the graph: a declared type, a default, or both."""

    name: str
    type: Any
    default: Any


class Declared(NamedTuple):
    """An input of a task, or an output of a task or artifact input, as the document declares it."""

    name: str
    type: Any
    required: bool = True


class Outputs(NamedTuple):
    """Declared outputs. ``whole`` tells the mapping form: what is returned is the one output, not split."""

    values: tuple[Declared, ...]
    whole: bool


class TaskEntry(NamedTuple):
    """An entry of ``tasks``. ``inputs`` and ``outputs`` are None where the installed task is to tell them."""

    name: str
    plugin: str
    inputs: tuple[Declared, ...] | None = None
    outputs: Outputs | None = None


class Step(NamedTuple):
    """A step.

    Attributes:
        name: Its name.
        task: The short or full name of its task; None if it names none.
        args: Positional arguments as written.
        kwargs: Keyword arguments as written.
        dependencies: Steps that it waits for beside those it refers to.
        args_path: Where the positional arguments stand.
        kwargs_path: Where the keyword arguments stand.
        references: What it refers to, with the places.
        is_list: Whether ``args_path`` leads to a list, not to the one argument.
    """

    name: str
    task: str | None
    args: list[Any]
    kwargs: dict[str, Any]
    dependencies: tuple[str, ...]
    args_path: Path
    kwargs_path: Path
    references: tuple[tuple[Path, Reference], ...]
    is_list: bool = True

    def arg_path(self, index: int) -> Path:
        """Where a positional argument stands."""
        return (*self.args_path, index) if self.is_list else self.args_path


class ArtifactOutput(NamedTuple):
    """An entry of ``artifact_outputs``."""

    name: str
    contents: Any
    handler: str | None
    args: dict[str, Any]
    references: tuple[tuple[Path, Reference], ...]


class Model(NamedTuple):
    """All sections of a graph. ``plugins`` is the allow-list; None if any installed task may be called."""

    types: dict[str, Any]
    parameters: dict[str, GraphParameter]
    artifact_inputs: dict[str, Outputs]
    tasks: dict[str, TaskEntry] | None
    steps: dict[str, Step]
    artifact_outputs: dict[str, ArtifactOutput]
    plugins: tuple[str, ...] | None

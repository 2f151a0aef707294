"""What is wrong with a graph: one :class:`Issue` for each problem, and the table of their kinds."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import NamedTuple, TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"
"""Keys and indexes that lead to a value of the document."""

KINDS = {
    "syntax": "the text is not YAML or JSON, or not one document",
    "limit": "the document is too large, too deep, or contains itself",
    "duplicate-key": "a key stands twice in one mapping",
    "tag": "a YAML tag or a value that is no plain data: `!!python/object`, a date",
    "unknown-key": "a key that the grammar does not know",
    "missing-key": "a key that the grammar requires is not there",
    "shape": "a value of the wrong kind: a list where a mapping belongs",
    "name": "a name that is no text, blank, has a dot where none may be, or cannot be that of a file",
    "name-collision": "two of parameters, steps and artifact inputs share a name",
    "duplicate-name": "a task has two inputs, or two outputs, of one name",
    "type-definition": "a type that cannot be: a built-in one again, a bad mapping key, a cycle",
    "unknown-type": "a type that is not defined",
    "plugin-name": "the plugin of a task is not of the form `plugin.module.function`",
    "not-importable": "the task or artifact handler is not installed, or its plugin does not load",
    "signature": "what the graph declares of a task is not what its Python function takes",
    "unknown-task": "a step calls a task that the graph does not know",
    "step-form": "a step is in none of the three forms",
    "arguments": "too many arguments, an unknown one, one given twice, or a required one missing",
    "reference": "a reference leads nowhere, or needs or must not have an output name",
    "dependency": "`dependencies` names no step",
    "cycle": "steps wait for each other",
    "parameter": "a parameter has neither a type nor a default",
    "default-type": "the default of a parameter does not fit its type",
    "argument-type": "an argument does not fit the type of the input",
    "contents-type": "the contents of an artifact do not fit what its handler takes",
    "handler-arguments": "an argument of an artifact handler is unknown, missing or wrong",
    "union": "a union names a member twice (warning)",
    "unused": "nothing uses a step, a parameter or an artifact input (warning)",
}
"""Every kind of issue and what it means; names are stable, texts are not."""


_COMPARISONS = 200_000
"""How many names are compared with misspelt ones of one graph; about two seconds."""


class Issue(NamedTuple):
    """One problem of a graph.

    Attributes:
        kind: One of the kinds that the grammar reference lists.
        severity: ``error`` or ``warning``; a graph with errors does not run.
        message: What is wrong, in one sentence.
        path: Keys and indexes that lead to the place in the document.
        line: Line of the file, from 1; None where the graph did not come from a file.
        column: Column, from 1.
        suggestion: What to write instead, where that can be told.
    """

    kind: str
    severity: str
    message: str
    path: Path = ()
    line: int | None = None
    column: int | None = None
    suggestion: str | None = None

    @property
    def location(self) -> str:
        """The path as text, such as ``graph.train.args[0]``."""
        return path_text(self.path)

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}: " if self.line is not None else ""
        where = f"{self.location}: " if self.path else ""
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{place}{self.severity}: {where}{self.message}{hint} [{self.kind}]"


class Issues:
    """Collects issues while a document is read and checked."""

    def __init__(self) -> None:
        self.found: list[Issue] = []
        self._comparisons = _COMPARISONS

    def error(self, kind: str, message: str, path: Path = (), suggestion: str | None = None) -> None:
        """Add an error."""
        self.found.append(Issue(kind, "error", message, path, suggestion=suggestion))

    def warning(self, kind: str, message: str, path: Path = (), suggestion: str | None = None) -> None:
        """Add a warning."""
        self.found.append(Issue(kind, "warning", message, path, suggestion=suggestion))

    def nearest(self, name: object, known: Collection[object]) -> str | None:
        """As the function; None too when so much was compared that a graph full of mistakes would take minutes."""
        self._comparisons -= len(known)
        return nearest(name, known) if self._comparisons >= 0 else None


def path_text(path: Path) -> str:
    """A path as people write it: ``graph.train.args[0]``."""
    steps = path if len(path) <= 12 else (*path[:6], "...", *path[-5:])
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def nearest(name: object, known: Iterable[object]) -> str | None:
    """A question that names the closest known name, or the one that ends in what was given; None if none is near."""
    text, names = str(name), [str(one) for one in known]
    match = get_close_matches(text, names, n=1) or [one for one in names if one.endswith(f".{text}")]
    return f"did you mean {match[0]!r}?" if match else None


def kind_of(value: object) -> str:
    """What a value is, in the words of a document."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    words = {dict: "a mapping", list: "a list", str: "text", int: "a whole number", float: "a number"}
    return words.get(type(value), f"a {type(value).__name__}")

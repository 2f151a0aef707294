"""References to values: ``$name`` and ``$name.output``, how they are escaped, found and filled in.

A reference is a whole string that starts with one ``$``. References are looked for in lists and in the values of
mappings, never in keys. A string that starts with ``$$`` stands for itself without its first ``$``; a lone ``$`` is
text.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from aimm.tasks.graph._issues import Path


class Reference(NamedTuple):
    """A reference.

    Attributes:
        name: Of a parameter, step or artifact input.
        output: Of the step or artifact input; None if it is left out.
    """

    name: str
    output: str | None = None

    def __str__(self) -> str:
        return f"${self.name}" if self.output is None else f"${self.name}.{self.output}"


def parse_reference(value: Any) -> Reference | None:
    """The reference that a value is; None if it is none. The first dot ends the name."""
    if not isinstance(value, str) or not value.startswith("$") or value.startswith("$$") or value == "$":
        return None
    name, dot, output = value[1:].partition(".")
    return Reference(name, output if dot else None)


def unescape(text: str) -> str:
    """What a string that is no reference stands for."""
    return text[1:] if text.startswith("$$") else text


def escape(value: Any) -> Any:
    """Write plain data so that nothing in it is a reference; :func:`fill` undoes it."""
    if isinstance(value, str):
        return f"${value}" if value.startswith("$") and value != "$" else value
    if isinstance(value, dict):
        return {key: escape(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [escape(one) for one in value]
    return value


def find_references(value: Any, path: Path = ()) -> Iterator[tuple[Path, Reference]]:
    """Every reference in a value, in order, with the path to it."""
    if isinstance(value, str):
        if value[:1] == "$":
            reference = parse_reference(value)
            if reference:
                yield path, reference
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from find_references(one, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from find_references(one, (*path, index))


def fill(value: Any, look_up: Callable[[Reference], Any]) -> Any:
    """Plain data with every reference replaced by its value; lists and mappings are new ones each time."""
    if isinstance(value, str):
        reference = parse_reference(value) if value[:1] == "$" else None
        return unescape(value) if reference is None else look_up(reference)
    if isinstance(value, dict):
        return {key: fill(one, look_up) for key, one in value.items()}
    if isinstance(value, list):
        return [fill(one, look_up) for one in value]
    return value

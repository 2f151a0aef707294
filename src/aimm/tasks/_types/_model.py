"""The immutable type model: what a parameter takes, what an output is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

_SHOWN = 20
"""How many parts of a type are written out for people."""
Kind = Literal["simple", "list", "tuple", "mapping", "enumerated", "union", "literal"]


@dataclass(frozen=True, slots=True, repr=False)
class Type:
    """One type. Two types with names are one if their names are; types without names are compared by structure.

    Attributes:
        kind: Which of the other attributes count.
        name: The name, if it has one; ``any`` and ``null`` are simple types of these names.
        items: The element of a list; the elements of a tuple; the key and the value of a mapping; the members of a
            union.
        properties: The names of an enumerated mapping with their types, in order; also the fields of a named tuple.
        required: Those of its names that must be there.
        values: What a literal may be.
        parent: The simple type that a simple type is a kind of, if any.
        cls: The Python class behind it, where it was made from one that is imported.
    """

    kind: Kind
    name: str | None = None
    items: tuple["Type", ...] = ()
    properties: tuple[tuple[str, "Type"], ...] = ()
    required: frozenset[str] = frozenset()
    values: tuple[Any, ...] = ()
    parent: "Type | None" = None
    cls: type | None = field(default=None, compare=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Type):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[Any, ...]:
        if self.name is not None:
            return (self.name,)
        values = tuple((type(value), value) for value in self.values)
        # The order of the members of a union and of the names of a mapping means nothing.
        items = frozenset(self.items) if self.kind == "union" else self.items
        known = frozenset(values) if self.kind == "literal" else values
        return None, self.kind, items, frozenset(self.properties), self.required, known

    def __repr__(self) -> str:
        return f"<type {self}>"

    def __str__(self) -> str:
        return self.name if self.name is not None else self.structure()

    def structure(self, levels: int = 4) -> str:
        """What is behind the name, readable: the first of many parts, and so many levels."""
        if levels == 0:
            return "..."
        shown = [item.name or item.structure(levels - 1) for item in self.items[:_SHOWN]]
        more = ["..."] if max(len(self.items), len(self.values), len(self.properties)) > _SHOWN else []
        if self.kind in ("list", "mapping"):
            return f"{self.kind}[{', '.join(shown)}]"
        if self.kind == "tuple":
            return f"tuple[{', '.join([*shown, *more]) or '()'}]"
        if self.kind == "union":
            return " | ".join([*shown, *more]) or "union[()]"
        if self.kind == "literal":
            return " | ".join([*map(_short, self.values[:_SHOWN]), *more])
        if self.kind == "enumerated":
            parts = (
                f"{name}{'' if name in self.required else '?'}: {held.name or held.structure(levels - 1)}"
                for name, held in self.properties[:_SHOWN]
            )
            return f"{{{', '.join([*parts, *more])}}}"
        return f"{self.name}"

    @property
    def is_any(self) -> bool:
        """Whether it takes everything."""
        return self.kind == "simple" and self.name == "any"

    @property
    def is_open(self) -> bool:
        """Whether it takes everything, or a part of it does."""
        return any(part.is_any for part in self.parts())

    @property
    def is_built_in(self) -> bool:
        """Whether it is made of built-in types only."""
        return all(part.name in BUILTINS if part.kind == "simple" else part.name is None for part in self.parts())

    def parts(self) -> Iterator["Type"]:
        """The type and all that it is made of, each once."""
        seen, waiting = {id(self)}, [self]
        while waiting:
            one = waiting.pop()
            yield one
            for part in (*one.items, *(held for _, held in one.properties)):
                if id(part) not in seen:
                    seen.add(id(part))
                    waiting.append(part)

    def document(self) -> Any:
        """The type in the grammar of a graph: its name, or the structure of one that has none."""
        return self.name if self.name is not None else self.definition()

    def definition(self) -> Any:
        """What stands behind the name in the section ``types`` of a graph."""
        parts = [item.document() for item in self.items]
        match self.kind:
            case "simple":
                return {"is_a": self.parent.name} if self.parent else None
            case "list":
                return {"list": parts[0]}
            case "enumerated":
                names = {name: held.document() for name, held in self.properties}
                if len(self.required) == len(self.properties):
                    return {"mapping": names}
                return {"mapping": names, "required": [name for name in names if name in self.required]}
            case "literal":
                return {"literal": list(self.values)}
        return {self.kind: parts}


def simple(name: str, parent: Type | None = None, cls: type | None = None) -> Type:
    """A type without parts."""
    return Type("simple", name, parent=parent, cls=cls)


ANY, NULL = simple("any"), simple("null")
STRING, BOOLEAN, NUMBER = simple("string", cls=str), simple("boolean", cls=bool), simple("number", cls=float)
INTEGER = simple("integer", NUMBER, int)
BUILTINS: Mapping[str, Type] = {t.name: t for t in (STRING, INTEGER, NUMBER, BOOLEAN, NULL, ANY) if t.name}
"""The types that are there without being declared, by name."""


def list_of(element: Type, name: str | None = None) -> Type:
    """A list whose elements have one type."""
    return Type("list", name, (element,))


def tuple_of(*elements: Type, name: str | None = None, cls: type | None = None, fields: Sequence[str] = ()) -> Type:
    """A sequence of fixed length; that of a named tuple has fields."""
    return Type("tuple", name, elements, tuple(zip(fields, elements)), cls=cls)  # noqa: B905


def mapping_of(key: Type, value: Type, name: str | None = None) -> Type:
    """A mapping whose keys have one type, and whose values have one."""
    return Type("mapping", name, (key, value))


def enumerated(
    properties: Mapping[str, Type],
    required: frozenset[str] | None = None,
    name: str | None = None,
    cls: type | None = None,
) -> Type:
    """A mapping with these very names."""
    wanted = frozenset(properties) if required is None else required
    return Type("enumerated", name, properties=tuple(properties.items()), required=wanted, cls=cls)


def union_of(*members: Type, name: str | None = None) -> Type:
    """One of several types; unions without names inside it are dissolved, and a single member stands for itself."""
    flat: dict[Type, None] = {}
    for member in members:
        flat.update(dict.fromkeys(member.items if member.kind == "union" and member.name is None else (member,)))
    if len(flat) == 1 and name is None:
        return next(iter(flat))
    return Type("union", name, tuple(flat))


def literal_of(*values: Any, name: str | None = None) -> Type:
    """One of several values."""
    return Type("literal", name, values=values)


def hinted_literal(*values: Any) -> Type:
    """The type of ``Literal[...]``; ``any`` if a value cannot stand in a document, as members of an enum."""
    return literal_of(*values) if all(v is None or type(v) in (str, int, bool) for v in values) else ANY


def hinted_mapping(key: Type, value: Type) -> Type:
    """The type of ``dict[K, V]``: the grammar knows mappings from strings and from integers; other keys are any."""
    if key.kind == "literal" and key.values:
        for cls, wider in ((str, STRING), (int, INTEGER)):
            if all(type(one) is cls for one in key.values):
                return mapping_of(wider, value)
    return mapping_of(key if key in (STRING, INTEGER) else ANY, value)


def type_of_value(value: Any, *, literal: bool = False) -> Type:
    """The type of a value that stands in a document.

    Args:
        value: What YAML gives.
        literal: Give strings, numbers and booleans the type of exactly this value, which fits more targets.
    """
    if value is None:
        return NULL
    for cls, found in ((str, STRING), (bool, BOOLEAN), (int, INTEGER), (float, NUMBER)):
        if isinstance(value, cls):
            return literal_of(value) if literal and cls is not float else found
    if isinstance(value, Mapping):
        return type_of_entries({key: type_of_value(held, literal=literal) for key, held in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple_of(*(type_of_value(item, literal=literal) for item in value))
    return ANY


def type_of_entries(types: Mapping[Any, Type]) -> Type:
    """The type of a mapping that stands in a document, from its keys and the types of their values."""
    if all(isinstance(key, str) for key in types):
        return enumerated(types)
    if all(isinstance(key, int) and not isinstance(key, bool) for key in types):
        return mapping_of(INTEGER, union_of(*types.values()))
    return ANY


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."

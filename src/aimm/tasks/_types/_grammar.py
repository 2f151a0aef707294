"""The YAML grammar of types: documents to types."""

from collections.abc import Mapping
from typing import Any

from aimm.errors import TypeDefinitionError
from aimm.tasks._types._model import (
    BUILTINS,
    Type,
    enumerated,
    list_of,
    literal_of,
    mapping_of,
    simple,
    tuple_of,
)

STRUCTURES = ("list", "tuple", "mapping", "union", "literal")
_COMPARED = 300
"""With more types than this, none is suggested for a misspelt one, as thousands of mistakes would take minutes."""
_MAX_DEPTH = 100


def parse_type(doc: Any, known: Mapping[str, Type] = BUILTINS, *, name: str | None = None, path: str = "") -> Type:
    """Read one type.

    Args:
        doc: The name of a type; or one of ``{list: T}``, ``{tuple: [T, ...]}``, ``{mapping: [K, V]}``,
            ``{mapping: {name: T, ...}}`` (with ``required: [name, ...]`` if not all are), ``{union: [T, ...]}`` and
            ``{literal: [value, ...]}``. With a name also None, ``{}`` and ``{is_a: T}``.
        known: The types that may be named; the built-in ones need not be among them.
        name: The name of the type if it is being defined under one.
        path: Where it stands in its document, for messages.

    Raises:
        TypeDefinitionError: It does not follow the grammar, or names an unknown type.
    """
    return _Parser(known)(doc, path, name, 0)


def parse_types(definitions: Mapping[str, Any], known: Mapping[str, Type] = BUILTINS) -> dict[str, Type]:
    """Read the section ``types`` of a graph, in which definitions may name each other in any order.

    Args:
        definitions: Name to definition.
        known: Further types that may be named.

    Returns:
        The types that are defined, by name.

    Raises:
        TypeDefinitionError: A definition does not follow the grammar, names an unknown type, or contains itself.
    """
    done: dict[str, Type] = {}
    scope = _Scope(definitions, known, done)
    for name in definitions:
        scope[name]
    return {name: done[name] for name in definitions}


class _Scope(dict[str, Type]):
    """Known types, and those that are parsed when they are first named."""

    def __init__(self, definitions: Mapping[str, Any], known: Mapping[str, Type], done: dict[str, Type]) -> None:
        super().__init__({name: held for name, held in known.items() if name not in definitions})
        self._definitions, self._done, self._open = definitions, done, list[str]()

    def __missing__(self, name: str) -> Type:
        if name in self._open:
            cycle = " -> ".join([*self._open[self._open.index(name) :], name])
            raise TypeDefinitionError(f"the type contains itself: {cycle}", name)
        if name not in self._definitions:
            raise KeyError(name)
        self._open.append(name)
        try:
            parsed = self._done[name] = _Parser(self)(self._definitions[name], name, name, 0)
        finally:
            self._open.pop()
        self[name] = parsed
        return parsed


class _Parser:
    def __init__(self, known: Mapping[str, Type]) -> None:
        self._known = known

    def __call__(self, doc: Any, path: str, name: str | None, depth: int) -> Type:
        if name in BUILTINS:
            raise TypeDefinitionError(f"the type {name!r} is built in and cannot be defined anew", path)
        if depth > _MAX_DEPTH:
            raise TypeDefinitionError(f"the type is nested more than {_MAX_DEPTH} levels deep", path)
        if name is not None and (doc is None or doc == {}):
            return simple(name)
        if isinstance(doc, str) and name is None:
            return self._named(doc, path)
        if not isinstance(doc, Mapping):
            raise TypeDefinitionError(f"a type is {_expected(name)}, not {doc!r}", path)
        if name is not None and set(doc) == {"is_a"}:
            return self._subtype(doc["is_a"], path, name)
        kinds = [kind for kind in STRUCTURES if kind in doc]
        stray = set(doc) - {*kinds, *(["required"] if kinds == ["mapping"] else [])}
        if len(kinds) != 1 or stray:
            raise TypeDefinitionError(f"a type is {_expected(name)}, not {dict(doc)!r}", path)
        return self._structure(kinds[0], doc, path, name, depth)

    def _named(self, name: str, path: str) -> Type:
        if name in BUILTINS:
            return BUILTINS[name]
        try:
            return self._known[name]
        except KeyError:
            from difflib import get_close_matches

            known = [*BUILTINS, *map(str, self._known)]
            near = get_close_matches(name, known, n=1) if len(known) <= _COMPARED else []
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeDefinitionError(f"no type is called {name!r}{hint}", path) from None

    def _subtype(self, parent: Any, path: str, name: str) -> Type:
        if not isinstance(parent, str):
            raise TypeDefinitionError(f"is_a names a simple type, not {parent!r}", f"{path}.is_a")
        found = self._named(parent, f"{path}.is_a")
        if found.kind != "simple":
            raise TypeDefinitionError(f"is_a names a simple type, and {parent!r} is {found.structure()}", path)
        return simple(name, found)

    def _structure(self, kind: str, doc: Mapping[Any, Any], path: str, name: str | None, depth: int) -> Type:
        body, place = doc[kind], f"{path}.{kind}".lstrip(".")
        if kind == "list":
            return list_of(self(body, place, None, depth + 1), name)
        if kind == "mapping" and isinstance(body, Mapping):
            return self._enumerated(body, doc.get("required"), place, name, depth)
        if not isinstance(body, (list, tuple)):
            raise TypeDefinitionError(f"{kind} takes a list, not {body!r}", place)
        if kind == "literal":
            if not body or not all(isinstance(value, (str, int, float, type(None))) for value in body):
                raise TypeDefinitionError(f"literal takes strings, numbers, booleans and null, not {body!r}", place)
            return literal_of(*body, name=name)
        parts = [self(part, f"{place}[{i}]", None, depth + 1) for i, part in enumerate(body)]
        if kind == "tuple":
            return tuple_of(*parts, name=name)
        if kind == "union":
            return Type("union", name, tuple(parts))
        return self._mapping(parts, place, name)

    def _mapping(self, parts: list[Type], place: str, name: str | None) -> Type:
        if len(parts) != 2:
            raise TypeDefinitionError(f"mapping takes the type of the key and that of the value, not {parts!r}", place)
        key = parts[0]
        while key.parent is not None and key.name not in BUILTINS:
            key = key.parent
        if key.name not in ("string", "integer", "any"):
            raise TypeDefinitionError(f"the key of a mapping is string, integer or any, not {parts[0]}", f"{place}[0]")
        return mapping_of(parts[0], parts[1], name)

    def _enumerated(self, body: Mapping[Any, Any], required: Any, place: str, name: str | None, depth: int) -> Type:
        for key in body:
            if not isinstance(key, str):
                raise TypeDefinitionError(f"the names of a mapping are strings, not {key!r}", place)
        wanted = list(body) if required is None else required
        if not isinstance(wanted, list) or not all(isinstance(key, str) and key in body for key in wanted):
            raise TypeDefinitionError(f"required lists names of the mapping, not {required!r}", place)
        parts = {key: self(part, f"{place}.{key}", None, depth + 1) for key, part in body.items()}
        return enumerated(parts, frozenset(wanted), name)


def _expected(name: str | None) -> str:
    structures = "{list: T}, {tuple: [T, ...]}, {mapping: [K, V]}, {mapping: {name: T, ...}}, {union: [T, ...]}"
    if name is None:
        return f"the name of a type or one of {structures}, {{literal: [...]}}"
    return f"empty, {{is_a: T}} or one of {structures}, {{literal: [...]}}"

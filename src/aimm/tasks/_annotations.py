"""Annotations in source as types, by the same rules as those of live objects, and without running anything."""

import ast
from collections.abc import Callable, Collection, Iterator
from typing import Any

from aimm.tasks._types import (
    ANY,
    BOOLEAN,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    Type,
    enumerated,
    hinted_literal,
    hinted_mapping,
    list_of,
    mapping_of,
    simple,
    tuple_of,
    union_of,
)

_TYPING = ("typing.", "typing_extensions.", "collections.abc.", "collections.", "builtins.", "types.")
_BASIC = {
    **{"str": STRING, "int": INTEGER, "float": NUMBER, "bool": BOOLEAN, "None": NULL, "NoneType": NULL},
    **{"Any": ANY, "object": ANY},
}
_LISTS = ("list", "List", "Sequence", "MutableSequence", "Collection")
_MAPPINGS = ("dict", "Dict", "Mapping", "MutableMapping", "OrderedDict")
_TRANSPARENT = ("Annotated", "Required", "NotRequired", "ReadOnly", "Final", "ClassVar")
_LOCAL = ("TypedDict", "NamedTuple")


class Annotations:
    """What the names of one module mean.

    Args:
        tree: The module.
        module: Its dotted name.
    """

    def __init__(self, tree: ast.Module, module: str) -> None:
        self._module = module
        self._names: dict[str, str] = {}
        self._classes: dict[str, ast.ClassDef] = {}
        self._assigned: dict[str, ast.expr] = {}
        self._open: list[str] = []
        for statement in statements(tree.body):
            self._note(statement)

    def _note(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Import):
            for name in node.names:
                top = name.name.partition(".")[0]
                self._names[name.asname or top] = name.name if name.asname else top
        elif isinstance(node, ast.ImportFrom):
            origin = ".".join(filter(None, [self._package(node.level), node.module]))
            for name in node.names:
                if name.name == "*" and origin == "aimm.tasks":
                    self._names |= {n: f"{origin}.{n}" for n in ("register", "ArtifactTaskInterface")}
                self._names[name.asname or name.name] = f"{origin}.{name.name}"
        elif isinstance(node, ast.ClassDef):
            self._classes[node.name] = node
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self._assigned[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            self._assigned[node.target.id] = node.value
        elif type(node).__name__ == "TypeAlias":  # type X = ..., since Python 3.12
            self._assigned[node.name.id] = node.value  # type: ignore[attr-defined]

    def _package(self, level: int) -> str:
        return self._module.rsplit(".", level)[0] if level and self._module.count(".") >= level else ""

    def meaning(self, node: ast.expr) -> str | None:
        """The full dotted name behind an expression, aliases and imports resolved; None if it is no name."""
        name = dotted(node)
        return None if name is None else self.expanded(name)

    def expanded(self, name: str) -> str:
        """A dotted name as it is written in this module, with aliases and imports resolved."""
        for _ in range(10):
            first, _, rest = name.partition(".")
            if first in self._classes:
                return f"{self._module}.{name}"
            behind = dotted(self._assigned[first]) if first in self._assigned else self._names.get(first)
            if behind is None or behind == first:
                return name
            name = f"{behind}.{rest}" if rest else behind
            if first not in self._assigned:
                return name
        return name

    def derives_from(self, name: str, bases: Collection[str]) -> bool:
        """Whether a class of this module has one of some classes among its bases, over other classes of it."""
        pending, seen = [name], set[str]()
        while pending:
            node = self._classes.get(current := pending.pop())
            if node is None or current in seen:
                continue
            seen.add(current)
            if any(self.meaning(base) in bases for base in node.bases):
                return True
            pending += [base.id for base in node.bases if isinstance(base, ast.Name)]
        return False

    def local(self, name: str) -> Type:
        """The type that a class of this module is."""
        full = f"{self._module}.{name}"
        if name in self._open:  # it contains itself
            return simple(full)
        self._open.append(name)
        try:
            return self._structure(self._classes[name], full) or simple(full)
        finally:
            self._open.pop()

    def _structure(self, node: ast.ClassDef, full: str) -> Type | None:
        bases = [_short(self.meaning(base)) for base in node.bases]
        decorators = [self.meaning(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list]
        if "NamedTuple" in bases:
            fields = _fields(node)
            names = [field.target.id for field in fields]  # type: ignore[union-attr]
            return tuple_of(*(self(field.annotation) for field in fields), name=full, fields=names)
        if self._is_typed_dict(node):
            return self._typed_dict(node, full)
        if "dataclasses.dataclass" in decorators:
            return enumerated(self._dataclass_fields(node), None, full)
        return None

    def _is_typed_dict(self, node: ast.ClassDef) -> bool:
        names = [f"{place}TypedDict" for place in _TYPING]
        return self.derives_from(node.name, [*names, "TypedDict"])

    def _typed_dict(self, node: ast.ClassDef, full: str) -> Type:
        properties: dict[str, Type] = {}
        required: set[str] = set()
        for base in self._own_bases(node):
            inherited = self.local(base)
            properties |= dict(inherited.properties)
            required |= inherited.required
        total = not any(k.arg == "total" and getattr(k.value, "value", True) is False for k in node.keywords)
        for field in _fields(node):
            name = field.target.id  # type: ignore[union-attr]
            properties[name] = self(field.annotation)
            marks = _short(self.meaning(field.annotation.value)) if isinstance(field.annotation, ast.Subscript) else ""
            if marks == "Required" or (total and marks != "NotRequired"):
                required.add(name)
        return enumerated(properties, frozenset(required), full)

    def _dataclass_fields(self, node: ast.ClassDef) -> dict[str, Type]:
        found: dict[str, Type] = {}
        for base in self._own_bases(node):
            found |= dict(self.local(base).properties)
        kept = (f for f in _fields(node) if _short(self._head(f.annotation)) not in ("ClassVar", "InitVar"))
        return found | {f.target.id: self(f.annotation) for f in kept}  # type: ignore[union-attr]

    def _own_bases(self, node: ast.ClassDef) -> Iterator[str]:
        return (b.id for b in reversed(node.bases) if isinstance(b, ast.Name) and b.id in self._classes)

    def _head(self, node: ast.expr) -> str | None:
        return self.meaning(node.value if isinstance(node, ast.Subscript) else node)

    def __call__(self, node: ast.expr | None) -> Type:
        """The type that an annotation says; ``any`` for none, and for what says nothing."""
        if isinstance(node, ast.Constant):
            return self._constant(node.value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return union_of(self(node.left), self(node.right))
        if isinstance(node, ast.Subscript):
            return self._generic(node)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._named(node)
        return ANY

    def _constant(self, value: Any) -> Type:
        if value is None:
            return NULL
        if not isinstance(value, str):
            return ANY
        try:
            return self(ast.parse(value.strip(), mode="eval").body)
        except SyntaxError:
            return ANY

    def _named(self, node: ast.Name | ast.Attribute) -> Type:
        if isinstance(node, ast.Name):
            if node.id in self._assigned and dotted(self._assigned[node.id]) is None:
                return self._alias(node.id, self._assigned[node.id])
            if node.id in self._classes:
                return self.local(node.id)
        name = self.meaning(node)
        if name is None:
            return ANY
        if name.startswith(f"{self._module}.") and name[len(self._module) + 1 :] in self._classes:
            return self.local(name[len(self._module) + 1 :])
        short = _short(name)
        if short in _BASIC:
            return _BASIC[short]
        if short in (*_LISTS, "tuple", "Tuple"):
            return list_of(ANY)
        if short in _MAPPINGS:
            return mapping_of(ANY, ANY)
        return simple(_class_name(name))

    def _alias(self, name: str, value: ast.expr) -> Type:
        """A name that is given something else than another name: an alias, a type variable, a new type."""
        if name in self._open:
            return ANY
        self._open.append(name)
        try:
            if not isinstance(value, ast.Call):
                return self(value)
            made, arguments = _short(self.meaning(value.func)), value.args
            if made == "NewType" and len(arguments) == 2:
                parent = self(arguments[1])
                return simple(f"{self._module}.{name}", parent if parent.kind == "simple" else None)
            if made == "TypeVar":
                bound = next((k.value for k in value.keywords if k.arg == "bound"), None)
                return union_of(*map(self, arguments[1:])) if len(arguments) > 1 else self(bound)
            return simple(f"{self._module}.{name}")
        finally:
            self._open.pop()

    def _generic(self, node: ast.Subscript) -> Type:
        inner = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        name = self.meaning(node.value) or ""
        short = _short(name)
        rules: dict[str, Callable[[], Type]] = {
            "Optional": lambda: union_of(self(inner[0]), NULL),
            "Union": lambda: union_of(*map(self, inner)),
            "Literal": lambda: self._literal(inner),
            **dict.fromkeys(_TRANSPARENT, lambda: self(inner[0])),
            **dict.fromkeys(_LISTS, lambda: list_of(self(inner[0]))),
            **dict.fromkeys(_MAPPINGS, lambda: hinted_mapping(self(inner[0]), self(inner[-1]))),
            **dict.fromkeys(("tuple", "Tuple"), lambda: self._tuple(inner)),
        }
        rule = rules.get(short or "")
        return rule() if rule else self._named(node.value) if isinstance(node.value, ast.Name | ast.Attribute) else ANY

    def _literal(self, inner: list[ast.expr]) -> Type:
        try:
            return hinted_literal(*map(ast.literal_eval, inner))
        except ValueError:  # members of an enum
            return ANY

    def _tuple(self, inner: list[ast.expr]) -> Type:
        if len(inner) == 2 and isinstance(inner[1], ast.Constant) and inner[1].value is Ellipsis:
            return list_of(self(inner[0]))
        return tuple_of(*map(self, inner))


def dotted(node: ast.expr | None) -> str | None:
    """``a.b.c`` as text; None for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def _short(name: str | None) -> str | None:
    """A name of ``typing`` and its like without the module; any other name is too long to be mistaken for one."""
    place = next((place for place in _TYPING if name and name.startswith(place)), "")
    return name and name[len(place) :]


def _class_name(name: str) -> str:
    """The one name of a class that Python keeps under several."""
    if name.startswith(("typing.", "typing_extensions.")) and name.partition(".")[2] in _ABSTRACT:
        return f"collections.abc.{name.partition('.')[2]}"
    return name.removeprefix("builtins.")


_ABSTRACT = ("Callable", "Iterable", "Iterator", "Generator", "Hashable", "Sized", "Awaitable", "Coroutine")


def _fields(node: ast.ClassDef) -> list[ast.AnnAssign]:
    return [f for f in node.body if isinstance(f, ast.AnnAssign) and isinstance(f.target, ast.Name)]


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, also those inside ``if``, ``try`` and ``with``."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With | ast.For | ast.While):
            for field in ("body", "orelse", "finalbody"):
                yield from statements(getattr(statement, field, []))
            for handler in getattr(statement, "handlers", []):
                yield from statements(handler.body)

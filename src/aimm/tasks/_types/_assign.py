"""Which values of which types may go where: the static check, and the same question about a value."""

import dataclasses
import numbers
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from aimm.tasks._types._model import BOOLEAN, BUILTINS, INTEGER, NULL, NUMBER, STRING, Type, type_of_value

_CLASSES: dict[str, type] = {"list": list, "tuple": tuple, "mapping": dict, "enumerated": dict}


def accepts(target: Type, source: Type) -> bool:
    """Whether every value of one type may go where another one is wanted.

    Args:
        target: What is wanted.
        source: What there is.
    """
    if target.is_any or target == source:
        return True
    if source.kind == "union":
        return all(accepts(target, member) for member in source.items)
    if source.kind == "literal":
        return _accepts_literal(target, source)
    if target.kind == "union":
        return any(accepts(member, source) for member in target.items)
    if source.is_any or target.kind == "literal":
        return False
    if target.kind == "simple":
        cls, wanted = _class_of(source) or _CLASSES.get(source.kind), _class_of(target)
        if cls is not None and wanted is not None and (target.name not in BUILTINS or source.name not in BUILTINS):
            return issubclass(cls, wanted)
        return _is_kind_of(source, target)
    if target.cls is not None and source.cls is not None:
        return issubclass(source.cls, target.cls)
    # A name is a promise: two structures with different names stay apart, however alike they are.
    if source.kind == "simple" or target.cls is not None or (target.name is not None and source.name is not None):
        return False
    return _accepts_structure(target, source)


def _is_kind_of(source: Type, target: Type) -> bool:
    found: Type | None = source
    while found is not None:
        if found == target:
            return True
        found = found.parent
    return False


def _accepts_literal(target: Type, source: Type) -> bool:
    if target.kind == "literal":
        wanted = {(type(value), value) for value in target.values}
        return all((type(value), value) in wanted for value in source.values)
    if target.kind == "union" and any(accepts(member, source) for member in target.items):
        return True
    return all(_accepts_constant(target, value) for value in source.values)


def _accepts_constant(target: Type, value: Any) -> bool:
    if target.kind == "union":
        return any(_accepts_constant(member, value) for member in target.items)
    if target.kind == "literal":
        return any(type(value) is type(one) and value == one for one in target.values)
    return accepts(target, type_of_value(value))


def _accepts_structure(target: Type, source: Type) -> bool:
    if target.kind == "list":
        return source.kind in ("list", "tuple") and all(accepts(target.items[0], item) for item in source.items)
    if target.kind == "tuple":
        same = source.kind == "tuple" and len(target.items) == len(source.items)
        return same and all(map(accepts, target.items, source.items))
    if target.kind == "enumerated":
        return source.kind == "enumerated" and _accepts_names(target, source)
    if source.kind == "mapping":
        return all(map(accepts, target.items, source.items))
    key, value = target.items
    return source.kind == "enumerated" and accepts(key, STRING) and all(accepts(value, t) for _, t in source.properties)


def _accepts_names(target: Type, source: Type) -> bool:
    wanted, given = dict(target.properties), dict(source.properties)
    return (
        target.required <= source.required
        and given.keys() <= wanted.keys()
        and all(accepts(wanted[name], found) for name, found in given.items())
    )


def check_value(wanted: Type, value: Any) -> str | None:
    """Whether a value is of a type.

    Args:
        wanted: The type.
        value: The value.

    Returns:
        None if it is, or if nobody can know; else what is wrong with it.
    """
    return _check(wanted, value, "", 0)


def _check(wanted: Type, value: Any, path: str, depth: int) -> str | None:
    if wanted.is_any or depth > 100:
        return None
    match wanted.kind:
        case "simple":
            fits = _fits_simple(wanted, value)
        case "union":
            fits = any(_check(member, value, path, depth + 1) is None for member in wanted.items)
        case "literal":
            fits = any(type(value) is type(one) and value == one for one in wanted.values)
        case "list" | "tuple":
            return _check_sequence(wanted, value, path, depth)
        case "mapping":
            return _check_mapping(wanted, value, path, depth)
        case _:
            return _check_names(wanted, value, path, depth)
    return None if fits else _wrong(wanted, value, path)


def _fits_simple(wanted: Type, value: Any) -> bool:
    if wanted == NULL:
        return value is None
    if wanted == STRING:
        return isinstance(value, str)
    if wanted == BOOLEAN:
        return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")  # also that of NumPy
    if wanted == INTEGER:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if wanted == NUMBER:
        return isinstance(value, numbers.Real) and not isinstance(value, bool)
    cls = _class_of(wanted)
    if cls is None:
        return wanted.parent is None or _check(wanted.parent, value, "", 0) is None
    try:
        return isinstance(value, cls)
    except TypeError:  # a protocol that cannot be checked
        return True


def _class_of(held: Type) -> type | None:
    """The class behind a type, also of one known by name, if it is imported; no value of it can exist otherwise."""
    if held.cls is not None or held.kind != "simple" or held.name is None or held.parent is not None:
        return held.cls
    module, _, attribute = held.name.rpartition(".")
    found = getattr(sys.modules.get(module or "builtins"), attribute, None)
    return found if isinstance(found, type) else None


def _check_sequence(wanted: Type, value: Any, path: str, depth: int) -> str | None:
    is_sequence = isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview))
    if not is_sequence or (wanted.cls is not None and not isinstance(value, wanted.cls)):
        return _wrong(wanted, value, path)
    if wanted.kind == "tuple" and len(value) != len(wanted.items):
        return _wrong(wanted, value, path, f" of {len(value)} elements")
    parts = wanted.items if wanted.kind == "tuple" else wanted.items * len(value)
    if all(part.is_any for part in parts):
        return None
    problems = (_check(part, item, f"{path}[{i}]", depth + 1) for i, (part, item) in enumerate(zip(parts, value)))  # noqa: B905
    return next(filter(None, problems), None)


def _check_mapping(wanted: Type, value: Any, path: str, depth: int) -> str | None:
    if not isinstance(value, Mapping):
        return _wrong(wanted, value, path)
    key, held = wanted.items
    for name, item in value.items():
        if problem := _check(key, name, f"{path}: key {name!r}", depth + 1):
            return problem
        if problem := _check(held, item, f"{path}[{name!r}]", depth + 1):
            return problem
    return None


def _check_names(wanted: Type, value: Any, path: str, depth: int) -> str | None:
    if wanted.cls is not None and dataclasses.is_dataclass(wanted.cls):
        return None if isinstance(value, wanted.cls) else _wrong(wanted, value, path)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if not isinstance(value, Mapping):
        return _wrong(wanted, value, path)
    parts = dict(wanted.properties)
    if missing := [name for name in parts if name in wanted.required and name not in value]:
        return _wrong(wanted, value, path, f" without {', '.join(map(repr, missing))}")
    if unknown := [name for name in value if name not in parts]:
        return _wrong(wanted, value, path, f" with the unknown {', '.join(map(repr, unknown))}")
    problems = (_check(parts[name], item, f"{path}[{name!r}]", depth + 1) for name, item in value.items())
    return next(filter(None, problems), None)


def _wrong(wanted: Type, value: Any, path: str, detail: str = "") -> str:
    shown = str(wanted) if wanted.kind == "simple" or wanted.name is None else f"{wanted} ({wanted.structure()})"
    place = f"{path.lstrip(': ')}: " if path else ""
    return f"{place}expected {shown}, not {_described(value)}{detail}"


def _described(value: Any) -> str:
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, (str, int, float, bool)):
        text = repr(value)
        return f"{name} {text if len(text) <= 40 else text[:37] + '...'}"
    return "null" if value is None else name

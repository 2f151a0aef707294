"""Type hints of live objects as types."""

import collections.abc
import dataclasses
import sys
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, Union, get_args, get_origin

from aimm.tasks._types._model import (
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

BASIC: dict[Any, Type] = {
    **{str: STRING, int: INTEGER, float: NUMBER, bool: BOOLEAN, None: NULL, type(None): NULL},
    **{Any: ANY, object: ANY},
}
LISTS = (list, collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Collection)
MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping, collections.OrderedDict)


def type_of_hint(hint: Any, text: Callable[[str], Type] = simple) -> Type:
    """The type that a type hint says.

    Args:
        hint: An annotation as it is at run time.
        text: The type of an annotation that could not be evaluated; if not given, one of that name.

    Returns:
        Its type; ``any`` for what says nothing.
    """
    return _Hints(text)(hint)


def qualified_name(cls: type) -> str:
    """How a class is called as a type: with its module, but for the classes that Python brings along.

    The module is the outermost package that offers the class, where its users find it: ``pandas.DataFrame``.
    """
    if cls.__module__ == "builtins":
        return cls.__qualname__
    parts = cls.__module__.split(".")
    for end in range(1, len(parts)):
        module = ".".join(parts[:end])
        if getattr(sys.modules.get(module), cls.__qualname__, None) is cls:
            return f"{module}.{cls.__qualname__}"
    return f"{cls.__module__}.{cls.__qualname__}"


class _Hints:
    def __init__(self, text: Callable[[str], Type]) -> None:
        self._text, self._open = text, set[type]()

    def __call__(self, hint: Any) -> Type:
        try:
            if hint in BASIC:
                return BASIC[hint]
        except TypeError:  # not hashable
            return ANY
        if isinstance(hint, typing.ForwardRef):
            hint = hint.__forward_arg__
        if isinstance(hint, str):
            return self._text(hint) if hint.strip() else ANY
        if isinstance(hint, typing.TypeVar):
            return self._of_variable(hint)
        if isinstance(hint, typing.NewType):
            parent = self(hint.__supertype__)
            return simple(f"{hint.__module__}.{hint.__name__}", parent if parent.kind == "simple" else None)
        origin = get_origin(hint)
        if origin is not None:
            return self._of_generic(origin, get_args(hint))
        if hasattr(hint, "__value__"):  # type X = ..., since Python 3.12
            return self(hint.__value__)
        return self._of_class(hint) if isinstance(hint, type) else ANY

    def _of_variable(self, hint: Any) -> Type:
        if hint.__constraints__:
            return union_of(*map(self, hint.__constraints__))
        return self(hint.__bound__) if hint.__bound__ is not None else ANY

    def _of_generic(self, origin: Any, arguments: tuple[Any, ...]) -> Type:
        if origin in (Union, types.UnionType):
            return union_of(*map(self, arguments))
        if origin is Literal:
            return hinted_literal(*arguments)
        if origin in (typing.Annotated, typing.Required, typing.NotRequired, typing.Final, typing.ClassVar):
            return self(arguments[0])
        if origin is tuple:
            return self._of_tuple(arguments)
        if origin in LISTS:
            return list_of(self(arguments[0]) if arguments else ANY)
        if origin in MAPPINGS:
            return hinted_mapping(*map(self, arguments)) if len(arguments) == 2 else _ANY_MAPPING
        if hasattr(origin, "__value__"):
            return self(origin.__value__)
        return self._of_class(origin) if isinstance(origin, type) else ANY

    def _of_tuple(self, arguments: tuple[Any, ...]) -> Type:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return list_of(self(arguments[0]))
        return tuple_of(*map(self, () if arguments == ((),) else arguments))

    def _of_class(self, cls: Any) -> Type:
        if cls in LISTS or cls is tuple:
            return list_of(ANY)
        if cls in MAPPINGS:
            return _ANY_MAPPING
        name = qualified_name(cls)
        if cls in self._open:  # it contains itself
            return simple(name, cls=cls)
        self._open.add(cls)
        try:
            return self._of_structure(cls, name) or simple(name, cls=cls)
        finally:
            self._open.discard(cls)

    def _of_structure(self, cls: Any, name: str) -> Type | None:
        as_class: type = cls
        if typing.is_typeddict(cls):
            return enumerated(self._members(cls), frozenset(cls.__required_keys__), name)
        if dataclasses.is_dataclass(cls):
            hints = self._members(cls)
            fields: Any = dataclasses.fields(cls)
            return enumerated({f.name: hints[f.name] for f in fields}, None, name, as_class)
        if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            hints = self._members(cls)
            return tuple_of(*(hints.get(field, ANY) for field in cls._fields), name=name, cls=cls, fields=cls._fields)
        return None

    def _members(self, cls: Any) -> dict[str, Type]:
        return {name: self(hint) for name, hint in hints_of(cls).items()}


_ANY_MAPPING = mapping_of(ANY, ANY)


def hints_of(annotated: Any) -> dict[str, Any]:
    """The annotations of a function or class; one that cannot be evaluated is left as its text."""
    try:
        return typing.get_type_hints(annotated, include_extras=True)
    except Exception:  # noqa: BLE001 - names that exist for type checkers only, or anything else in an annotation
        return _hints_one_by_one(annotated)


def _hints_one_by_one(annotated: Any) -> dict[str, Any]:
    import inspect

    found: dict[str, Any] = {}
    function: Callable[..., Any] = inspect.unwrap(annotated) if callable(annotated) else annotated
    module = sys.modules.get(getattr(annotated, "__module__", ""))
    namespace = getattr(function, "__globals__", None) or getattr(module, "__dict__", {})
    for name, hint in inspect.get_annotations(annotated).items():
        found[name] = hint
        if isinstance(hint, str):
            try:
                found[name] = eval(hint, dict(namespace))
            except Exception:  # noqa: BLE001 - the text has to do
                found[name] = hint
    return found

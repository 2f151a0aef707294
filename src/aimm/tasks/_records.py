"""What is known about a task and about an artifact handler: plain facts, made from the live function or class."""

import inspect
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from aimm.errors import DeclarationError
from aimm.plugins._registry import Record, Source
from aimm.tasks._types import ANY, Type, hints_of, type_of_hint

OutputsForm = Literal["none", "one", "list"]
KINDS = ("positional_only", "positional_or_keyword", "var_positional", "keyword_only", "var_keyword")
"""Kinds of parameters, in the order of ``inspect``."""
MISSING: Any = inspect.Parameter.empty
"""The default of a parameter that has none."""


class Parameter(NamedTuple):
    """One input of a task.

    Attributes:
        name: Name of the Python argument.
        type: Its declared type; of each single value for ``*args`` and ``**kwargs``.
        required: Whether it must be given.
        kind: One of :data:`KINDS`.
        default: Its default; :data:`MISSING` if it has none.
    """

    name: str
    type: Type
    required: bool = True
    kind: str = "positional_or_keyword"
    default: Any = MISSING


class Output(NamedTuple):
    """One output of a task.

    Attributes:
        name: How it is referred to.
        type: Its declared type.
    """

    name: str
    type: Type


class TaskRecord(NamedTuple):
    """One function task.

    Attributes:
        name: ``plugin.module.function``.
        function: What was registered.
        parameters: What it takes, in the order of the Python signature, without the state callback.
        outputs: What it gives.
        outputs_form: ``none``; ``one``, which takes the returned value whole; ``list``, which splits it.
        source: Plugin, distribution and version that it came from.
        file: Where it is written, if known.
        line: The line of its definition.
        description: The first paragraph of its docstring.
        doc: The rest of its docstring.
        sort_value: What :func:`aimm.tasks.names` sorts modules by.
    """

    name: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    outputs_form: OutputsForm
    source: Source
    file: str | None = None
    line: int | None = None
    description: str = ""
    doc: str = ""
    sort_value: int = 0


class HandlerRecord(NamedTuple):
    """One artifact handler.

    Attributes:
        name: ``plugin.module.Class``.
        class_name: Name of the class, as which a graph knows it.
        handler: The class.
        output: Type of what ``deserialize`` returns.
        contents: Type of what ``serialize`` takes.
        parameters: The further arguments of ``serialize``.
        schema: JSON Schema (2020-12) of these arguments, as an object.
        source: Plugin, distribution and version that it came from.
        file: Where it is written, if known.
        line: The line of its definition.
    """

    name: str
    class_name: str
    handler: Any
    output: Type
    contents: Type
    parameters: tuple[Parameter, ...]
    schema: dict[str, Any]
    source: Source
    file: str | None = None
    line: int | None = None


class Declared(NamedTuple):
    """What the decorator was told about a task."""

    sort_value: int = 0
    outputs: tuple[str, ...] | None = None
    as_list: bool = False


def task_record(record: Record) -> TaskRecord:
    """Look at a registered function."""
    declared: Declared = record.details or Declared()
    function = record.function
    text = _text_reader(function)
    description, _, rest = (inspect.getdoc(function) or "").partition("\n\n")
    hints = hints_of(vars(function).get("__init__", function) if isinstance(function, type) else function)
    outputs, form = outputs_of(_returned(function, hints, text), declared)
    file, line = place_of(function)
    return TaskRecord(
        record.name,
        function,
        tuple(p for p in parameters_of(function, hints, text) if p.name != record.state_cb_arg_name),
        outputs,
        form,
        record.source,
        file,
        line,
        " ".join(description.split()),
        rest.strip(),
        declared.sort_value,
    )


def handler_record(record: Record) -> HandlerRecord:
    """Look at a registered handler class.

    Raises:
        DeclarationError: Its ``validation()`` is no mapping of arguments to schemas.
    """
    handler: Any = record.function
    text = _text_reader(handler)
    hints = hints_of(handler.serialize)
    parameters = parameters_of(handler.serialize, hints, text)[3:]
    file, line = place_of(handler)
    return HandlerRecord(
        record.name,
        handler.__name__,
        handler,
        type_of_hint(hints_of(handler.deserialize).get("return", Any), text),
        type_of_hint(hints.get("contents", Any), text),
        parameters,
        arguments_schema(record.name, handler, parameters),
        record.source,
        file,
        line,
    )


def _text_reader(thing: Any) -> Callable[[str], Type]:
    """What reads annotations that cannot be evaluated: the source of their module says what their names mean."""
    import ast

    from aimm.tasks._annotations import Annotations

    def read(text: str) -> Type:
        try:
            with open(inspect.getsourcefile(inspect.unwrap(thing)) or "", "rb") as file:
                tree = ast.parse(file.read())
        except (TypeError, OSError, ValueError, SyntaxError):
            tree = ast.Module([], [])
        return Annotations(tree, thing.__module__)(ast.Constant(text))

    return read


def parameters_of(
    function: Callable[..., Any], hints: dict[str, Any], text: Callable[[str], Type]
) -> tuple[Parameter, ...]:
    """What a function takes, in the order of its signature."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C
        loose = inspect.Parameter
        found = [loose("args", loose.VAR_POSITIONAL), loose("kwargs", loose.VAR_KEYWORD)]  # type: ignore[assignment]
    return tuple(
        Parameter(
            p.name,
            type_of_hint(hints.get(p.name, Any), text),
            p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD),
            KINDS[p.kind],
            p.default,
        )
        for p in found
    )


def _returned(function: Callable[..., Any], hints: dict[str, Any], text: Callable[[str], Type]) -> Type | None:
    """The type of what a function returns; None if it returns nothing."""
    if isinstance(function, type):
        return type_of_hint(function)
    if "return" in hints and hints["return"] in (None, type(None)):
        return None
    return type_of_hint(hints.get("return", Any), text)


def outputs_of(returned: Type | None, declared: Declared) -> tuple[tuple[Output, ...], OutputsForm]:
    """The outputs of a task: names as declared or from the hint, types from the hint.

    Args:
        returned: Type of what is returned; None for nothing.
        declared: What the decorator says.
    """
    found = _parts(returned) if returned is not None else ()
    if declared.outputs is None:
        if returned is None:
            return (), "none"
        return (found, "list") if found else ((Output("output", returned),), "one")
    names = declared.outputs
    if not names:
        return (), "none"
    if not declared.as_list:
        return (Output(names[0], returned or ANY),), "one"
    if len(found) == len(names) > 1:
        return tuple(Output(name, part.type) for name, part in zip(names, found, strict=True)), "list"
    element = returned.items[0] if returned is not None and returned.kind in ("list", "tuple") else returned or ANY
    types = [element if returned is not None and (returned.kind == "list" or len(names) == 1) else ANY for _ in names]
    return tuple(Output(name, held) for name, held in zip(names, types, strict=True)), "list"


def _parts(returned: Type) -> tuple[Output, ...]:
    """Several outputs, if the hint promises several."""
    if returned.kind == "enumerated" and len(returned.required) > 1:
        return tuple(Output(name, held) for name, held in returned.properties if name in returned.required)
    if returned.kind == "tuple" and len(returned.items) > 1:
        fields = [name for name, _ in returned.properties] or [f"output_{i + 1}" for i in range(len(returned.items))]
        return tuple(Output(name, held) for name, held in zip(fields, returned.items, strict=True))
    return ()


def arguments_schema(name: str, handler: Any, parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    """The schema of the arguments of a handler: those of ``validation()``, and no others.

    Raises:
        DeclarationError: ``validation()`` is no mapping of arguments to schemas.
    """
    from jsonschema import Draft202012Validator, SchemaError

    properties = handler.validation()
    properties = {} if properties is None else properties
    if not isinstance(properties, dict) or not all(isinstance(key, str) for key in properties):
        raise DeclarationError(f"{name}.validation() must return a dict of arguments, or None, not {properties!r}")
    required = [p.name for p in parameters if p.required and p.name in properties]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = error.json_path.removeprefix("$.properties.")
        raise DeclarationError(f"{name}.validation() is no JSON Schema, at {place}: {error.message}") from None
    return schema


def place_of(thing: Any) -> tuple[str | None, int | None]:
    """File and line where a function or class is written."""
    try:
        if isinstance(thing, type):
            return inspect.getsourcefile(thing), inspect.getsourcelines(thing)[1]
        code = inspect.unwrap(thing).__code__
    except (TypeError, OSError, AttributeError, ValueError):
        return None, None
    return code.co_filename, code.co_firstlineno

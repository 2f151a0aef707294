"""What a graph declares of a task, against the Python function behind it."""

from collections.abc import Mapping

from aimm.errors import TypeDefinitionError
from aimm.tasks._records import Parameter, TaskRecord
from aimm.tasks._types import Type, accepts, parse_type
from aimm.tasks.graph._issues import Issues, Path, nearest
from aimm.tasks.graph._model import Declared, TaskEntry


def compare_signature(entry: TaskEntry, record: TaskRecord, types: Mapping[str, Type], issues: Issues) -> None:
    """Add an issue for each difference that would make calls fail, or bind values to other arguments than declared.

    Args:
        entry: The declared task.
        record: The installed one.
        types: The types of the graph.
        issues: Where problems go.
    """
    if entry.inputs is None:
        return
    path: Path = ("tasks", entry.name, "inputs")
    parameters = {p.name: p for p in record.parameters if not p.kind.startswith("var_")}
    kinds = {p.kind for p in record.parameters}
    for index, one in enumerate(entry.inputs):
        if one.name in parameters:
            _compare_input(one, parameters[one.name], (*path, index), types, record, issues)
        elif not kinds & {"var_positional", "var_keyword"}:
            hint = nearest(one.name, parameters)
            message = f"{record.name} has no argument {one.name!r}; it takes {_shown(parameters)}"
            issues.error("signature", message, (*path, index), hint)
    declared = [one.name for one in entry.inputs]
    for name, parameter in parameters.items():
        if parameter.required and name not in declared:
            issues.error("signature", f"{record.name} requires the argument {name!r}, which is not declared", path)
    _compare_order(declared, parameters, record, path, issues)


def _compare_input(
    one: Declared, parameter: Parameter, path: Path, types: Mapping[str, Type], record: TaskRecord, issues: Issues
) -> None:
    if parameter.required and not one.required:
        message = f"the input {one.name!r} is declared as not required, but {record.name} has no default for it"
        issues.error("signature", message, path)
    declared = _built_in(one.type, types)
    if declared and _is_plain(parameter.type) and not accepts(parameter.type, declared):
        message = f"the input {one.name!r} is declared as {declared}, but its type hint says {parameter.type}"
        issues.warning("signature", message, path)


def _compare_order(
    declared: list[str], parameters: Mapping[str, Parameter], record: TaskRecord, path: Path, issues: Issues
) -> None:
    positional = [name for name, p in parameters.items() if p.kind != "keyword_only"]
    ours = [name for name in declared if name in positional]
    if ours != [name for name in positional if name in ours]:
        message = f"the inputs stand in another order than the arguments of {record.name}, so that values given by "
        issues.error("signature", f"{message}position would go to others", path, f"the order is {_shown(parameters)}")


def _shown(parameters: Mapping[str, Parameter]) -> str:
    return ", ".join(parameters) or "nothing"


def _built_in(document: object, types: Mapping[str, Type]) -> Type | None:
    """A declared type that is made of built-in ones only; names of a graph mean nothing to Python."""
    try:
        found = parse_type(document, types)
    except TypeDefinitionError:
        return None
    return found if _is_plain(found) else None


def _is_plain(type_: Type) -> bool:
    return type_.is_built_in and not type_.is_open

"""Whether artifact outputs name handlers that exist, take the contents, and understand their arguments."""

from typing import Any

from aimm.errors import AimmError
from aimm.tasks._records import HandlerRecord
from aimm.tasks.graph._bind import FindHandler, Typed
from aimm.tasks.graph._issues import Issues, Path, path_text
from aimm.tasks.graph._model import ArtifactOutput, Model
from aimm.tasks.graph._references import fill, find_references
from aimm.tasks.graph._scope import Scope


def check_artifacts(
    model: Model, scope: Scope, issues: Issues, find_handler: FindHandler | None
) -> dict[str, HandlerRecord]:
    """Add an issue for each wrong artifact output.

    Args:
        model: The graph.
        scope: Its names.
        issues: Where problems go.
        find_handler: From a name to the handler; None to leave installed handlers alone.

    Returns:
        The handler of each artifact output that has one.
    """
    found = {}
    for output in model.artifact_outputs.values():
        path: Path = ("artifact_outputs", output.name)
        given = scope.type_of_argument(output.contents, (*path, "contents"))
        for place, reference in output.references:
            scope.type_of(reference, place)
        if output.handler is None or find_handler is None:
            continue
        try:
            handler = find_handler(output.handler)
        except AimmError as error:
            issues.error("not-importable", str(error), (*path, "task", "name"))
            continue
        found[output.name] = handler
        if not scope.fits(Typed(handler.contents, True), given):
            message = f"the handler {output.handler!r} writes {handler.contents}, but the contents are {given.type}"
            issues.error("contents-type", message, (*path, "contents"))
        _check_arguments(output, handler, issues)
    return found


def _check_arguments(output: ArtifactOutput, handler: HandlerRecord, issues: Issues) -> None:
    path: Path = ("artifact_outputs", output.name, "task")
    properties: dict[str, Any] = handler.schema.get("properties", {})
    for name in handler.schema.get("required", ()):
        if name not in output.args:
            message = f"the handler {output.handler!r} requires the argument {name!r}"
            issues.error("handler-arguments", message, path)
    for name, value in output.args.items():
        place = (*path, "args", name)
        if name not in properties:
            known = ", ".join(properties) or "none"
            message = f"the handler {output.handler!r} has no argument {name!r}; it has {known}"
            issues.error("handler-arguments", message, place, issues.nearest(name, properties))
        elif not any(find_references(value)):  # what a reference brings is checked when it is there
            _check_value(fill(value, str), properties[name], place, issues)


def _check_value(value: Any, schema: Any, path: Path, issues: Issues) -> None:
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(schema).iter_errors(value):
        place = path_text(tuple(error.absolute_path))
        issues.error("handler-arguments", f"{place and place + ': '}{error.message}", path)

"""Everything that is wrong with a graph, at once."""

from typing import NamedTuple

from aimm.plugins import PluginManager
from aimm.tasks._catalog import catalog_of
from aimm.tasks._records import HandlerRecord
from aimm.tasks._types import type_of_value
from aimm.tasks.graph._bind import Binder, BoundTask, Typed
from aimm.tasks.graph._check_artifacts import check_artifacts
from aimm.tasks.graph._check_steps import check_steps
from aimm.tasks.graph._document import read_model
from aimm.tasks.graph._fit import fits
from aimm.tasks.graph._issues import Issue, Issues
from aimm.tasks.graph._load import Source
from aimm.tasks.graph._model import MISSING, Model
from aimm.tasks.graph._order import edges_of, order_of, report_cycles
from aimm.tasks.graph._scope import Scope


class Checked(NamedTuple):
    """A graph with everything that is known of it.

    Attributes:
        source: The document.
        model: Its sections.
        issues: What is wrong with it.
        tasks: The task of each step; None where there is none.
        parameters: The type of each parameter.
        inputs: The outputs of each artifact input.
        handlers: The handler of each artifact output.
        edges: Each step with those that it waits for.
        order: The steps in the order in which they run; empty if there is none.
    """

    source: Source
    model: Model
    issues: list[Issue]
    tasks: dict[str, BoundTask | None]
    parameters: dict[str, Typed]
    inputs: dict[str, dict[str, Typed]]
    handlers: dict[str, HandlerRecord]
    edges: dict[str, tuple[str, ...]]
    order: list[str]


def check(source: Source, manager: PluginManager | None = None, installed: bool = True) -> Checked:
    """Find everything that is wrong with a document.

    Args:
        source: The document.
        manager: Whose plugins count; the default one if none is given.
        installed: Whether to look for the tasks and handlers that it names.
    """
    issues = Issues()
    issues.found += source.issues.found
    model = read_model(source.value if source.readable else {"graph": {"-": {"-": []}}}, issues)
    find_task = find_handler = None
    if installed and source.readable:
        catalog = catalog_of(manager)
        find_task, find_handler = catalog.task, catalog.handler
    binder = Binder(model, issues, find_task)
    scope = Scope(model, binder, issues)
    _check_names(model, issues)
    _check_defaults(model, scope, issues)
    _check_unions(model, issues)
    check_steps(model, scope, issues)
    handlers = check_artifacts(model, scope, issues, find_handler)
    edges = edges_of(model)
    order = [] if report_cycles(edges, issues) else order_of(edges)
    _check_unused(model, scope, issues)
    placed = [source.placed(issue) for issue in issues.found]
    placed.sort(key=lambda issue: (issue.line or 0, issue.column or 0))
    return Checked(
        source, model, list(dict.fromkeys(placed)), scope.tasks, scope.parameters, scope.inputs, handlers, edges, order
    )


def _check_names(model: Model, issues: Issues) -> None:
    kinds = (
        ("parameter", "parameters", model.parameters),
        ("artifact input", "artifact_inputs", model.artifact_inputs),
        ("step", "graph", model.steps),
    )
    seen: dict[str, str] = {}
    for what, section, names in kinds:
        for name in names:
            if name in seen:
                message = f"{name!r} is the name of a {what} and of {seen[name]}: ${name} could be either"
                issues.error("name-collision", message, (section, name))
            seen.setdefault(name, f"an {what}" if what[0] == "a" else f"a {what}")


def _check_defaults(model: Model, scope: Scope, issues: Issues) -> None:
    for name, parameter in model.parameters.items():
        if parameter.type is None or parameter.default is MISSING:
            continue
        given, wanted = Typed(type_of_value(parameter.default, literal=True)), scope.parameters[name]
        if not fits(wanted, given):
            message = f"the default is {type_of_value(parameter.default)}; the parameter {name!r} is {wanted.type}"
            issues.error("default-type", message, ("parameters", name, "default"))


def _check_unions(model: Model, issues: Issues) -> None:
    for name, document in model.types.items():
        members = document.get("union") if isinstance(document, dict) else None
        if isinstance(members, list):
            twice = [one for index, one in enumerate(members) if one in members[:index]]
            for member in twice:
                issues.warning("union", f"the union names {member!r} twice", ("types", name))


def _check_unused(model: Model, scope: Scope, issues: Issues) -> None:
    for section, what, names in (
        ("parameters", "parameter", model.parameters),
        ("artifact_inputs", "artifact input", model.artifact_inputs),
    ):
        for name in names:
            if name not in scope.used:
                issues.warning("unused", f"nothing uses the {what} {name!r}", (section, name))
    if not model.artifact_outputs:
        return  # what the last steps give is then the result
    waited_for = {name for step in model.steps.values() for name in step.dependencies}
    for name in model.steps:
        task = scope.tasks[name]
        if name not in scope.used and name not in waited_for and task is not None and task.outputs:
            issues.warning("unused", f"nothing uses what the step {name!r} gives", ("graph", name))

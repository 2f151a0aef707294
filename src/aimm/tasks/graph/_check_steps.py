"""Whether steps call their tasks rightly: arguments, their types, dependencies."""

from aimm.tasks.graph._bind import POSITIONAL, BoundTask, Typed
from aimm.tasks.graph._issues import Issues, Path
from aimm.tasks.graph._model import Model, Step
from aimm.tasks.graph._scope import Scope


def check_steps(model: Model, scope: Scope, issues: Issues) -> None:
    """Add an issue for each wrong argument, reference and dependency.

    Args:
        model: The graph.
        scope: Its names.
        issues: Where problems go.
    """
    for step in model.steps.values():
        for name in step.dependencies:
            if name not in model.steps:
                hint = issues.nearest(name, model.steps)
                message = f"the step depends on {name!r}, which is no step"
                issues.error("dependency", message, ("graph", step.name, "dependencies"), hint)
        task = scope.tasks[step.name]
        if task is None:
            for path, reference in step.references:
                scope.type_of(reference, path)
        else:
            _StepCheck(step, task, scope, issues).run()


class _StepCheck:
    def __init__(self, step: Step, task: BoundTask, scope: Scope, issues: Issues) -> None:
        self._step, self._task, self._scope, self._issues = step, task, scope, issues
        self._path: Path = ("graph", step.name)

    def run(self) -> None:
        step, task = self._step, self._task
        positional = [one for one in task.inputs if one.kind in POSITIONAL]
        for index, value in enumerate(step.args):
            path = step.arg_path(index)
            given = self._scope.type_of_argument(value, path)
            if index < len(positional):
                self._fit(positional[index].typed, given, f"argument {index + 1} ({positional[index].name!r})", path)
            elif task.rest is not None:
                self._fit(task.rest, given, f"argument {index + 1}", path)
        if len(step.args) > len(positional) and task.rest is None:
            count = "no arguments" if not positional else f"at most {len(positional)}"
            message = f"{len(step.args)} arguments are given by position; the task {task.name!r} takes {count}"
            more = ", ".join(one.name for one in task.inputs if one.kind not in POSITIONAL)
            self._issues.error("arguments", message, self._path, (more and f"by keyword only: {more}") or None)
        self._check_keywords({one.name for one in positional[: len(step.args)]})

    def _check_keywords(self, given: set[str]) -> None:
        step, task = self._step, self._task
        inputs = {one.name: one for one in task.inputs}
        for name, value in step.kwargs.items():
            path = (*step.kwargs_path, name)
            type_ = self._scope.type_of_argument(value, path)
            found = inputs.get(name)
            if found is not None and found.kind != "positional_only":
                self._fit(found.typed, type_, f"argument {name!r}", path)
            elif task.named_rest is not None:
                self._fit(task.named_rest, type_, f"argument {name!r}", path)
            elif found is not None:
                message = f"the task {task.name!r} takes {name!r} by position only"
                self._issues.error("arguments", message, path)
            else:
                known = ", ".join(inputs) or "nothing"
                message = f"the task {task.name!r} has no input {name!r}; it takes {known}"
                self._issues.error("arguments", message, path, self._issues.nearest(name, inputs))
            if name in given and not (found and found.kind == "positional_only" and task.named_rest):
                self._issues.error("arguments", f"the input {name!r} is given by position and by name", path)
        for one in task.inputs:
            if one.required and one.name not in given and one.name not in step.kwargs:
                message = f"the input {one.name!r} of the task {task.name!r} is required and not given"
                self._issues.error("arguments", message, self._path)

    def _fit(self, wanted: Typed, given: Typed, what: str, path: Path) -> None:
        if not self._scope.fits(wanted, given):
            message = f"{what} of the task {self._task.name!r} is to be {wanted.type}, not {given.type}"
            self._issues.error("argument-type", message, path)

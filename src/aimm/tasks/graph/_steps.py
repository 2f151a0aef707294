"""The three forms of a step: positional, keyword, mixed."""

from typing import Any

from aimm.tasks.graph._issues import Issues, Path, kind_of, nearest
from aimm.tasks.graph._model import Step
from aimm.tasks.graph._references import find_references

_MIXED = ("task", "args", "kwargs", "dependencies")


def read_step(name: str, value: Any, issues: Issues) -> Step | None:
    """Read a step.

    Args:
        name: Its name.
        value: What the document says of it.
        issues: Where problems go.

    Returns:
        The step, without what could not be read; None if nothing could.
    """
    path: Path = ("graph", name)
    if not isinstance(value, dict):
        hint = f"write '{value}: []'" if isinstance(value, str) else None
        message = f"the step is {kind_of(value)}; expected a mapping of a task to its arguments"
        issues.error("shape", message, path, hint)
        return None
    dependencies = _dependencies(value["dependencies"], path, issues) if "dependencies" in value else ()
    if "task" in value:
        return _mixed(name, value, dependencies, path, issues)
    tasks = [key for key in value if key != "dependencies"]
    if len(tasks) != 1 or not isinstance(tasks[0], str):
        _explain_form(tasks, path, issues)
        return None
    task = tasks[0]
    given, path = value[task], (*path, task)
    if isinstance(given, dict):
        return _step(name, task, [], _keywords(given, path, issues), dependencies, path, path)
    if isinstance(given, list):
        return _step(name, task, given, {}, dependencies, path, path)
    return _step(name, task, [] if given is None else [given], {}, dependencies, path, path, is_list=False)


def _step(
    name: str,
    task: str | None,
    args: list[Any],
    kwargs: dict[str, Any],
    dependencies: tuple[str, ...],
    args_path: Path,
    kwargs_path: Path,
    is_list: bool = True,
) -> Step:
    references: list[Any] = []
    for index, one in enumerate(args):
        references += find_references(one, (*args_path, index) if is_list else args_path)
    for key, one in kwargs.items():
        references += find_references(one, (*kwargs_path, key))
    return Step(name, task, args, kwargs, dependencies, args_path, kwargs_path, tuple(references), is_list)


def _mixed(name: str, value: dict[Any, Any], dependencies: tuple[str, ...], path: Path, issues: Issues) -> Step:
    for key in value:
        if key not in _MIXED:
            hint = nearest(key, _MIXED) or "arguments by name go below 'kwargs'"
            message = f"unknown key {key!r} beside 'task'; the keys are {', '.join(_MIXED)}"
            issues.error("unknown-key", message, (*path, key), hint)
    task, args, kwargs = value["task"], value.get("args"), value.get("kwargs")
    if not isinstance(task, str) or not task.strip():
        issues.error("step-form", f"'task' is {kind_of(task)}; expected the name of a task", (*path, "task"))
        task = None
    if isinstance(args, dict):
        hint = "a mapping as the one argument is written as a list item: '- {...}'"
        issues.error("shape", "'args' is a mapping; expected a list", (*path, "args"), hint)
        args = None
    if kwargs is not None and not isinstance(kwargs, dict):
        issues.error("shape", f"'kwargs' is {kind_of(kwargs)}; expected a mapping", (*path, "kwargs"))
        kwargs = None
    is_list = isinstance(args, list) or args is None
    positional = args if isinstance(args, list) else [] if args is None else [args]
    keywords = _keywords(kwargs or {}, (*path, "kwargs"), issues)
    return _step(name, task, positional, keywords, dependencies, (*path, "args"), (*path, "kwargs"), is_list)


def _keywords(given: dict[Any, Any], path: Path, issues: Issues) -> dict[str, Any]:
    for key in given:
        if not isinstance(key, str):
            issues.error("name", f"the argument name {key!r} is {kind_of(key)}, not text", (*path, key))
    return {key: one for key, one in given.items() if isinstance(key, str)}


def _dependencies(value: Any, path: Path, issues: Issues) -> tuple[str, ...]:
    path = (*path, "dependencies")
    given = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in given):
        issues.error("shape", "'dependencies' is to be the name of a step, or a list of names", path)
    return tuple(one for one in given if isinstance(one, str))


def _explain_form(tasks: list[Any], path: Path, issues: Issues) -> None:
    if not tasks:
        issues.error("step-form", "the step names no task", path, "write 'task_name: [arguments]'")
    elif len(tasks) == 1:
        issues.error("name", f"the task name {tasks[0]!r} is {kind_of(tasks[0])}, not text", path)
    else:
        shown = ", ".join(repr(key) for key in tasks)
        hint = nearest(tasks[-1], ["dependencies"])
        hint = hint or "only 'dependencies' may stand beside the task; or write 'task:', 'args:' and 'kwargs:'"
        issues.error("step-form", f"the step has several keys that could be its task: {shown}", path, hint)

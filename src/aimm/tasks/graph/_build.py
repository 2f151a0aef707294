"""Building a graph in Python: a step is made by calling a task, and what a step gives goes into the next one."""

from collections.abc import Callable, Mapping
from typing import Any

from aimm.errors import GraphError
from aimm.tasks.graph._model import MISSING
from aimm.tasks.graph._references import Reference, escape


class Ref:
    """A value that will be there when the graph runs; ``ref["output"]`` is one of several outputs."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def __getitem__(self, output: str) -> "Ref":
        """One output of a step or artifact input, by name."""
        if self._reference.output is not None or not isinstance(output, str):
            raise GraphError(f"{self._reference} has no parts: give one name of an output, ref['name']")
        return Ref(Reference(self._reference.name, output))

    def __repr__(self) -> str:
        return f"<{self._reference}>"

    def __iter__(self) -> Any:
        """Refuse to be unpacked: how many outputs there are is not known here."""
        raise GraphError(f"{self._reference} cannot be taken apart: name its outputs, ref['name']")


class Task:
    """A task of a graph; calling it adds a step.

    Args:
        builder: The graph.
        name: The name that steps call it by.
    """

    def __init__(self, builder: "Builder", name: str) -> None:
        self._builder, self._name = builder, name

    def __call__(self, /, *args: Any, **kwargs: Any) -> Ref:
        """Add a step that is named after the task: ``train``, then ``train_2``."""
        return self._builder.step(self._builder.free_name(self._name), self, *args, **kwargs)

    def __str__(self) -> str:
        return self._name


class Builder:
    """Adds to the document of a graph."""

    def __init__(self) -> None:
        self._document: dict[str, Any] = {}
        self._changed = False
        self._numbers: dict[str, int] = {}  # where to look on: names are never given back

    def _add(self, section: str, name: str, value: Any) -> None:
        entries = self._document.setdefault(section, {})
        if name in entries:
            raise GraphError(f"{section} has {name!r} already")
        entries[name] = value
        self._changed = True

    def free_name(self, stem: str) -> str:
        """A name that no parameter, step or artifact input has: ``train``, ``train_2``, ..."""
        stem = stem.rpartition(".")[2]
        taken = [self._document.get(section, {}) for section in ("parameters", "graph", "artifact_inputs")]
        name, number = stem, self._numbers.get(stem, 1)
        while any(name in names for names in taken):
            number += 1
            name = f"{stem}_{number}"
        self._numbers[stem] = max(number - 1, 1)
        return name

    def type(self, name: str, definition: Any = None) -> str:
        """Define a type.

        Args:
            name: Its name.
            definition: As in the section ``types`` of a file; None for a type without parts.

        Returns:
            The name.

        Raises:
            GraphError: There is a type of this name.
        """
        self._add("types", name, definition)
        return name

    def parameter(self, name: str, type: str | None = None, default: Any = MISSING) -> Ref:
        """Add a parameter.

        Args:
            name: Its name.
            type: Its type; that of the default if not given.
            default: Its value unless a run gives another.

        Raises:
            GraphError: There is a parameter of this name, or neither type nor default is given.
        """
        if type is None and default is MISSING:
            raise GraphError(f"the parameter {name!r} needs a type or a default")
        value = default
        if type is not None or isinstance(default, Mapping):
            given = {} if default is MISSING else {"default": default}
            value = given if type is None else {"type": type, **given}
        self._add("parameters", name, value)
        return Ref(Reference(name))

    def artifact_input(self, name: str, outputs: str | Mapping[str, Any] | list[Mapping[str, Any]] = "any") -> Ref:
        """Add an artifact that a run reads.

        Args:
            name: Its name.
            outputs: Its type; or the name of its output with its type; or a list of such for several outputs.

        Raises:
            GraphError: There is an artifact input of this name.
        """
        self._add("artifact_inputs", name, {name: outputs} if isinstance(outputs, str) else outputs)
        return Ref(Reference(name))

    def task(
        self, task: str | Callable[..., Any], *, name: str | None = None, inputs: Any = None, outputs: Any = None
    ) -> Task:
        """Make a task known to the graph.

        Args:
            task: The function, or its full name ``plugin.module.function``.
            name: What the graph calls it; the name of the function if not given.
            inputs: Declared inputs as in a file; those of the function if not given.
            outputs: Declared outputs as in a file; those of the function if not given.

        Returns:
            A callable that adds steps.

        Raises:
            GraphError: There is another task of this name, or it is neither a name nor a function.
        """
        full = task if isinstance(task, str) else _full_name(task)
        name = name or full.rpartition(".")[2]
        entry = {"plugin": full, "inputs": inputs, "outputs": outputs}
        entry = {key: value for key, value in entry.items() if value is not None}
        if self._document.get("tasks", {}).get(name) != entry:
            self._add("tasks", name, entry)
        return Task(self, name)

    def step(self, name: str, task: Task | str | Callable[..., Any], /, *args: Any, **kwargs: Any) -> Ref:
        """Add a step.

        Args:
            name: Its name.
            task: What :meth:`task` gave, or what it takes.
            *args: Positional arguments; what other steps give, or plain data, in which ``$`` means nothing.
            **kwargs: Keyword arguments.

        Returns:
            What the step gives.

        Raises:
            GraphError: There is a step of this name.
        """
        task = task if isinstance(task, Task) else self.task(task)
        positional, keywords = [_written(one) for one in args], {key: _written(one) for key, one in kwargs.items()}
        called = str(task)
        # In the short form, "task" and "dependencies" are no names of tasks.
        if (keywords and positional) or called in ("task", "dependencies"):
            self._add("graph", name, {"task": called, "args": positional, "kwargs": keywords})
        else:
            self._add("graph", name, {called: keywords or positional})
        return Ref(Reference(name))

    def after(self, step: Ref, *others: Ref) -> Ref:
        """Have a step wait for others whose values it does not use; gives the step."""
        entry = self._document["graph"][_name(step)]
        entry["dependencies"] = [*entry.get("dependencies", []), *map(_name, others)]
        self._changed = True
        return step

    def artifact(self, name: str, contents: Ref | str, handler: str | Callable[..., Any], /, **args: Any) -> None:
        """Have a run write an artifact.

        Args:
            name: Its name.
            contents: What it holds.
            handler: The class of the handler, or its name.
            **args: Further arguments of the handler.

        Raises:
            GraphError: There is an artifact output of this name.
        """
        named = handler if isinstance(handler, str) else handler.__name__
        task: dict[str, Any] = {"name": named}
        if args:
            task["args"] = {key: _written(one) for key, one in args.items()}
        self._add("artifact_outputs", name, {"contents": _written(contents), "task": task})


def _written(value: Any) -> Any:
    if isinstance(value, Ref):
        return str(value._reference)
    if isinstance(value, Mapping):
        return {key: _written(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_written(one) for one in value]
    return escape(value)


def _name(step: Ref) -> str:
    return step._reference.name


def _full_name(task: Any) -> str:
    module, name = getattr(task, "__module__", None), getattr(task, "__name__", None)
    if not callable(task) or not module or not name:
        raise GraphError(f"a task is a registered function or its full name, not {type(task).__name__}")
    return f"{module}.{name}"

"""The names of a graph: what a reference leads to, and of which type it is."""

from itertools import islice
from typing import Any

from aimm.tasks._types import ANY, tuple_of, type_of_entries, type_of_value
from aimm.tasks.graph._bind import Binder, BoundTask, Typed
from aimm.tasks.graph._fit import Fits
from aimm.tasks.graph._issues import Issues, Path
from aimm.tasks.graph._model import MISSING, Model
from aimm.tasks.graph._references import Reference, parse_reference, unescape

UNKNOWN = Typed(ANY, from_code=True)
"""A type that cannot be told, because an issue stands in the way: it fits everything."""


class Scope:
    """Parameters, steps and artifact inputs by name.

    Args:
        model: The graph.
        binder: Gives its types and tasks.
        issues: Where problems go.

    Attributes:
        tasks: The task of each step; None where there is none.
        inputs: Outputs of each artifact input.
        parameters: Type of each parameter.
        used: Names that a reference led to.
        fits: Whether a value of one type may go where another is wanted.
    """

    def __init__(self, model: Model, binder: Binder, issues: Issues) -> None:
        self._model, self._issues = model, issues
        self.used: set[str] = set()
        self.fits = Fits()
        self.tasks: dict[str, BoundTask | None] = {
            name: binder.task(step.task, ("graph", name)) if step.task else None for name, step in model.steps.items()
        }
        self.inputs = {
            name: binder.declared(outputs.values, ("artifact_inputs", name))
            for name, outputs in model.artifact_inputs.items()
        }
        self.parameters = {name: self._parameter(name, binder) for name in model.parameters}
        self._known: dict[Reference, Typed] = {}
        self._names = [*self.parameters, *self.tasks, *self.inputs]

    def _parameter(self, name: str, binder: Binder) -> Typed:
        parameter = self._model.parameters[name]
        if parameter.type is not None:
            return Typed(binder.type(parameter.type, ("parameters", name)))
        return UNKNOWN if parameter.default is MISSING else Typed(type_of_value(parameter.default))

    def type_of(self, reference: Reference, path: Path) -> Typed:
        """The type of what a reference leads to; an issue if it leads nowhere."""
        found = self._known.get(reference)
        if found is None:
            self.used.add(reference.name)
            before = len(self._issues.found)
            found = self._look_up(reference, path)
            if len(self._issues.found) == before:  # what is wrong is told at every place
                self._known[reference] = found
        return found

    def _look_up(self, reference: Reference, path: Path) -> Typed:
        name = reference.name
        if name in self.parameters:
            if reference.output is None:
                return self.parameters[name]
            message = f"{reference}: {name!r} is a parameter, which has no outputs"
            self._issues.error("reference", message, path, f"write ${name}")
            return UNKNOWN
        if name in self.tasks:
            task = self.tasks[name]
            return UNKNOWN if task is None else self._output(reference, "step", task.outputs, path)
        if name in self._model.steps:
            return UNKNOWN
        if name in self.inputs:
            return self._output(reference, "artifact input", self.inputs[name], path)
        hint = self._issues.nearest(name, self._names) or "text that begins with '$' is written with '$$'"
        message = f"{reference} leads nowhere: no parameter, step or artifact input is called {name!r}"
        self._issues.error("reference", message, path, hint)
        return UNKNOWN

    def _output(self, reference: Reference, what: str, outputs: dict[str, Typed], path: Path) -> Typed:
        name = reference.name
        if reference.output is not None:
            if reference.output in outputs:
                return outputs[reference.output]
            message = f"{reference}: the {what} {name!r} has no output {reference.output!r}; it has {_listed(outputs)}"
            self._issues.error("reference", message, path, self._issues.nearest(reference.output, outputs))
        elif len(outputs) == 1:
            return next(iter(outputs.values()))
        elif not outputs:
            self._issues.error("reference", f"{reference}: the {what} {name!r} has no output", path)
        else:
            message = f"{reference}: the {what} {name!r} has several outputs: {_listed(outputs)}"
            self._issues.error("reference", message, path, f"write ${name}.{next(iter(outputs))}")
        return UNKNOWN

    def type_of_argument(self, value: Any, path: Path) -> Typed:
        """The type of what stands in the document: of the value, and of what its references lead to."""
        if isinstance(value, str):
            reference = parse_reference(value) if value[:1] == "$" else None
            if reference is not None:
                return self.type_of(reference, path)
            return Typed(type_of_value(unescape(value), literal=True))
        if isinstance(value, list):
            parts = [self.type_of_argument(one, (*path, index)) for index, one in enumerate(value)]
            return Typed(tuple_of(*(part.type for part in parts)), any(part.from_code for part in parts))
        if isinstance(value, dict):
            entries = {key: self.type_of_argument(one, (*path, key)) for key, one in value.items()}
            found = type_of_entries({key: one.type for key, one in entries.items()})
            return Typed(found, not found.is_any and any(one.from_code for one in entries.values()))
        return Typed(type_of_value(value, literal=True))


def _listed(outputs: dict[str, Typed]) -> str:
    return ", ".join([*map(repr, islice(outputs, 20)), *(["..."] if len(outputs) > 20 else [])]) or "none"

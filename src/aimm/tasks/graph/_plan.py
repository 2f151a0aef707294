"""From a checked graph to what a run does, step by step."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from aimm.tasks._records import TaskRecord
from aimm.tasks._types import BOOLEAN, INTEGER, NULL, NUMBER, STRING, Type, check_value
from aimm.tasks.graph._bind import POSITIONAL, BoundTask
from aimm.tasks.graph._model import Step
from aimm.tasks.graph._order import needs_of
from aimm.tasks.graph._references import Reference, fill, parse_reference, unescape
from aimm.tasks.graph._validate import Checked

Values = dict[Reference, Any]
"""What references lead to, as far as a run has come."""


_EXACT: dict[Type, tuple[type, ...]] = {
    **{STRING: (str,), INTEGER: (int,), NUMBER: (float, int), BOOLEAN: (bool,), NULL: (type(None),)}
}


class TypeCheck:
    """The question whether a value is of a type.

    Attributes:
        exact: Classes whose very instances are; who has many values looks here first, which saves the call.
    """

    __slots__ = ("_type", "exact")

    def __init__(self, wanted: Type) -> None:
        own: tuple[type, ...] = (wanted.cls,) if wanted.kind == "simple" and wanted.cls is not None else ()
        self._type, self.exact = wanted, frozenset(_EXACT.get(wanted, own))

    def __call__(self, value: Any) -> str | None:
        """What is wrong with a value; None if nothing is."""
        return None if type(value) in self.exact else check_value(self._type, value)


class Call(NamedTuple):
    """One step, ready to be called.

    Attributes:
        step: Its name.
        record: Its task.
        args: For each positional argument how to get its value.
        kwargs: The same for keyword arguments.
        wanted: The positions and names of arguments to be checked.
        outputs: The outputs with what they are stored under.
        form: How they are split off what is returned.
        given: The outputs to be checked.
        needs: Steps whose outputs it takes.
    """

    step: str
    record: TaskRecord
    args: tuple[Callable[[Values], Any], ...]
    kwargs: tuple[tuple[str, Callable[[Values], Any]], ...]
    wanted: tuple[tuple[int | str, TypeCheck], ...]
    outputs: tuple[tuple[str, tuple[Reference, ...]], ...]
    form: Any
    given: dict[str, TypeCheck]
    needs: tuple[str, ...]


def calls_of(checked: Checked) -> list[Call]:
    """The steps of a sound graph in the order in which they run."""
    return [_call(checked, checked.model.steps[name]) for name in checked.order]


def _call(checked: Checked, step: Step) -> Call:
    task = checked.tasks[step.name]
    assert task is not None  # the graph is sound
    assert task.record is not None
    return Call(
        step.name,
        task.record,
        tuple(getter(value) for value in step.args),
        tuple((name, getter(value)) for name, value in step.kwargs.items()),
        tuple(_wanted(step, task)),
        outputs_of(step.name, task.outputs),
        task.form,
        {name: TypeCheck(typed.type) for name, typed in task.outputs.items() if not typed.type.is_any},
        needs_of(checked.model, step),
    )


def outputs_of(name: str, outputs: Mapping[str, Any]) -> tuple[tuple[str, tuple[Reference, ...]], ...]:
    """Outputs of a step or artifact input, each with the references that lead to it."""
    short = (Reference(name),) if len(outputs) == 1 else ()
    return tuple((output, (Reference(name, output), *short)) for output in outputs)


def getter(value: Any) -> Callable[[Values], Any]:
    """How to get the value of what stands in a document; lists and mappings are made anew each time."""
    if isinstance(value, str):
        reference = parse_reference(value)
        if reference is None:
            text = unescape(value)
            return lambda values: text
        return lambda values: values[reference]
    if isinstance(value, (dict, list)):
        return lambda values: fill(value, values.__getitem__)
    return lambda values: value


def _wanted(step: Step, task: BoundTask) -> list[tuple[int | str, TypeCheck]]:
    positional = [one.typed.type for one in task.inputs if one.kind in POSITIONAL]
    by_name = {one.name: one.typed.type for one in task.inputs}
    rest, named_rest = task.rest and task.rest.type, task.named_rest and task.named_rest.type
    types: list[tuple[int | str, Type | None]] = [
        (index, positional[index] if index < len(positional) else rest) for index in range(len(step.args))
    ]
    types += [(name, by_name.get(name, named_rest)) for name in step.kwargs]
    return [(where, TypeCheck(type_)) for where, type_ in types if type_ is not None and not type_.is_any]

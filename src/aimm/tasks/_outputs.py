"""From what a task returned to its outputs by name."""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from aimm.errors import TaskOutputError, TaskOutputWarning
from aimm.tasks._records import Output, OutputsForm, TaskRecord


def split_outputs(
    declared: TaskRecord | Sequence[Output | str], value: Any, form: OutputsForm | None = None, task: str = ""
) -> dict[str, Any]:
    """Give each output its value.

    One output takes the value whole, unless it is declared in the form of a list. Otherwise a tuple or list is split
    in order, and values beyond the outputs are dropped; a mapping, dataclass or the like is split by name if it has
    every name. Nothing else is ever taken apart: no string, no generator, no array.

    Args:
        declared: A task, or its outputs.
        value: What it returned.
        form: How the outputs are declared; that of the task, or else a list.
        task: Name of the task, for messages.

    Returns:
        Name to value; a name whose value is missing is left out, with a warning.

    Raises:
        TaskOutputError: Several outputs are declared, and the value has no parts.
    """
    if isinstance(declared, TaskRecord):
        form, task, declared = form or declared.outputs_form, task or declared.name, declared.outputs
    names = [output if isinstance(output, str) else output.name for output in declared]
    if not names or form == "none":
        return {}
    if form == "one":
        return {names[0]: value}
    if isinstance(value, (tuple, list)):
        if len(value) < len(names):
            message = f"{task or 'a task'} returned {len(value)} values for {len(names)} outputs; without a value: "
            warnings.warn(message + ", ".join(names[len(value) :]), TaskOutputWarning, stacklevel=2)
        return dict(zip(names, value))  # noqa: B905 - what is beyond the outputs is dropped
    if len(names) == 1:
        return {names[0]: value}
    parts = _named_parts(value)
    if parts is not None and all(name in parts for name in names):
        return {name: parts[name] for name in names}
    lacking = f" without {', '.join(repr(n) for n in names if n not in parts)}" if parts is not None else ""
    raise TaskOutputError(
        task, names, f"it returned {type(value).__name__}{lacking}, which is not split; return a tuple or a list"
    )


def _named_parts(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None

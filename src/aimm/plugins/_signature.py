"""Which arguments a plugin function takes from its caller."""

from inspect import Parameter, signature

from aimm._types import MODEL_ACTIONS
from aimm.plugins._registry import Record


def parameter_names(record: Record) -> list[str] | None:
    """The names of the arguments that a function takes from the caller, in positional order.

    Args:
        record: A decorated function or a method of a model class.

    Returns:
        Names without the instance and the state callback; None if they cannot be known: the function has no signature,
        or takes whatever it is given.
    """
    try:
        parameters = list(signature(record.function).parameters.values())
    except (TypeError, ValueError):
        return None
    if record.kind in MODEL_ACTIONS[1:] and record.instance_arg_name is None:
        parameters = parameters[1:] if _leads(parameters) else parameters
    own = (record.state_cb_arg_name, record.instance_arg_name)
    variadic = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    names = [p.name for p in parameters if p.kind not in variadic and p.name not in own]
    return None if not names and any(p.kind in variadic for p in parameters) else names


def _leads(parameters: list[Parameter]) -> bool:
    # A leading *args takes the instance and goes on taking.
    return bool(parameters) and parameters[0].kind is not Parameter.VAR_POSITIONAL

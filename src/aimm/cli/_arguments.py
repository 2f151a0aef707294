"""From the command line, and from data, to the arguments of a plugin call.

The rule for data: what a data access returns is handed over

* by name, if it is a mapping: an action gets those of its entries that its parameters name. Where its parameters cannot
  be known, ``fit`` gets every entry and ``predict`` gets ``X`` only;
* by position, if it is a tuple: ``fit`` gets as many of its items as it takes, all where that cannot be known, and
  ``predict`` gets the first: what follows in ``(X, y)`` must not end up in an option of ``predict``;
* as the one argument, if it is anything else.

So one data access serves ``fit`` and ``predict``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

_NOT_JSON = {"True": "true", "False": "false", "None": "null"}
Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def parse_pairs(pairs: Sequence[str], option: str) -> dict[str, Any]:
    """Read ``key=value`` options; a value is JSON, or text if it is not.

    Raises:
        click.UsageError: An option has no key or no ``=``, stands twice, or has Python's word for a value of JSON.
    """
    form = "key=value, the key an argument name, the value JSON"
    found = split_pairs(pairs, option, form, str.isidentifier)
    for key, text in found.items():
        if text in _NOT_JSON:  # as text, "False" would count as true
            pair, right = f"{key}={text}", f"{key}={_NOT_JSON[text]}"
            raise click.UsageError(
                f"{option} {pair!r}: write {right}, for values are JSON; the text is {key}='\"{text}\"'"
            )
    return {key: json_or_text(text) for key, text in found.items()}


def split_pairs(pairs: Sequence[str], option: str, form: str, is_name: Callable[[str], bool] = bool) -> dict[str, str]:
    """Split ``name=text`` options.

    Args:
        pairs: The options.
        option: What they are called.
        form: How they are to be written.
        is_name: Whether something may stand before the ``=``.

    Raises:
        click.UsageError: An option is not of this form, or stands twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not is_name(name):
            raise click.UsageError(f"{option} {pair!r}: expected {form}")
        if name in found:
            raise click.UsageError(f"{option} {name!r} is given twice")
        found[name] = text
    return found


def json_or_text(text: str) -> Any:
    """The value that a text stands for if it is JSON, else the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def data_arguments(
    name: str, taken: list[str] | None, params: dict[str, Any], split: str | None, seed: int | None
) -> dict[str, Any]:
    """The keyword arguments for a data access: ``--data-param``, and ``--split`` and ``--seed`` if it takes them.

    Args:
        name: The data access.
        taken: The arguments that it takes; None if they cannot be known.
        params: The ``--data-param`` values.
        split: The ``--split`` value.
        seed: The ``--seed`` value.

    Raises:
        click.UsageError: ``--split`` or ``--seed`` is given and it does not take it, or takes it from ``--data-param``.
    """
    for option, value in (("split", split), ("seed", seed)):
        if value is None:
            continue
        if taken is not None and option not in taken:
            accepted = ", ".join(taken) or "nothing"
            raise click.UsageError(
                f"data access {name!r} takes no {option!r} (it takes {accepted}): leave --{option} out"
            )
        if option in params:
            raise click.UsageError(f"{option!r} is given by --{option} and by --data-param")
        params = {**params, option: value}
    return params


def action_arguments(data: Any, action: str, taken: list[str] | None, params: Mapping[str, Any]) -> Arguments:
    """What an action gets of the data, by the rule above, and of its own options.

    Args:
        data: What the data access returned.
        action: ``fit`` or ``predict``.
        taken: The arguments that it takes; None if they cannot be known.
        params: The action's own ``--fit-param`` or ``--predict-param`` values, which go by keyword.

    Raises:
        click.UsageError: Data and action have no argument in common, or an option names what the data gives.
    """
    free = None if taken is None else [name for name in taken if name not in params]
    if isinstance(data, Mapping):
        chosen = _by_name(data, action, free)
        twice = sorted(chosen.keys() & params.keys())
        if twice:
            raise click.UsageError(f"{', '.join(twice)}: given by the data and by --{action}-param")
        return (), {**chosen, **params}
    if isinstance(data, tuple):
        most = len(data) if action == "fit" else 1
        return data[: most if free is None else min(most, len(free))], dict(params)
    return (data,), dict(params)


def _by_name(data: Mapping[str, Any], action: str, free: list[str] | None) -> dict[str, Any]:
    guess = list(data) if action == "fit" else ["X"]
    wanted = guess if free is None else free
    chosen = {name: data[name] for name in wanted if name in data}
    if not chosen and data:
        has, takes = ", ".join(map(str, data)), ", ".join(wanted) or "no argument"
        raise click.UsageError(f"the data has {has}, but {action} takes {takes}: none of it can be handed over by name")
    return chosen

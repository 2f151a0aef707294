"""Options and decorators for the commands of training plugins."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

import click

from aimm.errors import MissingInputError
from aimm.train._folds import run_folds
from aimm.train.interfaces import TrainInput

__all__ = ["kfold_opt", "pass_train"]

F = TypeVar("F", bound=Callable[..., Any])

INPUT = "aimm.train.input"
"""Where ``aimm train`` leaves, in the context's ``meta``, what builds the input of a command that asks for one."""
KFOLD = "aimm.train.kfold"
"""Where the number of folds stands in the context's ``meta``."""


def pass_train(function: F) -> F:
    """Pass a :class:`~aimm.train.interfaces.TrainInput` as the first argument, as click's pass decorators do.

    It is the one that the context has, or one made for this: by ``aimm train`` from its configuration, elsewhere by
    ``TrainInput()``. With ``--kfold K`` on a group above, a command runs K times, each time with its fold in ``fold``,
    and the results are joined.
    """

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        ctx = click.get_current_context()
        train = ctx.find_object(TrainInput)
        try:
            if train is None:
                train = ctx.obj = ctx.meta.get(INPUT, TrainInput)()
            count = ctx.meta.get(KFOLD)
            # A group that wants the input too gets it once: its commands are what is repeated.
            if count is None or train.fold is not None or isinstance(ctx.command, click.Group):
                return ctx.invoke(function, train, *args, **kwargs)
            return _repeat(ctx, function, train, count, args, kwargs)
        except MissingInputError as error:
            raise click.UsageError(str(error), ctx) from error

    return update_wrapper(wrapper, function)  # type: ignore[return-value]


def _repeat(
    ctx: click.Context, function: Callable[..., Any], train: TrainInput, count: int, args: Any, kwargs: Any
) -> Any:
    before = ctx.obj

    def call(part: TrainInput) -> Any:
        ctx.obj = part  # commands that this one invokes belong to the same fold
        if part._work is not None:
            part._work.mkdir(parents=True, exist_ok=True)
        return ctx.invoke(function, part, *args, **kwargs)

    try:
        return run_folds(call, train, count)
    finally:
        ctx.obj = before


def _keep_count(ctx: click.Context, _: click.Parameter, value: int | None) -> int | None:
    if value is not None:
        ctx.meta[KFOLD] = value
    return value


def kfold_opt(group: F) -> F:
    """Give a group the option ``-k``, ``--kfold K``: each of its training commands runs once for each of K folds.

    The group gets the number, or None, as ``kfold``.
    """
    option = click.option(
        "-k",
        "--kfold",
        type=click.IntRange(min=2),
        metavar="K",
        callback=_keep_count,
        help="Cross-validate: run the command K times, each time without another part of the data.",
    )
    return option(group)

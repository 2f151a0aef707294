"""``aimm fit`` and ``aimm predict``: the main job from the command line."""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from aimm import plugins, store
from aimm.cli._arguments import action_arguments, data_arguments, parse_pairs
from aimm.cli._executors import executor_options, running
from aimm.cli._names import names_in
from aimm.cli._progress import progress
from aimm.cli._references import complete_models, open_reference, versions_told
from aimm.cli._results import truth_in, write_predictions
from aimm.cli._session import Session

F = TypeVar("F", bound=Callable[..., Any])


def _data_options(command: F) -> F:
    for option in (
        click.option("--seed", type=int, help="Seed of the draw, where it takes one; the same for fit and predict."),
        click.option(
            "--split",
            type=click.Choice(["train", "test"]),
            help="Part of the data, where it has parts: train for fit, test for predict.",
        ),
        click.option("--data-param", multiple=True, metavar="KEY=JSON", help="Argument of the data access."),
        click.option(
            "--data", required=True, metavar="NAME", help="Data access.", shell_complete=names_in("aimm.data_access")
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("model_type", shell_complete=names_in("aimm.models"))
@_data_options
@click.option("--param", multiple=True, metavar="KEY=JSON", help="Argument of instantiate.")
@click.option("--fit-param", multiple=True, metavar="KEY=JSON", help="Argument of fit.")
@executor_options
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), help="Model file to write.")
@click.option(
    "--example", type=click.IntRange(1), metavar="N", help="Keep the first N rows, and what is predicted for them."
)
@click.option("--json", "as_json", is_flag=True, help="Print the header of the model file as JSON.")
@click.pass_obj
def fit(
    session: Session,
    model_type: str,
    data: str,
    data_param: tuple[str, ...],
    split: str | None,
    seed: int | None,
    param: tuple[str, ...],
    fit_param: tuple[str, ...],
    executor: str | None,
    timeout: float | None,
    memory: str | None,
    output: str,
    example: int | None,
    as_json: bool,
) -> None:
    """Create a MODEL_TYPE, fit it to data, and write it to a model file.

    \b
    aimm fit sklearn.svm.SVC --data sklearn.datasets.iris --split train --param C=10 -o svc.aimm
    """
    params, fit_params = parse_pairs(param, "--param"), parse_pairs(fit_param, "--fit-param")
    data_params = parse_pairs(data_param, "--data-param")
    _check_writable(output)
    manager = session.manager()
    manager.route(model_type)  # an unknown one is said before the data is read
    loaded = _fetch(manager, data, data_params, split, seed)
    args, kwargs = action_arguments(loaded, "fit", manager.parameters(model_type, "fit"), fit_params)
    with (
        running(manager, executor, timeout, memory) as run,
        progress(f"fit {model_type}") as state_cb,
        _arguments_mentioned(model_type),
    ):
        instance = run("instantiate", model_type, None, state_cb, (), params)
        fitted = run("fit", model_type, instance, state_cb, args, kwargs)
    if fitted is None:
        session.say(f"fit of {model_type} returned nothing; the instance that was passed in is kept")
        fitted = instance
    rows = None if example is None else _first_rows(loaded, example, manager.parameters(model_type, "predict"))
    header = store.save_model(output, model_type, fitted, example=rows, manager=manager)
    if as_json:
        session.write_json(header._asdict())
    session.say(f"wrote {output}: {header.model_type}, {header.length:,} bytes, sha256 {header.sha256[:12]}...")
    if split == "train" and seed is not None:
        session.say(f"the rows left out: --split test --seed {seed}; with another seed, some of them were in this fit")


@click.command()
@click.argument("model", shell_complete=complete_models)
@_data_options
@executor_options
@click.option("--predict-param", multiple=True, metavar="KEY=JSON", help="Argument of predict.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to a .csv or .json file, not to stdout.")
@click.option(
    "--score",
    is_flag=True,
    help="Also compare with the y of the data: accuracy, or R2 for fractions.",
)
@click.option(
    "--update", is_flag=True, help="Write the instance back to the model file: predicting may have changed it."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the predictions, or with --score an object.")
@click.pass_obj
def predict(
    session: Session,
    model: str,
    data: str,
    data_param: tuple[str, ...],
    split: str | None,
    seed: int | None,
    predict_param: tuple[str, ...],
    executor: str | None,
    timeout: float | None,
    memory: str | None,
    output: str | None,
    score: bool,
    update: bool,
    as_json: bool,
) -> None:
    """Apply a MODEL to data, and print or write the predictions.

    MODEL is a model file, or the NAME, NAME@VERSION or NAME@ALIAS of a stored model.

    \b
    aimm predict svc.aimm --data sklearn.datasets.iris --split test -o predictions.csv
    """
    params, data_params = parse_pairs(predict_param, "--predict-param"), parse_pairs(data_param, "--data-param")
    if output is not None:
        _check_writable(output)
        if os.path.splitext(output)[1] not in (".csv", ".json"):
            raise click.UsageError(f"--output {output!r}: expected a name that ends in .csv or .json")
    if update and not os.path.isfile(model):
        raise click.UsageError("--update writes to a model file; save a stored model as a new version instead")
    opened = open_reference(model)  # a damaged file is refused before any plugin is imported
    manager = session.manager()
    with versions_told(session):
        header, instance = opened.header, opened.load(manager=manager)
    loaded = _fetch(manager, data, data_params, split, seed)
    truth = truth_in(loaded) if score else None
    taken = manager.parameters(header.model_type, "predict")
    args, kwargs = action_arguments(loaded, "predict", taken, params)
    with (
        running(manager, executor, timeout, memory) as run,
        progress(f"predict {header.model_type}") as state_cb,
        _arguments_mentioned(header.model_type),
    ):
        instance, prediction = run("predict", header.model_type, instance, state_cb, args, kwargs)
    if update:
        store.save_model(model, header.model_type, instance, manager=manager)
    if score and "split" in (manager.parameters(data, "data_access") or ()):
        _tell_of_leaks(session, split or data_params.get("split"))
    write_predictions(session, prediction, output, as_json, truth)


def _tell_of_leaks(session: Session, split: Any) -> None:
    if split in (None, "train"):
        scored = "all rows" if split is None else "the rows of --split train"
        session.say(f"this scores {scored}, which fit may have seen; the rest: --split test, with the seed of fit")


@contextmanager
def _arguments_mentioned(model_type: str) -> Iterator[None]:
    try:
        yield
    except TypeError as error:
        error.add_note(f"'aimm types show {model_type}' prints the arguments that each action takes")
        raise


def _first_rows(data: Any, count: int, taken: list[str] | None) -> "store.Example":
    args, kwargs = action_arguments(data, "predict", taken, {})
    length = next((len(value) for value in (*args, *kwargs.values()) if _has_rows(value)), None)

    def cut(value: Any) -> Any:
        # What has as many items as the data has rows is cut; names of columns and the like stay.
        return value[:count] if _has_rows(value) and len(value) == length else value

    return store.Example(*map(cut, args), **{name: cut(value) for name, value in kwargs.items()})


def _has_rows(value: Any) -> bool:
    return hasattr(value, "__len__") and hasattr(value, "__getitem__") and not isinstance(value, str | Mapping)


def _fetch(
    manager: plugins.PluginManager, name: str, params: dict[str, Any], split: str | None, seed: int | None
) -> Any:
    with _file_explained(name):
        kwargs = data_arguments(name, manager.parameters(name, "data_access"), params, split, seed)
        clash = sorted(kwargs.keys() & {"name", "state_cb"})
        if clash:
            raise click.UsageError(f"--data-param {clash[0]}=...: a data access cannot take an argument of this name")
        with progress(f"read {name}") as state_cb:
            return manager.exec_data_access(name, state_cb, **kwargs)


@contextmanager
def _file_explained(name: str) -> Iterator[None]:
    from aimm.errors import PluginNotFoundError

    try:
        yield
    except PluginNotFoundError as error:
        if error.name == name and os.path.exists(name):
            argument = shlex.quote(f"path={name}")
            error.add_note(f"that is a file: --data takes the name of what reads it, as in --data-param {argument}")
        raise


def _check_writable(path: str) -> None:
    # Found out now, not after an hour of fitting.
    if not path:
        raise click.UsageError("--output is empty: expected a file name")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise click.UsageError(f"--output {path!r}: the folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise click.UsageError(f"--output {path!r}: the folder {folder} cannot be written to")

"""``aimm runs``: finished training runs."""

import os
from collections.abc import Iterator
from typing import Any

import click

from aimm.cli._options import json_option
from aimm.cli._session import Session


@click.group("runs")
def runs_group() -> None:
    """List and show finished training runs."""


@runs_group.command("list")
@click.argument("path", required=False)
@click.option("-c", "--config", type=click.Path(dir_okay=False), help="Training configuration that has the path.")
@json_option
@click.pass_obj
def list_(session: Session, path: str | None, config: str | None, as_json: bool) -> None:
    """List the finished runs at or under PATH, newest first.

    PATH is a path or URL; without it, the artifact path of --config, or of the variable AIMM_ARTIFACT_PATH, up to its
    first placeholder.
    """
    from aimm.train import TrainRequest, list_runs

    given = path or TrainRequest.read(config).place
    if not given:
        raise click.UsageError("which runs? Give PATH, or --config FILE, or set AIMM_ARTIFACT_PATH")
    runs = list_runs(_root(given))
    if as_json:
        session.write_json(runs)
        return
    columns = ["STARTED", "COMMAND", "BY", "METRICS", "PATH"]
    rows = [
        [str(r["started"]), " ".join(r["command"]), str(r["created_by"]), _metrics(r), str(r["path"])] for r in runs
    ]
    session.write_table(columns, rows)
    if not runs:
        session.say(f"no finished run under {_root(given)}")


@runs_group.command()
@click.argument("path")
@json_option
@click.pass_obj
def show(session: Session, path: str, as_json: bool) -> None:
    """Show everything that is known about the finished run at PATH, a path or URL."""
    from aimm.train import read_run

    run = read_run(path)
    if as_json:
        session.write_json(run)
        return
    lines = [*_lines(run), ("packages", f"{len(run['packages'])} (--json names them)")]
    width = max(len(label) for label, _ in lines) + 2
    for label, text in lines:
        session.write(f"{label + ':':<{width}}{text}".rstrip())
    session.write("")
    files = [[file["role"], f"{file['size']:,}", file["sha256"][:12], file["name"]] for file in run["files"]]
    session.write_table(["ROLE", "BYTES", "SHA256", "FILE"], files)


def _root(path: str) -> str:
    fixed, brace, _ = path.partition("{")
    return (os.path.dirname(fixed) or ".") if brace else path


def _lines(run: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is known about a run but its packages and files, one line for each value."""
    for key, value in run.items():
        if key in ("format", "format_version", "files", "packages"):
            continue
        if not isinstance(value, dict):
            yield key, _shown(value)
            continue
        for name, inner in value.items():
            yield f"{key}.{name}", _metric(inner, every=True) if key == "metrics" else _shown(inner)


def _metrics(run: dict[str, Any]) -> str:
    return " ".join(f"{name}={_metric(value)}" for name, value in run["metrics"].items())


def _metric(value: Any, every: bool = False) -> str:
    if not isinstance(value, dict) or "mean" not in value:
        return _number(value)
    folds = f" ({', '.join(map(_number, value['folds']))})" if every else ""
    return f"{value['mean']:.4g}±{value['std']:.2g}{folds}"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _shown(value: Any) -> str:
    import json

    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)

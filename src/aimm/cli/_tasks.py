"""``aimm tasks``: what tasks there are, what a file registers, and whether a registration fits the code."""

from pathlib import Path
from typing import Any

import click

from aimm.cli._options import json_option
from aimm.cli._session import Session


@click.group("tasks")
def tasks_group() -> None:
    """List tasks, and compare their registration with the code."""


@tasks_group.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List every task and artifact handler; the plugins that have them are loaded.

    A plugin that does not load is named on stderr, with the cause.
    """
    from aimm import tasks
    from aimm.tasks._catalog import catalog_of

    manager = session.manager()
    failures = catalog_of(manager).load_all()
    rows = [_task(tasks.find_task(name)) for name in tasks.tasks()]
    rows += [_handler(tasks.find_handler(name)) for name in tasks.handlers()]
    if as_json:
        session.write_json(rows)
    else:
        session.write_records(("name", "kind", "plugin", "distribution", "version", "signature"), rows)
    for failure in failures:
        session.say(failure.describe())


@tasks_group.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--import", "imports", is_flag=True, help="Also import the code, and compare the live signatures.")
@click.pass_obj
def inspect(session: Session, path: Path, imports: bool) -> None:
    """Print the registration of a file, plugin directory or package, as JSON. Nothing is imported.

    With --import, the code is imported as well; exits with 1 if it does not say what the source says.
    """
    from aimm.tasks._registration import registration
    from aimm.tasks._source import source_files

    files = source_files(path)
    plugin = path.resolve().name if path.is_dir() else None
    session.write_json(registration(files, plugin))
    if imports:
        from aimm.tasks._compare import differences

        session.divert()
        _complain(session, differences(files, path))


@tasks_group.command()
@click.argument("document", type=click.Path(path_type=Path))
@click.argument("path", type=click.Path(path_type=Path), required=False)
@json_option
@click.pass_obj
def check(session: Session, document: Path, path: Path | None, as_json: bool) -> None:
    """Compare a registration document (JSON or TOML) with the code in PATH, the document's folder if not given.

    Nothing is imported. Exits with 1 if there is an error; a warning is none.
    """
    from aimm.tasks._check import check_registration

    mismatches = check_registration(document, path)
    if as_json:
        session.write_json([mismatch._asdict() for mismatch in mismatches])
        if any(mismatch.severity == "error" for mismatch in mismatches):
            raise click.exceptions.Exit(1)
        return
    _complain(session, mismatches, session.write)
    if not mismatches:
        session.say("the registration fits the code")


def _complain(session: Session, mismatches: list[Any], write: Any = None) -> None:
    for mismatch in mismatches:
        (write or session.say)(str(mismatch))
    if any(mismatch.severity == "error" for mismatch in mismatches):
        raise click.exceptions.Exit(1)


def _task(record: Any) -> dict[str, Any]:
    inputs = ", ".join(f"{_STARS.get(p.kind, '')}{p.name}{'' if p.required else '?'}" for p in record.parameters)
    outputs = ", ".join(output.name for output in record.outputs)
    return {
        **_common(record, "task"),
        "signature": f"({inputs}) -> {outputs or 'nothing'}",
        "inputs": [
            {"name": p.name, "type": p.type.document(), "required": p.required, "kind": p.kind}
            for p in record.parameters
        ],
        "outputs": [{"name": o.name, "type": o.type.document()} for o in record.outputs],
        "description": record.description,
    }


_STARS = {"var_positional": "*", "var_keyword": "**"}


def _handler(record: Any) -> dict[str, Any]:
    return {
        **_common(record, "artifact handler"),
        "signature": f"({', '.join(record.schema['properties'])}) -> {record.output}",
        "arguments": record.schema,
        "outputs": [{"name": "output", "type": record.output.document()}],
    }


def _common(record: Any, kind: str) -> dict[str, Any]:
    source = record.source
    return {
        "name": record.name,
        "kind": kind,
        "plugin": source.plugin or source.module,
        "distribution": source.distribution,
        "version": source.version,
        "file": record.file,
        "line": record.line,
    }

"""``aimm graph``: check a task graph, show it, run it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from aimm.cli._executors import executor_for, executor_options
from aimm.cli._options import json_option
from aimm.cli._session import Session

if TYPE_CHECKING:
    from aimm.tasks.graph import GraphResult, Plan, Prepared

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False))


@click.group("graph")
def graph_group() -> None:
    """Check task graphs, show them, run them."""


@graph_group.command()
@_file
@click.option("--no-plugins", is_flag=True, help="Check by what the file declares; look for no task or handler.")
@json_option
@click.pass_obj
def check(session: Session, file: str, no_plugins: bool, as_json: bool) -> None:
    """Tell everything that is wrong with a graph; the plugins that it names are loaded.

    Exits with 1 if there is an error; a warning is none.
    """
    from aimm.tasks.graph import validate

    issues = validate(file, installed=False) if no_plugins else validate(file, manager=session.manager())
    if as_json:
        session.write_json([issue._asdict() for issue in issues])
    else:
        for issue in issues:
            session.write(f"{file}:{issue}" if issue.line else f"{file}: {issue}")
    if any(issue.severity == "error" for issue in issues):
        raise click.exceptions.Exit(1)
    if not issues and not as_json:
        session.say("the graph is sound")


@graph_group.command()
@_file
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "svg"]),
    default="text",
    show_default=True,
    help="As what.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@click.pass_obj
def show(session: Session, file: str, form: Literal["text", "mermaid", "svg"], output: Path | None) -> None:
    """Show a graph as a tree of its steps, as Mermaid, or as a picture (SVG). No plugin is loaded.

    A graph with errors is shown as far as it can be read; 'aimm graph check' tells what is wrong with it.
    """
    from aimm.tasks.graph import Graph

    drawn = Graph.load(file).draw(form)
    if output is None:
        session.write(drawn)
        return
    output.write_text(f"{drawn}\n", encoding="utf-8")
    session.say(f"wrote {output}")


@graph_group.command()
@click.option("--no-plugins", is_flag=True, help="The grammar only, without the handlers that are installed.")
@click.pass_obj
def schema(session: Session, no_plugins: bool) -> None:
    """Print the JSON Schema of graph files, for editors; it knows the installed artifact handlers and their arguments.

    With the YAML support of most editors, a first line such as this turns it on:

    \b
    # yaml-language-server: $schema=graph.schema.json
    """
    from aimm.tasks.graph import graph_schema

    session.write_json(graph_schema(installed=False) if no_plugins else graph_schema(manager=session.manager()))


@graph_group.command()
@_file
@click.option("-p", "--param", multiple=True, metavar="NAME=VALUE", help="Value of a parameter: text, or JSON.")
@click.option("-a", "--artifact", multiple=True, metavar="NAME=PATH[:HANDLER]", help="File or folder that it reads.")
@click.option("--out", type=click.Path(file_okay=False), help="Folder that artifacts are written to.")
@click.option("--resume", is_flag=True, help="Run only what changed or failed since the last run with this --out.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; call no task and write nothing.")
@click.option("-j", "--workers", type=click.IntRange(1), default=1, help="How many steps may run at a time.")
@executor_options
@click.option("--no-check-types", is_flag=True, help="Do not check values against the declared types.")
@click.option("--debug", is_flag=True, help="Notice tasks that change values which others hold too. It is slow.")
@click.option("--allow-pickle", is_flag=True, help="Let --resume keep by pickle what has no other form.")
@json_option
@click.pass_obj
def run(
    session: Session,
    file: str,
    param: tuple[str, ...],
    artifact: tuple[str, ...],
    out: str | None,
    resume: bool,
    dry_run: bool,
    workers: int,
    executor: str | None,
    timeout: float | None,
    memory: str | None,
    no_check_types: bool,
    debug: bool,
    allow_pickle: bool,
    as_json: bool,
) -> None:
    """Run a graph, and print what its last steps gave and which artifacts were written.

    \b
    aimm graph run classify.yaml -p name=wine -a model=old/model.aimm --out results
    """
    from aimm.cli._steps import step_progress
    from aimm.tasks.graph import Graph, plan, prepare, run as run_graph

    if resume and out is None:
        raise click.UsageError("--resume needs --out, the folder that the earlier run wrote to")
    graph = Graph.load(file)
    prepared = prepare(graph, manager=session.manager())
    _tell_warnings(session, prepared, file)
    given: dict[str, Any] = {
        **{"parameters": _parameters(prepared, param), "artifacts": _artifacts(artifact), "out": out},
        **{"resume": resume, "check_types": not no_check_types, "allow_pickle": allow_pickle},
    }
    if dry_run:
        _print_plan(session, plan(prepared, **given), as_json)
        return
    with executor_for(executor, timeout, memory) as made, step_progress(f"run {Path(file).name}") as state_cb:
        given |= {"state_cb": state_cb, "workers": workers, "executor": made, "timeout": timeout, "debug": debug}
        result = run_graph(prepared, **given)
    _print_result(session, result, out, as_json)


def _tell_warnings(session: Session, prepared: "Prepared", file: str) -> None:
    for issue in prepared.checked.issues:
        session.say(f"{file}:{issue}")


def _parameters(prepared: "Prepared", pairs: tuple[str, ...]) -> dict[str, Any]:
    """Values as the declared types want them: ``-p version=1.10`` is text where text is declared."""
    from aimm.cli._arguments import json_or_text, split_pairs
    from aimm.tasks._types import STRING, check_value

    values: dict[str, Any] = {}
    for name, text in split_pairs(pairs, "--param", "NAME=VALUE").items():
        declared = prepared.checked.parameters.get(name)
        wanted = declared.type if declared is not None else None
        values[name] = text if wanted == STRING else json_or_text(text.lower() if text in ("True", "False") else text)
        if wanted is not None and check_value(wanted, values[name]) and not check_value(wanted, text):
            values[name] = text
    return values


def _artifacts(pairs: tuple[str, ...]) -> dict[str, tuple[Path, str | None]]:
    from aimm.cli._arguments import split_pairs

    found: dict[str, tuple[Path, str | None]] = {}
    for name, text in split_pairs(pairs, "--artifact", "NAME=PATH[:HANDLER]").items():
        path, colon, handler = text.rpartition(":")
        named = colon and not Path(text).exists() and all(part.isidentifier() for part in handler.split("."))
        found[name] = (Path(path), handler) if named else (Path(text), None)
    return found


def _print_plan(session: Session, plan: "Plan", as_json: bool) -> None:
    if as_json:
        session.write_json({what: [one._asdict() for one in getattr(plan, what)] for what in ("steps", "artifacts")})
        return
    rows = [*plan.steps, *plan.artifacts]
    session.write_table(["NAME", "TASK", "ACTION", "REASON"], rows)


def _print_result(session: Session, result: "GraphResult", out: str | None, as_json: bool) -> None:
    ran = [step for step in result.steps if step.action == "run"]
    if as_json:
        session.write_json(
            {
                "steps": [{**step._asdict(), "seconds": result.seconds.get(step.name)} for step in result.steps],
                "artifacts": {name: info._asdict() for name, info in result.artifacts.items()},
                "results": {name: value for name, value in result.results().items() if _is_plain(value)},
            }
        )
    else:
        for name, value in result.results().items():
            session.write(f"{name}: {_shown(value)}")
        rows = [[name, info.path, info.handler, info.sha256[:12]] for name, info in result.artifacts.items()]
        session.write_table(["ARTIFACT", "PATH", "HANDLER", "SHA256"], rows)
    seconds = sum(result.seconds.values())
    reused = f", {len(result.steps) - len(ran)} reused" if len(ran) < len(result.steps) else ""
    where = f"; artifacts in {out}" if out and result.artifacts else ""
    steps = "1 step" if len(ran) == 1 else f"{len(ran)} steps"
    session.say(f"{steps} run in {seconds:.2f} s{reused}{where}")
    if out is None and result.unwritten:
        session.say(f"not written, for want of --out: {', '.join(result.unwritten)}")


def _is_plain(value: Any) -> bool:
    import json

    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _shown(value: Any) -> str:
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    return text if len(text) <= 100 else f"{text[:97]}..."

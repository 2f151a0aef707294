"""``aimm plugins install``, ``uninstall``, ``verify``, ``freeze`` and ``restore``."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from aimm.cli._options import json_option
from aimm.cli._progress import progress
from aimm.cli._session import Session, flush

if TYPE_CHECKING:
    from aimm.environment import InstallRequest, Step

FILE = click.Path(exists=True, dir_okay=False)
FOLDER = click.Path(exists=True, file_okay=False)

_SOURCES: tuple[Callable[[Any], Any], ...] = (
    click.option("-i", "--index-url", metavar="URL", help="The package index."),
    click.option("--extra-index-url", metavar="URL", multiple=True, help="A further index."),
    click.option("-f", "--find-links", metavar="DIR", multiple=True, help="A folder, or page with links, to look in."),
    click.option("--no-index", is_flag=True, help="Look nowhere else than in --find-links."),
    click.option("-c", "--constraint", type=FILE, multiple=True, help="A file with versions to keep to."),
    click.option("--pre", is_flag=True, help="Take pre-releases too."),
    click.option("--no-build-isolation", is_flag=True, help="Build with the tools of this environment."),
)

installer_option = click.option(
    "--installer",
    type=click.Choice(["auto", "pip", "uv"]),
    default="auto",
    show_default=True,
    help="Who does it; auto: pip if the environment has it, else uv.",
)
yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of pip and uv that say where packages come from."""
    for option in reversed(_SOURCES):
        command = option(command)
    return command


@click.command()
@click.argument("specs", metavar="SPEC...", nargs=-1)
@click.option("--gpu", is_flag=True, help="Take the GPU variant: the extra 'gpu', or requirements-gpu.")
@click.option("-U", "--upgrade", is_flag=True, help="Take the newest version where one is installed.")
@click.option("--from", "folder", type=FOLDER, help="Install every plugin project in this folder or directly below it.")
@click.option("--lock", is_flag=True, help="First make requirements.txt of such projects anew from requirements.in.")
@source_options
@installer_option
@dry_run_option
@yes_option
@json_option
@click.pass_obj
def install(session: Session, /, specs: tuple[str, ...], folder: str | None, **options: Any) -> None:
    """Install plugins: requirements, wheels, folders or URLs.

    The plan is shown first. What would change a dependency of aimm itself is refused. Without a terminal, a plan that
    only adds is carried out; one that changes what is installed needs --yes.
    """
    from aimm.environment import InstallRequest, Sources

    if not specs and not folder:
        raise click.UsageError("name a plugin to install, or a folder of plugin projects with --from")
    sources = Sources(**{name: options.pop(name) for name in Sources._fields})
    chosen = {name: options.pop(name) for name in ("gpu", "upgrade", "lock", "installer")}
    _install(session, InstallRequest(specs, folder or "", sources=sources, **chosen), **options)


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Uninstall every plugin.")
@click.option("--gpu", is_flag=True, help="What plain pip installed is the GPU variant.")
@click.option("--from", "folder", type=FOLDER, help="Projects whose requirements files say what plain pip installed.")
@click.option("--environment", "environment_file", type=FILE, help="Verify against this environment.yml afterwards.")
@installer_option
@dry_run_option
@yes_option
@json_option
@click.pass_obj
def uninstall(
    session: Session,
    /,
    names: tuple[str, ...],
    folder: str | None,
    environment_file: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Uninstall plugins, and exactly those of their dependencies that nothing else needs.

    Without a terminal it needs --yes or --dry-run.
    """
    from aimm.environment import UninstallPlan, UninstallRequest

    if bool(names) == options["every"]:
        raise click.UsageError("name the plugins to uninstall, or say --all")
    _recover(session)
    plan = UninstallPlan(UninstallRequest(names, folder=folder or "", **options))
    kinds = {"remove": plan.remove, "restore": plan.restore, "keep": plan.keep}
    _show(session, kinds, plan.remarks, as_json)
    done = not plan.is_empty and not dry_run and _agreed(session, yes, needed=True)
    if not dry_run and (done or plan.is_empty):
        with progress("uninstalling") as state_cb:
            plan.apply(state_cb)
    _finish(session, kinds, plan.remarks, as_json, done)
    if done and environment_file:
        _verify(session, environment_file, None, as_json=False)


@click.command()
@click.option("--environment", "environment_file", type=FILE, help="Compare with a conda environment.yml.")
@click.option("--constraints", type=FILE, help="Compare with a constraints or requirements file.")
@json_option
@click.pass_obj
def verify(session: Session, environment_file: str | None, constraints: str | None, as_json: bool) -> None:
    """Check that everything installed has what it needs, in a version that fits. Exits with 1 if not.

    Each deviation is one line.
    """
    _verify(session, environment_file, constraints, as_json)


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file.")
def freeze(output: str | None) -> None:
    """Write down which plugins are installed, with versions, for 'restore' and 'pip install -r'."""
    from aimm import environment
    from aimm.store._atomic import write_atomically

    text = environment.freeze()
    if output:
        write_atomically(output, [text.encode()])
    else:
        click.echo(text, nl=False)


@click.command()
@click.argument("file", type=FILE)
@source_options
@installer_option
@dry_run_option
@yes_option
@json_option
@click.pass_obj
def restore(session: Session, /, file: str, installer: str, **options: Any) -> None:
    """Install the plugins that 'freeze' wrote down, in the same versions."""
    from aimm.environment import Sources, restore_request

    sources = Sources(**{name: options.pop(name) for name in Sources._fields})
    request = restore_request(file, sources, installer)
    if not request.specs:
        session.say(f"{file} names no plugin")
        return
    _install(session, request, **options)


def _install(session: Session, request: "InstallRequest", dry_run: bool, yes: bool, as_json: bool) -> None:
    from aimm.environment import InstallPlan

    _recover(session)
    with progress("planning") as state_cb:
        plan = InstallPlan(request, state_cb)
    with plan:
        kinds = {"install": plan.add, "change": plan.change}
        _show(session, kinds, plan.remarks, as_json)
        done = not dry_run and (plan.is_empty or _agreed(session, yes, needed=bool(plan.change)))
        if done:
            shown = plan.remarks
            with progress("installing") as state_cb:
                plan.apply(state_cb)
            for remark in plan.remarks[len(shown) :]:
                session.say(f"note: {remark}")
        empty = f"nothing to do: {', '.join(plan.names)} installed already"
        _finish(session, kinds, plan.remarks, as_json, done, empty)


def _recover(session: Session) -> None:
    from aimm import environment

    session.say(f"environment: {environment.describe()}")
    if recovery := environment.recover():
        session.say(recovery.describe())


def _show(session: Session, kinds: dict[str, tuple["Step", ...]], remarks: Sequence[str], as_json: bool) -> None:
    rows = [
        [kind, step.name, f"{step.version} -> {step.to}" if step.to else step.version, step.why]
        for kind, steps in kinds.items()
        for step in steps
    ]
    if not as_json:
        session.write_table(["PLAN", "DISTRIBUTION", "VERSION", "WHY"], rows)
        flush(sys.stdout)  # what follows goes to stderr, and speaks of it
    for remark in remarks:
        session.say(f"note: {remark}")


def _agreed(session: Session, yes: bool, *, needed: bool) -> bool:
    """Whether to go on; ``needed`` says that without a terminal only --yes will do."""
    if yes:
        return True
    if sys.stdin.isatty() and sys.stderr.isatty():
        if click.confirm("Go on?", err=True):
            return True
        session.say("nothing was changed")
        raise click.exceptions.Exit(1)
    if needed:
        raise click.UsageError(
            "this changes what is installed, and nobody can be asked: add --yes, or --dry-run to look"
        )
    return True


def _finish(
    session: Session,
    kinds: dict[str, tuple["Step", ...]],
    remarks: Sequence[str],
    as_json: bool,
    done: bool,
    otherwise: str = "nothing to do",
) -> None:
    if as_json:
        from aimm import environment

        plan = {kind: [step._asdict() for step in steps] for kind, steps in kinds.items()}
        session.write_json({"environment": environment.describe(), **plan, "remarks": list(remarks), "done": done})
        return
    changes = [f"{len(steps)} to {kind}" for kind, steps in kinds.items() if steps and kind != "keep"]
    if not changes:
        session.say(otherwise)
    else:
        session.say(f"{'done' if done else 'nothing was changed'}: {', '.join(changes)}")


def _verify(session: Session, environment_file: str | None, constraints: str | None, as_json: bool) -> None:
    from aimm import environment

    deviations = environment.verify(environment_file, constraints)
    if as_json:
        session.write_json([deviation._asdict() for deviation in deviations])
    else:
        for deviation in deviations:
            session.write(str(deviation))
        flush(sys.stdout)
        session.say(f"{environment.describe()}: {len(deviations) or 'no'} deviation{'s' * (len(deviations) != 1)}")
    if deviations:
        raise click.exceptions.Exit(1)

"""``aimm plugins``: what is installed, and what is wrong with it. The commands that change it stand elsewhere."""

from typing import Any

import click

from aimm import plugins
from aimm._types import GROUPS
from aimm.cli._lazy import LazyGroup
from aimm.cli._names import names_in, near
from aimm.cli._options import json_option
from aimm.cli._session import Session

COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("aimm.cli._check:check", "Check that a plugin keeps its contract."),
    "install": ("aimm.cli._environment:install", "Install plugins, after a look at the plan."),
    "uninstall": ("aimm.cli._environment:uninstall", "Uninstall plugins and what only they need."),
    "verify": ("aimm.cli._environment:verify", "Check that everything installed fits together."),
    "freeze": ("aimm.cli._environment:freeze", "Write down which plugins are installed."),
    "restore": ("aimm.cli._environment:restore", "Install the plugins that 'freeze' wrote down."),
    "new": ("aimm.cli._new:new", "Make a new plugin package that is ready to be tested and installed."),
}
"""The commands that stand in modules of their own."""


@click.group("plugins", cls=LazyGroup, lazy=COMMANDS)
def plugins_group() -> None:
    """List, show and examine plugins; install and remove them."""


@plugins_group.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List every plugin that is installed or configured; nothing is imported."""
    found = plugins.default_manager.discover(session.config)
    candidates = [*found.candidates, *found.excluded]
    rows = [_facts(candidate, found) for candidate in candidates]
    if as_json:
        session.write_json(rows)
    else:
        session.write_records(("name", "group", "distribution", "version", "status", "summary"), rows)
    if found.problems:
        session.say(f"metadata problems: {len(found.problems)}; 'aimm plugins doctor' explains them")
    if not rows:
        session.say(_why_none())


@plugins_group.command()
@click.argument("name", shell_complete=names_in(*GROUPS))
@json_option
@click.pass_obj
def show(session: Session, name: str, as_json: bool) -> None:
    """Show everything that is known about a plugin or a distribution without importing it."""
    found = plugins.default_manager.discover(session.config)
    everything = [*found.candidates, *found.excluded]
    matching = [c for c in everything if name in (c.name, *c.names, c.distribution)]
    if not matching:
        known = sorted({known for c in everything for known in (*c.names, c.distribution or "")})
        hint = f"; {_why_none()}" if not known else near(name, known)
        raise click.ClickException(f"no plugin and no distribution is called {name!r}{hint}")
    if as_json:
        session.write_json([_facts(candidate, found) for candidate in matching])
        return
    for candidate in matching:
        for key, value in _facts(candidate, found).items():
            shown = ", ".join(value) if isinstance(value, (list, tuple)) else value
            session.write(f"{key + ':':<14}{'' if shown is None else shown}".rstrip())
        session.write("")


@plugins_group.command()
@click.option("--timeout", default=60.0, show_default=True, help="Seconds that one plugin may take to load.")
@json_option
@click.pass_obj
def doctor(session: Session, timeout: float, as_json: bool) -> None:
    """Load every plugin in a process of its own, and explain every failure and conflict with its fix.

    Exits with 1 if anything is wrong.
    """
    from aimm.cli._doctor import examine

    findings = examine(session, timeout)
    if as_json:
        session.write_json(findings.as_json())
    else:
        findings.write(session)
    if findings.is_bad:
        raise click.exceptions.Exit(1)


@plugins_group.command()
@click.pass_obj
def schema(session: Session) -> None:
    """Print the JSON Schema of the configuration, for editors and checkers."""
    session.write_json(plugins.config_schema())


def _why_none() -> str:
    if plugins.safe_mode():
        return "safe mode is on (--safe or AIMM_SAFE_MODE), so no third-party plugin is looked for"
    return "no plugins found: install one with pip, or name a module in a configuration file"


def _status(candidate: plugins.Candidate, found: plugins.Found) -> str:
    if candidate in found.excluded:
        return "excluded"
    contested = any(len(found.claims[candidate.group, name]) > 1 for name in candidate.names)
    return "contested" if contested else "ok"


def _facts(candidate: plugins.Candidate, found: plugins.Found) -> dict[str, Any]:
    return {
        "name": candidate.name,
        "group": candidate.group,
        "value": candidate.value,
        "distribution": candidate.distribution,
        "version": candidate.version,
        "summary": candidate.summary,
        "answers_to": list(candidate.names),
        "path": candidate.path,
        "status": _status(candidate, found),
    }

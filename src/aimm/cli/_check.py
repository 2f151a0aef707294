"""``aimm plugins check``: whether a plugin keeps its contract."""

import click

from aimm.cli._names import names_in
from aimm.cli._options import json_option
from aimm.cli._plugins import ALL_GROUPS
from aimm.cli._progress import progress
from aimm.cli._session import Session


@click.command()
@click.argument("name", metavar="NAME|PATH", shell_complete=names_in(*ALL_GROUPS))
@click.option("--heavy", multiple=True, metavar="MODULE", help="Module that its import must not import.")
@click.option(
    "--expect", multiple=True, metavar="CHECK=REASON", help="Check that is known to fail, and why; repeat for more."
)
@click.option("--timeout", default=60.0, show_default=True, help="Seconds that one check may take.")
@json_option
@click.pass_obj
def check(
    session: Session, name: str, heavy: tuple[str, ...], expect: tuple[str, ...], timeout: float, as_json: bool
) -> None:
    """Check that a plugin keeps its contract.

    Takes an installed distribution or plugin, or the path of a project, wheel, module or directory. Every entry point
    is examined in a process of its own. Exits with 1 if a check fails, or if too few could run.
    """
    from aimm.testing import check_plugin

    pairs = [text.partition("=") for text in expect]
    if wrong := [f"{key}{sign}{reason}" for key, sign, reason in pairs if not (key and reason)]:
        raise click.BadParameter(f"{wrong[0]!r} has not the form CHECK=REASON", param_hint="--expect")
    expected = {key.strip(): reason.strip() for key, _, reason in pairs}
    with progress("plugins check") as state_cb:
        report = check_plugin(name, expected_failures=expected, heavy=heavy or None, timeout=timeout, state_cb=state_cb)
    if as_json:
        session.write_json(report.as_json())
    else:
        shown = [r for r in report.results if not r.is_bad and (session.verbose or r.is_remarkable)]
        rows = [[r.status, r.subject, r.check, r.message] for r in shown]
        session.write_table(["STATUS", "SUBJECT", "CHECK", "WHY"], rows)
        for problem in report.problems:
            session.write(f"\nPROBLEM  {problem}")
        counts = ", ".join(f"{number} {status}" for status, number in report.counts.items() if number)
        session.write(f"\n{report.subject}: {counts or 'no checks'}")
    if not report.is_good:
        raise click.exceptions.Exit(1)

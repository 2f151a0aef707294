"""``aimm plugins new``: from a name to a package."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from aimm import scaffold
from aimm.cli._session import Session
from aimm.errors import ScaffoldError

T = TypeVar("T")


@click.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(scaffold.KINDS),
    default=scaffold.KINDS[0],
    show_default=True,
    help="What the plugin contributes.",
)
@click.option("--defaults", is_flag=True, help="Ask nothing, take every default.")
@click.option(
    "-o",
    "--output",
    default=".",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the folder of the new package goes.  [default: here]",
)
@click.pass_obj
def new(session: Session, name: str, kind: str, defaults: bool, output: Path) -> None:
    """Make a new plugin package called NAME: typed, tested, ready to be installed and published.

    Asks for the name of the Python package, a description, an author and a licence.
    """
    answers = scaffold.Answers.default(name, kind)
    scaffold.check_target(name, output)
    target = scaffold.create(answers if defaults else _ask(answers), output)
    session.write(str(target))
    session.say(f"a new plugin of kind {kind}. Install it and run its tests:")
    session.say(f"  cd {target}\n  pip install -e . --group test  # pip 25.1 or newer\n  pytest")


def _ask(answers: scaffold.Answers) -> scaffold.Answers:
    for field, (question, check) in scaffold.QUESTIONS.items():
        default = getattr(answers, field)
        choices = click.Choice(scaffold.LICENSES) if field == "license" else None
        try:
            given = click.prompt(question, default, type=choices, value_proc=check and _asking(check), err=True)
        except click.Abort:
            raise click.UsageError(f"no answer to {question!r}: --defaults asks nothing") from None
        answers = answers._replace(**{field: given})
    return answers


def _asking(check: Callable[[str], None]) -> Callable[[str], str]:
    """A check as click wants it: an answer that is refused is asked for again."""

    def convert(text: str) -> str:
        try:
            check(text)
        except ScaffoldError as error:
            raise click.UsageError(str(error)) from error
        return text

    return convert

"""A click group whose commands are entry points, each imported when it is invoked."""

from contextlib import suppress
from typing import Any

import click
from click.shell_completion import CompletionItem

from aimm import plugins
from aimm.errors import AimmError

_WIDTH = 120
"""Where a line of help is cut off; click wraps it to the terminal."""


class LazyPluginGroup(click.Group):
    """A group that mounts the entry points of a group; names, and one line of help, come without importing any.

    A broken or contested command leaves the others usable, and says why when it is invoked. Names are shown with
    dashes, and understood with underscores too.

    Args:
        arguments: As for :class:`click.Group`.
        entry_point_name: The entry-point group.
        options: As for :class:`click.Group`.
    """

    def __init__(self, *arguments: Any, entry_point_name: str = "aimm.train", **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.entry_point_name = entry_point_name

    def found(self, ctx: click.Context) -> plugins.Found:
        """What is installed, without importing it; a host with a configuration overrides this."""
        return plugins.discover()

    def manager(self, ctx: click.Context) -> plugins.PluginManager:
        """Who loads the commands; a host with a configuration overrides this."""
        plugins.initialize()
        return plugins.default_manager

    def mounted(self, ctx: click.Context) -> dict[str, tuple[plugins.Candidate, ...]]:
        """The plugins behind each name, sorted; more than one is a conflict. The group's own commands come first."""
        claims = self.found(ctx).claims_in(self.entry_point_name)
        return {name: claim for name, claim in sorted(claims.items()) if name not in self.commands}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, the group's own first; nothing is imported."""
        return [*self.commands, *self.mounted(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None if there is none of this name.

        Raises:
            PluginConflictError: Two plugins have it.
            PluginUnavailableError: Its plugin is broken.
        """
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        name = cmd_name.replace("_", "-")
        if not self.found(ctx).contenders(self.entry_point_name, name):
            return None
        try:
            command: click.Command = self.load(ctx, name)
        except AimmError:
            if ctx.resilient_parsing:
                return None
            raise
        return command

    def load(self, ctx: click.Context, name: str) -> Any:
        """Import the object behind a name."""
        return self.manager(ctx).target(self.entry_point_name, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command in the arguments; a misspelt one gets a suggestion."""
        known = self.list_commands(ctx)
        if args[0].replace("_", "-") not in known and not args[0].startswith("-"):
            ctx.fail(f"no training command is called {args[0]!r}; {_hint(args[0], known[len(self.commands) :])}")
        _, command, rest = super().resolve_command(ctx, args)
        return args[0].replace("_", "-") if args[0] not in self.commands else args[0], command, rest

    def help_of(self, claim: tuple[plugins.Candidate, ...]) -> str:
        """One line about what stands behind a name."""
        if len(claim) > 1:
            return f"(claimed by {' and by '.join(candidate.choice for candidate in claim)})"
        return claim[0].summary

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, with the summaries of their distributions."""
        own = [(name, command.get_short_help_str(_WIDTH)) for name, command in self.commands.items()]
        if own:
            with formatter.section("Commands"):
                formatter.write_dl(own)
        if mounted := self.mounted(ctx):
            with formatter.section("Training commands"):
                _write_lines(formatter, {name: self.help_of(claim) for name, claim in mounted.items()})

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete names without importing what is behind them."""
        names = {name: command.get_short_help_str(_WIDTH) for name, command in self.commands.items()}
        with suppress(AimmError):  # a shell that completes is no place for messages
            names |= {name: self.help_of(claim) for name, claim in self.mounted(ctx).items()}
        wanted = incomplete.replace("_", "-")
        items = [CompletionItem(name, help=text) for name, text in names.items() if name.startswith(wanted)]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]


def _write_lines(formatter: click.HelpFormatter, rows: dict[str, str]) -> None:
    """One line each, cut off at the edge: there may be hundreds, and wrapping them takes click longer than the rest."""
    first = max(map(len, rows))
    space = max(formatter.width - formatter.current_indent - first - 2, 20)
    for name, text in rows.items():
        line = text if len(text) <= space else f"{text[: space - 3].rpartition(' ')[0]}..."
        formatter.write(f"{'':{formatter.current_indent}}{name:<{first}}  {line}".rstrip() + "\n")


def _hint(name: str, installed: list[str]) -> str:
    from difflib import get_close_matches

    if close := get_close_matches(name.replace("_", "-"), installed, n=1):
        return f"did you mean {close[0]!r}?"
    return f"installed: {', '.join(installed)}" if installed else "none is installed"

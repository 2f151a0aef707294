"""A group of commands that are imported when they are invoked."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

_WIDTH = 120
"""Where a line of help is cut off; click wraps it to the terminal."""


class LazyGroup(click.Group):
    """A group that knows its commands by a table, and imports one only to run it or to show its help.

    Args:
        lazy: Name of a command to the place of its object, ``module:attribute``, and its one line of help.
        arguments: As for :class:`click.Group`.
    """

    def __init__(self, *arguments: Any, lazy: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.lazy = dict(lazy)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, those declared directly first."""
        return [*self.commands, *self.lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None if there is none of this name."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command in the arguments; a misspelt one gets a suggestion."""
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            from aimm.cli._names import near

            ctx.fail(f"no command is called {args[0]!r}{near(args[0], names)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing those of the table."""
        direct = [(name, command.get_short_help_str(_WIDTH)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl([*direct, *((name, text) for name, (_, text) in self.lazy.items())])

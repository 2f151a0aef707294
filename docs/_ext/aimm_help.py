"""The directive ``{aimm-help} COMMAND``: what ``aimm COMMAND --help`` prints, taken from the command line itself."""

from typing import Any

import click
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from aimm.cli._app import root


class AimmHelp(SphinxDirective):
    """Includes the help of one command; without a name, that of ``aimm``."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Ask the command for its help."""
        words = self.arguments[0].split() if self.arguments else []
        command: click.Command = root
        context = click.Context(root, info_name="aimm", terminal_width=78, **root.context_settings)
        for word in words:
            found = command.get_command(context, word) if isinstance(command, click.Group) else None
            if found is None:
                raise self.error(f"there is no command 'aimm {' '.join(words)}'")
            command, context = found, click.Context(found, info_name=word, parent=context)
        text = command.get_help(context)
        shown = " ".join(["$ aimm", *words, "--help"])
        block = nodes.literal_block(f"{shown}\n{text}", f"{shown}\n{text}")
        block["language"] = "console"
        return [block]


def setup(app: Any) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("aimm-help", AimmHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

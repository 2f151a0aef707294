"""``aimm completion``: the script that a shell sources."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, plugins and model types in SHELL.

    For bash, put this into ~/.bashrc:  eval "$(aimm completion bash)"
    """
    kind = get_completion_class(shell)
    assert kind is not None, shell
    click.echo(kind(ctx.find_root().command, {}, "aimm", "_AIMM_COMPLETE").source())

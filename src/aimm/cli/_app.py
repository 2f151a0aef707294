"""The root command: global options, sub-commands that load when used, errors in one sentence."""

import os
import sys
from collections.abc import Sequence

import click
from click.shell_completion import shell_complete

import aimm
from aimm.cli._lazy import LazyGroup
from aimm.cli._session import Session, flush
from aimm.errors import AimmError, ConfigError

COMMANDS = {
    "plugins": ("aimm.cli._plugins:plugins_group", "List, show and examine plugins."),
    "types": ("aimm.cli._types:types_group", "List and show model types and their owners."),
    "tasks": ("aimm.cli._tasks:tasks_group", "List tasks, and compare their registration with the code."),
    "graph": ("aimm.cli._graph:graph_group", "Check task graphs, show them, run them."),
    "fit": ("aimm.cli._models:fit", "Create and fit a model, and keep it in a model file."),
    "predict": ("aimm.cli._models:predict", "Apply a model file to data."),
    "train": ("aimm.cli._train:train_group", "Run a training command of a plugin, and save what it makes."),
    "runs": ("aimm.cli._runs:runs_group", "List and show finished training runs."),
    "models": ("aimm.cli._store:models_group", "Keep models: verified files, and a store of named versions."),
    "completion": ("aimm.cli._completion:completion", "Print the script that completes names in your shell."),
}
"""Every command, where it lives, and its help; the text stands here so that ``aimm --help`` imports none of them."""


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(aimm.__version__, package_name="aimm-plugins", message="aimm %(version)s")
@click.option(
    "--config",
    envvar="AIMM_CONFIG",
    type=click.Path(dir_okay=False),
    help="Configuration of the plugins: a YAML, TOML or JSON file.  [env: AIMM_CONFIG]",
)
@click.option("--safe", is_flag=True, help="Start without any third-party plugin.  [env: AIMM_SAFE_MODE]")
@click.option("-v", "--verbose", count=True, help="Show tracebacks; twice: also debug logs.")
@click.pass_context
def root(ctx: click.Context, config: str | None, safe: bool, verbose: int) -> None:
    """Use machine-learning plugins: install a package, call its models by name."""
    if safe:
        os.environ["AIMM_SAFE_MODE"] = "1"  # in the environment, so that processes of ours are safe too
    if verbose:
        import logging

        level = logging.DEBUG if verbose > 1 else logging.INFO
        logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    ctx.obj.config, ctx.obj.verbose = config, verbose
    ctx.with_resource(ctx.obj)


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        args: Arguments; those of the process if not given.

    Returns:
        The exit code: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.
    """
    if instruction := os.environ.get("_AIMM_COMPLETE"):
        return shell_complete(root, {}, "aimm", "_AIMM_COMPLETE", instruction)
    code = _run(list(sys.argv[1:] if args is None else args))
    try:
        flush(sys.stdout)
    except OSError as error:  # a full disk, say
        return code or _complain(f"stdout cannot be written: {error}", 1)
    return code


def _run(arguments: list[str]) -> int:
    # Not click's own main(): it takes every broken pipe and end of file, a plugin's too, for one of our terminal.
    session = Session()
    try:
        with root.make_context("aimm", arguments, obj=session) as ctx:
            root.invoke(ctx)
        return 0
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.UsageError as error:
        error.show()
        if isinstance(error, click.NoSuchOption) and (owner := _owner_of(error.option_name, error.ctx)):
            click.echo(f"{error.option_name} goes before the command: {owner} {error.option_name} ...", err=True)
        return error.exit_code
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)
    except KeyboardInterrupt as error:
        return _complain("\n".join(["interrupted", *_notes(error)]), 130)
    except BaseException as error:  # noqa: BLE001 - the last stop: whatever a plugin raises becomes a message
        return _explain(error, session)


def _explain(error: BaseException, session: Session) -> int:
    if isinstance(error, BrokenPipeError) and not session.is_diverted:
        return 0  # no plugin has run: it is the reader of our own output, say of --help, who went away
    if session.verbose:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    text = str(error) if isinstance(error, (AimmError, OSError)) else _in_words(error)
    return _complain("\n".join([text, *_notes(error)]), 2 if isinstance(error, ConfigError) else 1)


def _notes(error: BaseException) -> Sequence[str]:
    return getattr(error, "__notes__", ())


def _owner_of(option: str, ctx: click.Context | None) -> str | None:
    """The command further up that has an option, as one would write it; None if none has."""
    while ctx and (ctx := ctx.parent):
        if any(option in (*parameter.opts, *parameter.secondary_opts) for parameter in ctx.command.params):
            return ctx.command_path
    return None


def _in_words(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - a plugin's exception may be broken too
        return f"{type(error).__name__} (its message cannot be shown)"


def _complain(text: str, code: int) -> int:
    click.echo(f"aimm: {text}", err=True)
    return code

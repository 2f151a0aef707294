"""``aimm train``: mounts training commands, builds their input, saves their output."""

import sys
from contextlib import ExitStack
from typing import Any

import click

from aimm import plugins
from aimm.cli._options import json_option
from aimm.cli._session import Session
from aimm.train._group import LazyPluginGroup

_RUN = "aimm.train.run"
_QUESTIONS = {
    "artifact_path": ("Where to save the run (a path or URL)", "runs/{command}-{time}"),
    "dataset": ("Data set (name of a data access, path or URL)", None),
}


class _TrainGroup(LazyPluginGroup):
    """Training commands, found with the configuration of this run; what they return is saved."""

    def found(self, ctx: click.Context) -> plugins.Found:
        return plugins.default_manager.discover(_session(ctx).config)

    def load(self, ctx: click.Context, name: str) -> Any:
        own = _session(ctx)
        # What an import prints is no result; what the command prints on its own, such as its help, is.
        with Session(own.config, own.verbose) as session:
            return session.manager().target(self.entry_point_name, name)

    def invoke(self, ctx: click.Context) -> Any:
        with ExitStack() as bar:
            ctx.meta[_RUN] = runner = _Runner(ctx, bar)
            try:
                output = super().invoke(ctx)
                record = runner.finish(output)
            except BaseException as error:
                bar.close()
                runner.fail(error)
                raise
        if record is not None:
            _tell(_session(ctx), record, ctx.params["as_json"])


def _session(ctx: click.Context) -> Session:
    # A shell that completes runs no command, so nobody made a session.
    return ctx.find_object(Session) or Session(ctx.find_root().params.get("config"))


@click.group("train", cls=_TrainGroup, entry_point_name="aimm.train")
@click.option("-c", "--config", type=click.Path(dir_okay=False), help="Training configuration: YAML, TOML or JSON.")
@click.option("--dataset", metavar="NAME", help="Data set: name of a data access, path or URL.")
@click.option("--dataset-param", multiple=True, metavar="KEY=JSON", help="Argument of the data access.")
@click.option("--artifact-path", metavar="PATH", help="Where the run is saved: path or URL.  [env: AIMM_ARTIFACT_PATH]")
@click.option("--overwrite", is_flag=True, help="Replace the finished run that stands there.")
@click.option("--no-input", is_flag=True, help="Ask for nothing: what is missing is an error.")
@json_option
@click.pass_context
def train_group(
    ctx: click.Context,
    config: str | None,
    dataset: str | None,
    dataset_param: tuple[str, ...],
    artifact_path: str | None,
    overwrite: bool,
    no_input: bool,
    as_json: bool,
) -> None:
    """Run a training command of a plugin, and save what it makes.

    \b
    aimm train list
    aimm train --config train.yaml PLUGIN COMMAND
    aimm train --config train.yaml PLUGIN --kfold 5 COMMAND
    """
    if ctx.invoked_subcommand in train_group.commands:
        return
    from aimm.cli._arguments import parse_pairs
    from aimm.train import TrainRequest
    from aimm.train.options import INPUT

    arguments = parse_pairs(dataset_param, "--dataset-param")
    if arguments and dataset is None:
        raise click.UsageError("--dataset-param needs --dataset")
    given = {"name": dataset, "arguments": arguments} if arguments else dataset
    request = TrainRequest.read(config, dataset=given, artifact_path=artifact_path, overwrite=overwrite)
    if as_json:
        _session(ctx).divert()  # one document, whatever the group of the command prints
    runner: _Runner = ctx.meta[_RUN]
    runner.begin(request, interactive=not no_input and sys.stdin.isatty())
    ctx.meta[INPUT] = runner.prepare


@train_group.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List the training commands that are installed; nothing is imported."""
    found = plugins.default_manager.discover(session.config)
    claims = dict(sorted(found.claims_in("aimm.train").items()))
    rows = [
        {
            "name": name,
            "distribution": candidate.distribution,
            "version": candidate.version,
            "status": "hidden" if name in train_group.commands else "contested" if len(claim) > 1 else "ok",
            "summary": candidate.summary,
        }
        for name, claim in claims.items()
        for candidate in claim
    ]
    if as_json:
        session.write_json(rows)
        return
    session.write_records(("name", "distribution", "version", "status", "summary"), rows)
    if not rows:
        session.say(
            "no training command is installed" if not plugins.safe_mode() else "safe mode is on: none is looked for"
        )
    if found.problems:
        session.say(f"metadata problems: {len(found.problems)}; 'aimm plugins doctor' explains them")
    if any(row["status"] == "contested" for row in rows):
        session.say("'aimm plugins doctor' says how to settle what is contested")
    if any(row["status"] == "hidden" for row in rows):
        session.say("a hidden command has the name of one of aimm's own, and cannot be reached")


class _Runner:
    """Joins one run of a training command to this command line: questions, progress, errors."""

    def __init__(self, ctx: click.Context, bar: ExitStack) -> None:
        self._ctx, self._bar = ctx, bar
        self._callback: plugins.StateCallback | None = None
        self._interactive = False
        self._request: Any = None
        self._run: Any = None

    def begin(self, request: Any, interactive: bool) -> None:
        """Remember what is asked for; the run begins when the command asks for its input."""
        self._request, self._interactive = request, interactive

    def prepare(self) -> Any:
        """Build the input of the command; from now on what it prints goes to stderr."""
        from aimm.train import TrainingRun

        session = _session(self._ctx)
        manager = session.manager()
        name = str(self._ctx.invoked_subcommand)
        (candidate,) = manager.discover(session.config).contenders("aimm.train", name)
        words = click.get_current_context().command_path.split()
        self._run = TrainingRun(
            candidate,
            self._request,
            words[words.index("train") + 1 :],
            ask=self._ask if self._interactive else None,
            state_cb=self._show,
        )
        return self._run.prepare()

    def _ask(self, key: str) -> str:
        text, default = _QUESTIONS.get(key, (f"Value of {key!r}", None))
        return str(click.prompt(text, default=default, err=True))

    def _show(self, state: dict[str, Any]) -> None:
        if self._callback is None:  # no bar before there is something to show: the command may ask questions first
            from aimm.cli._progress import progress

            self._callback = self._bar.enter_context(progress(f"train {self._ctx.invoked_subcommand}"))
        self._callback(state)

    def finish(self, output: Any) -> dict[str, Any] | None:
        """Save what the command returned; None if that is no TrainOutput."""
        from aimm.train import TrainOutput
        from aimm.train.options import KFOLD

        if self._request is None:
            return None
        if self._run is None and KFOLD in self._ctx.meta:
            _session(self._ctx).say("--kfold has no effect: this command does not take a TrainInput")
        if self._run is None and isinstance(output, TrainOutput):
            self.prepare()
        record: dict[str, Any] | None = self._run and self._run.finish(output)
        return record

    def fail(self, error: BaseException) -> None:
        """Say where things are, if the command wrote any before it failed."""
        from aimm.errors import SaveError

        kept = self._run and self._run.abandon()
        if kept and not isinstance(error, SaveError):  # which says so itself
            error.add_note(f"what it wrote until then is kept in {kept}")


def _tell(session: Session, record: dict[str, Any], as_json: bool) -> None:
    size = sum(file["size"] for file in record["files"])
    session.say(f"saved {len(record['files'])} files, {size:,} bytes, after {record['seconds']:.0f} s")
    if as_json:
        session.write_json(record)
    else:
        session.write(record["path"])

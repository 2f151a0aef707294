"""One training run: its input is prepared, its output is saved with all that is known about it."""

import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from aimm import plugins
from aimm._types import StateCallback, ignore_state
from aimm.errors import MissingInputError, SaveError
from aimm.train._config import Section, read_config
from aimm.train._facts import plugin_facts, system_facts
from aimm.train._outputs import METADATA, OutputFile, collect
from aimm.train._place import Place
from aimm.train._plain import plain
from aimm.train._runs import FORMAT, FORMAT_VERSION
from aimm.train._saving import check_free, place_of, save
from aimm.train.helpers import fill_basic_metadata
from aimm.train.interfaces import TrainInput, TrainOutput

ARTIFACT_PATH = "AIMM_ARTIFACT_PATH"
"""The variable with the artifact path of runs that are given none."""


class TrainRequest(NamedTuple):
    """What a user asks for.

    Attributes:
        config: The training configuration.
        dataset: The data set; None for that of the configuration.
        artifact_path: Where the run goes; None for that of the configuration, or of ``AIMM_ARTIFACT_PATH``.
        overwrite: Whether to replace a finished run; the configuration may say so too.
    """

    config: Section = Section()
    dataset: Any = None
    artifact_path: str | None = None
    overwrite: bool = False

    @classmethod
    def read(cls, config: str | None, **values: Any) -> "TrainRequest":
        """A request with the configuration in a file.

        Raises:
            ConfigError: It cannot be read, or one of our keys holds something else than it should.
        """
        return cls(read_config(config), **values)

    @property
    def place(self) -> str | None:
        """The artifact path, from wherever it is given, with its placeholders."""
        return self.artifact_path or self.config.get("artifact_path") or os.environ.get(ARTIFACT_PATH) or None


class TrainingRun:
    """One run of one training command.

    Args:
        candidate: The plugin that the command belongs to.
        request: What the user asks for.
        command: The words that lead to the command, such as ``["iris", "train"]``.
        ask: Takes the key of a missing value and returns what the user says; None where nobody can be asked.
        state_cb: Takes how far the training is.

    Attributes:
        train: The input, once it is prepared.
    """

    def __init__(
        self,
        candidate: plugins.Candidate,
        request: TrainRequest,
        command: list[str],
        *,
        ask: Callable[[str], str] | None = None,
        state_cb: StateCallback = ignore_state,
    ) -> None:
        self._candidate, self._request, self._command = candidate, request, command
        self._ask, self._state_cb = ask, state_cb
        self._started = datetime.now(UTC)
        self._overwrite = request.overwrite or bool(request.config.get("overwrite", False))
        self._place: Place | None = None
        self._facts: dict[str, Any] = {}
        self.train: TrainInput | None = None

    def prepare(self) -> TrainInput:
        """Build the input: ask for what is missing, and see that the results can go where they should.

        Raises:
            MissingInputError: There is no artifact path, and nobody to ask for one.
            RunExistsError: Something stands there that may not be replaced.
            TrainError: It cannot be reached.
        """
        config = self._request.config
        artifact_path = self._artifact_path()
        self._place = place_of(artifact_path)
        check_free(self._place, self._overwrite)
        metadata = dict(config.get("metadata", {}))
        fill_basic_metadata(metadata, interactive=self._ask is not None)
        cache = Path(os.path.expanduser(config.get("plugin_cache") or default_cache(self._candidate.names[0])))
        work = cache / "runs" / f"{self._started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        work.mkdir(parents=True)
        self._facts = plugin_facts(self._candidate)  # now: the files of an editable plugin may change while it runs
        self.train = TrainInput(
            config,
            dataset=self._request.dataset or config.get("dataset"),
            artifact_path=artifact_path,
            plugin_cache=cache,
            metadata=metadata,
            work_path=work,
            state_cb=self._state_cb,
            ask=self._ask,
        )
        return self.train

    def _artifact_path(self) -> str:
        given = self._request.place
        if given is None:
            if self._ask is None:
                raise MissingInputError("artifact_path", self._request.config.source, "--artifact-path PATH")
            given = self._ask("artifact_path")
        named = given.replace("{command}", self._candidate.names[0])
        return named.replace("{time}", f"{self._started:%Y%m%dT%H%M%SZ}")

    def finish(self, output: Any) -> dict[str, Any] | None:
        """Save what the command returned.

        Args:
            output: What the command returned.

        Returns:
            The content of ``metadata.json``, with its place as ``path``; None if the command returned no TrainOutput.

        Raises:
            OutputError: A file does not exist, or two would have one name.
            RunExistsError: Something came to stand where the run should go.
            SaveError: It could not be written. No part of it can be seen, and what there is is kept.
        """
        if not isinstance(output, TrainOutput):
            self.abandon()
            return None
        train = self.train or self.prepare()
        assert self._place
        files = collect(output, train.work_path)
        record = self._record(train, output, files)
        try:
            save(self._place, files, record, self._overwrite, self._state_cb)
        except SaveError as error:
            raise self._with_all_that_is_kept(error, record) from error.__cause__
        shutil.rmtree(train.work_path, ignore_errors=True)
        return {"path": self._place.shown, **record}

    def abandon(self) -> Path | None:
        """Clean up after a command that gave nothing to save.

        Returns:
            The folder with what it wrote all the same, which is kept; None if that is nothing.
        """
        if self.train is None:
            return None
        work = self.train.work_path
        for folder, _, _ in os.walk(work, topdown=False):
            with suppress(OSError):
                os.rmdir(folder)
        return work if work.exists() else None

    def _record(self, train: TrainInput, output: TrainOutput, files: list[OutputFile]) -> dict[str, Any]:
        ended = datetime.now(UTC)
        told = plain(train.metadata)
        record = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "command": self._command,
            "created_by": told.pop("created_by", None),
            "comments": told.pop("comments", None),
            "started": self._started.isoformat(timespec="seconds"),
            "ended": ended.isoformat(timespec="seconds"),
            "seconds": round((ended - self._started).total_seconds(), 3),
            "metrics": plain(output.metrics),
            "folds": len(output.folds) or None,
            "dataset": plain(train.describe_dataset()),
            "artifact_path": train.artifact_path,
            "config": plain(train.config),
            "metadata": told,
            "plugin_metadata": plain(train.plugin_metadata),
            "plugin": self._facts,
            **system_facts(),
            "files": [file.describe() for file in files],
        }
        return record

    def _with_all_that_is_kept(self, error: SaveError, record: dict[str, Any]) -> SaveError:
        """The same error, with what describes the run beside its files if the disk takes that."""
        import json

        assert self.train
        work = self.train.work_path
        with suppress(OSError):
            (work / METADATA).write_text(json.dumps(record, indent=2, ensure_ascii=False), encoding="utf-8")
        outside = [path for path in error.kept if not Path(path).resolve().is_relative_to(work.resolve())]
        inside = [str(work)] if any(work.rglob("*")) else []
        return SaveError(error.path, error.cause, error.done, error.total, [*inside, *outside], error.hint)


def default_cache(command: str) -> str:
    """The folder that a command has for itself, in the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(home, "aimm", "train", command)

"""Errors of :mod:`aimm.train`."""

from collections.abc import Sequence

from aimm.errors import AimmError, ConfigError


class MissingInputError(ConfigError, KeyError):
    """A training command needs something that it was not given.

    Attributes:
        key: What it needs, as it stands in the training configuration: ``dataset``, ``plugin.epochs``.
        given_in: The configuration file that lacks it; None if there was none.
        option: The option that gives it, if there is one beside ``--config``.
    """

    def __init__(self, key: str, given_in: str | None = None, option: str | None = None) -> None:
        super().__init__(self._sentence(key, given_in, option), key, given_in or "configuration")
        self.args = key, given_in, option
        self.key, self.given_in, self.option = key, given_in, option

    @staticmethod
    def _sentence(key: str, given_in: str | None, option: str | None) -> str:
        where = (
            f"put '{key}:' into {given_in}" if given_in else f"put '{key}:' into a file for 'aimm train --config FILE'"
        )
        other = f", or use 'aimm train {option}'" if option else ""
        return f"the training command needs {key!r}, which is not given: {where}{other}"

    def __str__(self) -> str:
        return self.message


class TrainError(AimmError):
    """A training run cannot be started, saved or read."""


class DatasetError(TrainError, ValueError):
    """A data set cannot be had.

    Attributes:
        dataset: How it was asked for.
        message: What is wrong.
    """

    def __init__(self, dataset: str, message: str) -> None:
        super().__init__(dataset, message)
        self.dataset, self.message = dataset, message

    def __str__(self) -> str:
        return f"data set {self.dataset!r}: {self.message}"


class OutputError(TrainError, ValueError):
    """What a training command returned cannot be saved; nothing was.

    Attributes:
        path: The file that is the problem.
        message: What is wrong with it.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path, self.message = path, message

    def __str__(self) -> str:
        return f"output {self.path!r} of the training command {self.message}"


class RunExistsError(TrainError, ValueError):
    """Something stands where a run should go; it was not touched.

    Attributes:
        path: Where the run should go.
        is_run: Whether a finished run stands there, which ``--overwrite`` would replace.
    """

    def __init__(self, path: str, is_run: bool) -> None:
        super().__init__(path, is_run)
        self.path, self.is_run = path, is_run

    def __str__(self) -> str:
        if self.is_run:
            return f"a finished run stands at {self.path}: choose another artifact path, or replace it with --overwrite"
        return f"{self.path} holds something else than a finished run, and stays as it is: choose another artifact path"


class SaveError(TrainError, OSError):
    """A finished training could not be saved; its files are kept.

    Attributes:
        path: Where it should have gone.
        cause: Why it did not.
        done: How many of the files had been written.
        total: How many there are.
        kept: Where the files are now.
        hint: What else there is to know; may be empty.
    """

    def __init__(self, path: str, cause: str, done: int, total: int, kept: Sequence[str], hint: str = "") -> None:
        super().__init__(path, cause, done, total, tuple(kept), hint)
        self.path, self.cause, self.done, self.total, self.kept, self.hint = path, cause, done, total, tuple(kept), hint

    def __str__(self) -> str:
        kept = "\n".join(f"  {path}" for path in self.kept) or "  nothing: the command returned no files"
        hint = f"\n{self.hint}" if self.hint else ""
        return (
            f"the run could not be saved to {self.path}: {self.cause} ({self.done} of {self.total} files were written)."
            f" It is not visible there. What the training made is kept:\n{kept}{hint}"
        )


class RunNotFoundError(TrainError, LookupError):
    """There is no finished run here.

    Attributes:
        path: Where it was looked for.
        message: What was found instead.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path, self.message = path, message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"

"""What a training command gets and what it returns: plain data, built without asking, fetching or deleting anything."""

import copy
import os
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aimm._types import StateCallback, ignore_state
from aimm.errors import MissingInputError
from aimm.train._config import Section
from aimm.train._dataset import Dataset

__all__ = ["Dataset", "Fold", "TrainInput", "TrainOutput"]


@dataclass(frozen=True, slots=True)
class Fold:
    """One part of a k-fold cross-validation.

    Attributes:
        index: Which one, from 0.
        count: How many there are.
    """

    index: int
    count: int

    def split(self, samples: int, seed: int = 0) -> tuple[list[int], list[int]]:
        """Which samples to train on and which to test on.

        The test parts of all folds are disjoint, differ in size by at most one, and together hold every sample.

        Args:
            samples: How many samples there are.
            seed: Decides how they are shuffled; must be the same in all folds.

        Returns:
            Indices to train on and indices to test on, each sorted.

        Raises:
            ValueError: There are fewer samples than folds.
        """
        if samples < self.count:
            raise ValueError(f"{samples} samples cannot be split into {self.count} folds")
        order = list(range(samples))
        random.Random(seed).shuffle(order)
        test = set(order[self.index :: self.count])
        return sorted(set(order) - test), sorted(test)


class TrainInput:
    """Everything that a training command needs; ``aimm train`` builds it from the training configuration.

    A value that was not given and is read all the same is a usage error that says how to give it.

    Args:
        config: The whole training configuration.
        plugin_config: Its section ``plugin``; that of ``config`` if not given.
        dataset: The data set: name of a data access, path, URL, or a mapping with ``name`` and ``arguments``.
        artifact_path: Where the core takes the results, a path or URL; a command writes to ``work_path``.
        plugin_cache: Folder of this command that stays from run to run.
        metadata: What is known about the run: ``created_by``, ``comments`` and whatever the configuration adds.
        plugin_metadata: What the command wants to have kept about the run; it goes into ``metadata.json``.
        fold: Which fold of a cross-validation this is; None without one.
        work_path: Folder of this run, and of this fold, to write files to; ``plugin_cache`` if not given.
        state_cb: Takes how far the training is, as ``{"progress": 0.5}``.
        ask: Takes the key of a value that is read and was not given, and returns the value.

    Raises:
        MissingInputError: From ``dataset``, ``artifact_path``, ``plugin_cache`` and ``work_path``, and from keys of
            ``config`` and ``plugin_config``, when what is read was not given.
    """

    config: Section
    plugin_config: Section

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        plugin_config: Mapping[str, Any] | None = None,
        dataset: str | os.PathLike[str] | Mapping[str, Any] | Dataset | None = None,
        artifact_path: str | os.PathLike[str] | None = None,
        plugin_cache: str | os.PathLike[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        plugin_metadata: Mapping[str, Any] | None = None,
        *,
        fold: Fold | None = None,
        work_path: str | os.PathLike[str] | None = None,
        state_cb: StateCallback = ignore_state,
        ask: Callable[[str], str] | None = None,
    ) -> None:
        self.config = config if isinstance(config, Section) else Section(config)
        section = self.config.get("plugin", {}) if plugin_config is None else plugin_config
        self.plugin_config = Section(section, "plugin", self.config.source)
        self._cache = None if plugin_cache is None else Path(plugin_cache)
        # Shared by the folds of a cross-validation: what one of them had to ask for, all of them have.
        self._given: dict[str, Any] = {}
        if dataset is not None:
            self._given["dataset"] = self._dataset(dataset)
        if artifact_path is not None:
            self._given["artifact_path"] = os.fspath(artifact_path)
        self._work = self._cache if work_path is None else Path(work_path)
        self.metadata, self.plugin_metadata = dict(metadata or {}), dict(plugin_metadata or {})
        self.fold, self.state_cb, self._ask = fold, state_cb, ask

    @property
    def dataset(self) -> Dataset:
        """The data set."""
        if "dataset" not in self._given:
            self._given["dataset"] = self._dataset(self._wanted("dataset", "--dataset NAME"))
        dataset: Dataset = self._given["dataset"]
        return dataset

    @property
    def artifact_path(self) -> str:
        """Where the core takes the results: a path, or a URL."""
        if "artifact_path" not in self._given:
            self._given["artifact_path"] = self._wanted("artifact_path", "--artifact-path PATH")
        return str(self._given["artifact_path"])

    @property
    def plugin_cache(self) -> Path:
        """Folder of this command that stays from run to run."""
        return self._cache or Path(self._wanted("plugin_cache"))

    @property
    def work_path(self) -> Path:
        """Folder of this run, and of this fold, to write files to."""
        return self._work or self.plugin_cache

    def for_fold(self, fold: Fold) -> "TrainInput":
        """The same for one fold of a cross-validation, with a folder and plugin metadata of its own."""
        made = copy.copy(self)  # which drops callbacks
        made._ask = self._ask
        made.fold, made.plugin_metadata = fold, copy.deepcopy(self.plugin_metadata)
        if self._work is not None:
            made._work = self._work / f"fold-{fold.index + 1}"
        made.state_cb = lambda state: self.state_cb(_within(fold, state))
        return made

    def describe_dataset(self) -> dict[str, Any] | None:
        """The data set as it stands in ``metadata.json``; None if there is none."""
        dataset: Dataset | None = self._given.get("dataset")
        return None if dataset is None else dataset.describe()

    def _dataset(self, given: Any) -> Dataset:
        return Dataset.of(given, str(self._cache) if self._cache else None)

    def _wanted(self, key: str, option: str | None = None) -> str:
        if self._ask is None:
            raise MissingInputError(key, self.config.source, option)
        return self._ask(key)

    def __repr__(self) -> str:
        shown = {"config": dict(self.config), **self._given}
        return f"TrainInput({', '.join(f'{key}={value!r}' for key, value in shown.items())}, fold={self.fold!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrainInput) and self.__getstate__() == other.__getstate__()

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        # Callbacks belong to this process; everything else is data.
        return {**self.__dict__, "state_cb": ignore_state, "_ask": None}


def _within(fold: Fold, state: dict[str, Any]) -> dict[str, Any]:
    """The state of one fold as a state of the whole."""
    told = {"fold": f"{fold.index + 1} of {fold.count}", **state}
    progress = state.get("progress")
    if isinstance(progress, (int, float)):
        told["progress"] = (fold.index + min(max(progress, 0), 1)) / fold.count
    return told


class TrainOutput:
    """What a training made; the core copies or uploads it to the artifact path, with ``metadata.json``.

    Args:
        model_path: The exported model: a file or a folder.
        extra_files: Further files and folders to keep.
        metrics: Numbers that say how good it is; cross-validation joins those of all folds.

    Attributes:
        folds: What each fold of a cross-validation returned; empty without one.
    """

    def __init__(
        self,
        model_path: str | os.PathLike[str] | None = None,
        extra_files: Iterable[str | os.PathLike[str]] = (),
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(extra_files, (str, bytes)):
            raise TypeError(f"extra_files is a list of paths, not the text {extra_files!r}")
        self.model_path = None if model_path is None else Path(model_path)
        self.extra_files = tuple(map(Path, extra_files))
        self.metrics = dict(metrics or {})
        self.folds: tuple[TrainOutput, ...] = ()

    def __repr__(self) -> str:
        model, extra = self.model_path and str(self.model_path), [str(path) for path in self.extra_files]
        return f"TrainOutput({model!r}, {extra!r}, {self.metrics!r})"

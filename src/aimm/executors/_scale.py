"""Predict over a partitioned data set: the model goes to each worker once, the parts stream through."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from aimm import plugins
from aimm._types import StateCallback
from aimm.errors import WorkerCrashed
from aimm.executors._call import Kept, keep
from aimm.executors._executor import Executor
from aimm.executors._job import Job
from aimm.executors._names import get_executor
from aimm.executors._partitions import Output, parts_of, read_part, write_part
from aimm.executors._perform import Around


class Predicted(NamedTuple):
    """What a run of :func:`predict_partitions` did.

    Attributes:
        folder: Where the output is.
        paths: One file for each part of the data, in its order.
        done_before: How many of them an earlier run had written.
        rows: How many predictions this run wrote.
    """

    folder: str
    paths: tuple[str, ...]
    done_before: int
    rows: int


def predict_partitions(
    executor: Executor | str,
    model_type: str,
    instance: Any,
    data: Any,
    output: str | os.PathLike[str],
    *,
    suffix: str = ".parquet",
    kwargs: Mapping[str, Any] | None = None,
    select: Callable[[Any], Any] | None = None,
    state_cb: StateCallback | None = None,
    retries: int = 2,
    at_once: int = 64,
    timeout: float | None = None,
    manager: plugins.PluginManager = plugins.default_manager,
) -> Predicted:
    """Predict for each part of a data set, and write one file for each.

    Files appear whole or not at all, so a run that was cut short is continued by calling it again: parts whose file is
    there are not predicted again. The workers read and write the files themselves; a cluster needs a shared disk.

    Args:
        executor: An executor, or the name of one.
        model_type: Model type of the instance.
        instance: The instance, or what :func:`keep` made of it.
        data: A folder of ``.parquet`` or ``.csv`` files, a Dask DataFrame, or a list of chunks.
        output: Folder of the output; a new one, or that of the run to continue.
        suffix: ``.parquet`` or ``.csv``.
        kwargs: Further arguments of ``predict``.
        select: Makes the argument of ``predict`` from a part, for instance by dropping columns; importable.
        state_cb: Receives ``{"progress": ..., "parts": ..., "of": ..., "rows": ...}`` after each part.
        retries: How often a part is tried again whose worker crashed.
        at_once: How many parts are on their way at a time.
        timeout: Deadline for each part in seconds.
        manager: Whose plugins predict.

    Returns:
        Where the output is, and what was done.

    Raises:
        PartitionError: The data cannot be read, or the folder holds something else.
        WorkerCrashed: A part crashed its worker too often; what is done stays.
        Exception: What the plugin raised; what is done stays.
    """
    chosen = get_executor(executor) if isinstance(executor, str) else executor
    kept = instance if isinstance(instance, Kept) else keep(model_type, instance, manager=manager)
    parts = parts_of(data)
    options = dict(kwargs or {})
    made_by = [model_type, hashlib.sha256(kept.content).hexdigest(), repr(sorted(options.items())), _named(select)]
    folder = Output(os.path.abspath(os.fspath(output)), parts, made_by, suffix)
    missing = folder.missing()
    total, rows = len(parts), 0
    done = total - len(missing)
    waiting: deque[tuple[int, int]] = deque((number, 0) for number in missing)
    flying: dict[Job, tuple[int, int]] = {}
    try:
        while waiting or flying:
            while waiting and len(flying) < at_once:
                number, tries = waiting.popleft()
                part = _Part(parts[number][1], folder.path(number), select)
                job = chosen.submit(manager.exec_predict, model_type, kept, None, part, timeout=timeout, **options)
                flying[job] = number, tries
            for job in _first_done(flying):
                number, tries = flying.pop(job)
                error = job.exception()
                if isinstance(error, WorkerCrashed) and tries < retries:
                    waiting.append((number, tries + 1))
                    continue
                if error is not None:
                    raise error
                rows += job.result()[1]
                done += 1
                if state_cb is not None:
                    state_cb({"progress": done / total, "parts": done, "of": total, "rows": rows})
    finally:
        for job in flying:
            job.cancel()
    paths = tuple(folder.path(number) for number in range(total))
    return Predicted(folder.folder, paths, total - len(missing), rows)


class _Part(Around):
    """One part of the data: read, predicted and written by the worker."""

    def __init__(self, place: Any, path: str, select: Callable[[Any], Any] | None) -> None:
        self._place, self._path, self._select = place, path, select

    def run(self, predict: Callable[[Any], Any]) -> int:
        """Return how many predictions were written."""
        data = read_part(self._place)
        return write_part(self._path, predict(data if self._select is None else self._select(data)))


def _first_done(jobs: Mapping[Job, Any]) -> set[Job]:
    from concurrent.futures import FIRST_COMPLETED, wait

    return wait(jobs, return_when=FIRST_COMPLETED).done  # type: ignore[return-value]


def _named(select: Callable[[Any], Any] | None) -> str:
    return "" if select is None else f"{select.__module__}.{getattr(select, '__qualname__', select)}"

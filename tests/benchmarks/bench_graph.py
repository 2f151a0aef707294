"""What a task graph costs, in ratios: see README.md."""

import gc
import sys
import time
import types
from collections.abc import Callable
from typing import Any

import pytest

from aimm.tasks import register
from aimm.tasks.graph import Graph, prepare, run, validate
from benchmarks.harness import Row

ROUNDS = 7
STEPS = 10_000


def add(x: int, y: int = 1) -> int:
    """The work of every step."""
    return x + y


@pytest.fixture(autouse=True)
def _task() -> None:
    module = types.ModuleType("bench_tasks")
    sys.modules[module.__name__] = module
    add.__module__ = module.__name__
    register(add)


def chain(steps: int) -> dict[str, Any]:
    """A graph in which every step waits for the one before."""
    first = {"s0": {"bench_tasks.add": [0]}}
    return {"graph": first | {f"s{i}": {"bench_tasks.add": [f"$s{i - 1}", 1]} for i in range(1, steps)}}


def best(*functions: Callable[[], object]) -> list[float]:
    """The shortest processor time of each function in seconds; they take turns, so that noise hits all.

    Processor time, because a busy machine adds other programs' time to that of the clock.
    """
    found: list[list[float]] = [[] for _ in functions]
    gc.collect()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for function, times in zip(functions, found, strict=True):
                began = time.process_time()
                function()
                times.append(time.process_time() - began)
    finally:
        gc.enable()
    return [min(times) for times in found]


def row(case: str, against: str, subject: float, reference: float, aim: float | None = None, unit: str = "us") -> Row:
    """A line of the table."""
    return Row("graphs", case, against, subject, reference, subject / reference, aim, unit)


def test_steps(report: list[Row]) -> None:
    """The overhead of a step, checked types and all: against the aim, and against Dask's synchronous scheduler."""
    from dask.local import get_sync

    prepared = prepare(chain(STEPS))
    dask = {"s0": (add, 0)} | {f"s{i}": (add, f"s{i - 1}", 1) for i in range(1, STEPS)}
    assert run(prepared)[f"s{STEPS - 1}"] == get_sync(dask, f"s{STEPS - 1}") == STEPS

    def alone() -> None:
        value = 0
        for _ in range(STEPS):
            value = add(value, 1)

    ours, unchecked, dasks, work = (
        seconds / STEPS * 1e6
        for seconds in best(
            lambda: run(prepared),
            lambda: run(prepared, check_types=False),
            lambda: get_sync(dask, f"s{STEPS - 1}"),
            alone,
        )
    )
    report.append(row(f"overhead of a step, {STEPS:,} in a chain", "20 us", ours - work, 20.0, 1.0))
    report.append(row("a step", "dask.local.get_sync", ours, dasks, 1.0))
    report.append(row("a step, types unchecked", "dask.local.get_sync", unchecked, dasks))


def test_checks(report: list[Row], tmp_path: Any) -> None:
    """Reading and checking a graph of 10,000 steps: against the aim of two seconds, and against one of 1,000."""
    files = {steps: tmp_path / f"{steps}.yaml" for steps in (STEPS // 10, STEPS)}
    for steps, file in files.items():
        Graph(chain(steps)).save(file)
        assert validate(file) == []
    small, large = best(lambda: validate(files[STEPS // 10]), lambda: validate(files[STEPS]))
    loaded = Graph.load(files[STEPS])
    (alone,) = best(lambda: validate(loaded))
    report.append(row(f"read and check {STEPS:,} steps", "2 s", large * 1e3, 2000.0, 1.0, "ms"))
    report.append(row(f"check {STEPS:,} steps", "2 s", alone * 1e3, 2000.0, 1.0, "ms"))
    report.append(row("ten times the steps", "ten times the time", large * 1e3, small * 1e4, 1.3, "ms"))

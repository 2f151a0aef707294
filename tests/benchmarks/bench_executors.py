"""What a job costs beside what carries it: pebble's own call, pickled arrays, Dask's own task; see README.md."""

import importlib
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from aimm import executors, plugins
from benchmarks.bench_calls import keep
from benchmarks.harness import Row

ROUNDS, CALLS = 15, 200
MODEL = """
from aimm import plugins

@plugins.model
class Echo(plugins.Model):
    def fit(self, X):
        return self
    def predict(self, X):
        return X
    def serialize(self):
        return b""
    @classmethod
    def deserialize(cls, instance_bytes):
        return cls()

def size(x):
    return x.nbytes
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module that the workers run."""
    (tmp_path / "echo_of_benchmark.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("echo_of_benchmark")
    sys.modules.pop("echo_of_benchmark")


def in_turn(subject: Callable[[], Any], reference: Callable[[], Any], calls: int = CALLS) -> tuple[float, float, float]:
    """The best times per call in seconds, and the median of the ratios."""
    taken: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        times = []
        for call in (subject, reference):
            start = time.perf_counter()
            for _ in range(calls):
                call()
            times.append((time.perf_counter() - start) / calls)
        taken.append((times[0], times[1]))
    ours, other = zip(*taken, strict=True)
    return min(ours), min(other), statistics.median(a / b for a, b in taken)


def test_warm_call(benchmark: Callable, report: list[Row], module: Any) -> None:
    """A prediction with a kept instance, and 8 MB of argument, against pebble's own."""
    import pebble

    name = "echo_of_benchmark.Echo"
    array, copied = numpy.ones(1 << 20), bytearray(8 << 20)
    measured: list[Row] = []

    def measure() -> None:
        context = multiprocessing.get_context("spawn")
        with executors.make_executor("process", workers=1) as ours, pebble.ProcessPool(1, context=context) as pool:
            kept = executors.keep(name, module.Echo())
            ours.submit(plugins.exec_predict, name, kept, None, 1).result()
            pool.schedule(abs, (1,)).result()
            small = in_turn(
                lambda: ours.submit(plugins.exec_predict, name, kept, None, 1).result(),
                lambda: pool.schedule(abs, (1,)).result(),
            )
            large = in_turn(
                lambda: ours.submit(module.size, array).result(),
                lambda: pool.schedule(module.size, (array,)).result(),
                calls=10,
            )
            alone = in_turn(
                lambda: ours.submit(module.size, array).result(),
                lambda: memoryview(copied).__setitem__(slice(None), memoryview(array).cast("B")),
                calls=10,
            )
        for case, against, (ours_took, theirs, ratio), aim in (
            ("warm call", "pebble", small, 1.2),
            ("8 MB in", "pebble", large, None),
            ("8 MB in", "one copy of them", alone, None),
        ):
            measured.append(Row("Executor process", case, against, ours_took * 1e6, theirs * 1e6, ratio, aim, "us"))

    benchmark.pedantic(measure, rounds=1)
    keep(measured, benchmark, report)


def test_fresh_worker(benchmark: Callable, report: list[Row], module: Any, tmp_path: Path) -> None:
    """The first call of a new worker, against a new interpreter that imports the same and calls the same."""
    measured: list[Row] = []
    source = (
        "import pebble, aimm.executors._worker, echo_of_benchmark as m; from aimm import plugins; "
        "plugins.initialize(); plugins.exec_predict('echo_of_benchmark.Echo', m.Echo(), None, 1)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def first_call() -> float:
        with executors.make_executor("process", workers=1) as process:
            start = time.perf_counter()
            process.submit(plugins.exec_predict, "echo_of_benchmark.Echo", module.Echo(), None, 1).result()
            return time.perf_counter() - start

    def interpreter() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", source], env=environment, check=True)
        return time.perf_counter() - start

    def measure() -> None:
        plugins.initialize()
        first_call()
        pairs = [(first_call(), interpreter()) for _ in range(ROUNDS)]
        ours, other = zip(*pairs, strict=True)
        ratio = statistics.median(a / b for a, b in pairs)
        row = Row("Executor process", "fresh worker", "python", min(ours) * 1e3, min(other) * 1e3, ratio, 1.2, "ms")
        measured.append(row)

    benchmark.pedantic(measure, rounds=1)
    keep(measured, benchmark, report)


def test_dask(benchmark: Callable, report: list[Row], module: Any) -> None:
    """A prediction with a kept instance on a cluster, against a task of Dask's own."""
    from distributed import Client, LocalCluster

    name = "echo_of_benchmark.Echo"
    measured: list[Row] = []

    def measure() -> None:
        options: dict[str, Any] = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
        with (
            LocalCluster(**options) as cluster,
            Client(cluster) as client,
            executors.make_executor("dask", cluster=client) as dask,
        ):
            kept = executors.keep(name, module.Echo())
            dask.submit(plugins.exec_predict, name, kept, None, 1).result()
            took = in_turn(
                lambda: dask.submit(plugins.exec_predict, name, kept, None, 1).result(),
                lambda: client.submit(abs, 1, pure=False).result(),
                calls=20,
            )
        measured.append(Row("Executor dask", "warm call", "dask", took[0] * 1e6, took[1] * 1e6, took[2], 1.3, "us"))

    benchmark.pedantic(measure, rounds=1)
    keep(measured, benchmark, report)

"""What importing ``aimm.plugins`` costs a process, and what an entry point costs that nobody uses: see README.md."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from benchmarks.bench_calls import keep
from benchmarks.harness import Row
from support import FakeSite

IMPORT_ROUNDS, KNOWN = 25, 1000
STATEMENTS = {"nothing": "pass", "aimm.plugins": "import aimm.plugins", "pluggy": "import pluggy"}
MEASURE_MEMORY = """
import gc, sys, tracemalloc
from aimm import plugins
plugins.initialize()
plugins.unload_all()
sys.path.insert(0, sys.argv[1])
gc.collect()
tracemalloc.start()
plugins.initialize()
gc.collect()
print(tracemalloc.get_traced_memory()[0])
"""


def test_import(benchmark: Callable, report: list[Row]) -> None:
    """A whole process that imports ``aimm.plugins``, against one that imports pluggy."""
    taken: dict[str, list[float]] = {name: [] for name in STATEMENTS}

    def one_round() -> None:
        for name, statement in STATEMENTS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            taken[name].append(time.perf_counter() - start)

    benchmark.pedantic(one_round, rounds=IMPORT_ROUNDS, warmup_rounds=2)
    best = {name: min(times) * 1e3 for name, times in taken.items()}
    ratio = statistics.median(a / b for a, b in zip(taken["aimm.plugins"], taken["pluggy"], strict=True))
    alone = best["aimm.plugins"] - best["nothing"], best["pluggy"] - best["nothing"]
    section = "A process that imports aimm.plugins"
    measured = [
        Row(section, "whole process", "import pluggy", best["aimm.plugins"], best["pluggy"], ratio, 1.0, "ms"),
        Row(section, "without the bare interpreter", "import pluggy", *alone, alone[0] / alone[1], None, "ms"),
    ]
    keep(measured, benchmark, report)


def test_memory(benchmark: Callable, report: list[Row], tmp_path_factory: pytest.TempPathFactory) -> None:
    """What each known but unloaded entry point keeps in memory, against one kilobyte."""
    folders = []
    for number in (0, KNOWN):
        site = FakeSite(tmp_path_factory.mktemp(f"site{number}"))
        for index in range(number):
            site.add(f"dist{index}", entry_points={"aimm.models": {f"dist{index}.Model": f"dist{index}.models:Model"}})
        folders.append(str(site.path))
    held: list[int] = []

    def measure() -> None:
        for folder in folders:
            command = [sys.executable, "-c", MEASURE_MEMORY, folder]
            held.append(int(subprocess.run(command, check=True, capture_output=True, text=True).stdout))

    benchmark.pedantic(measure, rounds=1)
    each = (held[-1] - held[-2]) / KNOWN
    keep(
        [Row("Memory", "each known, unloaded entry point", "1 KiB", each, 1024, each / 1024, 1.0, "B")],
        benchmark,
        report,
    )

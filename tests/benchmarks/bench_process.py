"""What importing ``aimm.plugins`` costs a process, and what an entry point costs that nobody uses: see README.md."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.bench_calls import keep
from benchmarks.discovery import processor_seconds
from benchmarks.harness import Row
from support import FakeSite, model_source

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
            taken[name].append(processor_seconds([sys.executable, "-c", statement]))

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


def test_neighbours(benchmark: Callable, report: list[Row], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Calling one of fifty plugins, of which one sleeps five seconds at import and one raises, against it alone."""
    crowd, alone = (FakeSite(tmp_path_factory.mktemp(name)) for name in ("crowd", "alone"))
    for number in range(50):
        body = {7: "import time\ntime.sleep(5)\n", 8: "raise ValueError\n"}.get(number, "")
        points = {"aimm.models": {f"m{number}": f"plugin{number}"}}
        modules = {f"plugin{number}": body + model_source(f"m{number}")}
        for site in (crowd, alone) if number == 9 else (crowd,):
            site.add(f"d{number}", entry_points=points, modules=modules)
    script = "import sys; sys.path.insert(0, sys.argv[1]); from aimm import plugins; plugins.initialize()\n"
    script += "plugins.exec_predict('m9', [], None, 1)"
    taken: dict[Path, list[float]] = {site.path: [] for site in (crowd, alone)}

    def one_round() -> None:
        for folder, times in taken.items():
            times.append(processor_seconds([sys.executable, "-c", script, str(folder)]))

    time.sleep(2.1)  # what changed just now is not cached
    benchmark.pedantic(one_round, rounds=IMPORT_ROUNDS, warmup_rounds=2)
    pairs = zip(taken[crowd.path], taken[alone.path], strict=True)
    both = min(taken[crowd.path]) * 1e3, min(taken[alone.path]) * 1e3
    section = "A process that calls one plugin"
    ratio = statistics.median(a / b for a, b in pairs)
    keep([Row(section, "one of 50", "it alone", *both, ratio, 1.05, "ms")], benchmark, report)


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

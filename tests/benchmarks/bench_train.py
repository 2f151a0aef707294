"""What ``aimm train --help`` costs with a hundred training plugins that import heavy modules: see README.md."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.bench_calls import keep
from benchmarks.harness import Row
from support import FakeSite

ROUNDS, PLUGINS = 25, 100
HEAVY = "import asyncio, sqlite3, xml.dom.minidom, unittest, time\ntime.sleep(0.1)\nimport click\ncli = click.Group()\n"
"""What each plugin does when it is imported: a tenth of a second at least."""


def make_site(folder: Path, plugins: int) -> FakeSite:
    """A site with so many training plugins, each a distribution of its own."""
    site = FakeSite(folder)
    for number in range(plugins):
        points = {"aimm.train": {f"train_{number}": f"heavy_{number}:cli"}}
        site.add(f"heavy-{number}", entry_points=points, modules={f"heavy_{number}": HEAVY}, summary="Heavy.")
    return site


def test_help(benchmark: Callable, report: list[Row], tmp_path_factory: pytest.TempPathFactory) -> None:
    """A whole process that shows the help, with a hundred plugins against none."""
    taken: dict[int, list[float]] = {0: [], PLUGINS: []}
    sites = {number: make_site(tmp_path_factory.mktemp(f"site{number}") / "site", number) for number in taken}
    cache = str(tmp_path_factory.mktemp("cache"))
    time.sleep(2.1)  # an index of files younger than that is not kept

    def one_round() -> None:
        for number, site in sites.items():
            environment = {"PYTHONPATH": str(site.path), "XDG_CACHE_HOME": cache, "PATH": ""}
            command = [sys.executable, "-P", "-m", "aimm.cli", "train", "--help"]
            start = time.perf_counter()
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
            taken[number].append(time.perf_counter() - start)
            assert done.stdout.count("Heavy.") == number

    benchmark.pedantic(one_round, rounds=ROUNDS, warmup_rounds=2)
    ratio = statistics.median(a / b for a, b in zip(taken[PLUGINS][2:], taken[0][2:], strict=True))
    best = {number: min(times) * 1e3 for number, times in taken.items()}
    section = "A process that runs aimm train --help"
    row = Row(section, f"{PLUGINS} training plugins", "none", best[PLUGINS], best[0], ratio, 1.1, "ms")
    keep([row], benchmark, report)

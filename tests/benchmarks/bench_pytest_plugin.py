"""What the pytest plugin costs a run of pytest that does not use it: see README.md."""

import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.bench_calls import keep
from benchmarks.discovery import processor_seconds
from benchmarks.harness import Row

ROUNDS = 25


def test_start_up(benchmark: Callable, report: list[Row], tmp_path: Path) -> None:
    """A run with one empty test, with ``aimm.testing.pytest_plugin`` and without it."""
    test = tmp_path / "test_empty.py"
    test.write_text("def test_nothing():\n    pass\n")
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    bare = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(test)]
    commands = {"with": [*bare, "-p", "aimm.testing.pytest_plugin"], "without": bare}
    taken: dict[str, list[float]] = {name: [] for name in commands}

    def one_round() -> None:
        for name, command in commands.items():
            taken[name].append(processor_seconds(command, environment))

    benchmark.pedantic(one_round, rounds=ROUNDS, warmup_rounds=2)
    best = {name: min(times) * 1e3 for name, times in taken.items()}
    ratio = statistics.median(a / b for a, b in zip(taken["with"], taken["without"], strict=True))
    section = "A run of pytest that does not use the plugin"
    row = Row(section, "whole process", "without the plugin", best["with"], best["without"], ratio, 1.05, "ms")
    keep([row], benchmark, report)

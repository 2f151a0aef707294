"""What a thousand crashes leave behind: processes, descriptors, threads, files; see README.md."""

import gc
import importlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aimm import executors
from aimm.errors import DeadlineExceeded, WorkerCrashed
from benchmarks.bench_calls import keep
from benchmarks.harness import Row

CRASHES = int(os.environ.get("CRASHES", "1000"))
MARK = "AIMM_BENCHMARK_MARK"
MODULE = """
import ctypes, os, signal, subprocess, sys, time

def killed(x): os.kill(os.getpid(), signal.SIGKILL)
def segfault(x): ctypes.string_at(0)
def leave(x): os._exit(0)
def abort(x): os.abort()
def with_child(x):
    subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    os.kill(os.getpid(), signal.SIGKILL)
def deaf(x):
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass
"""
KINDS = ("killed", "segfault", "leave", "abort", "with_child", "killed", "segfault", "leave", "abort", "deaf")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module that the workers run; every process that comes of it carries a mark."""
    (tmp_path / "crashes_of_benchmark.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(MARK, tmp_path.name)
    yield importlib.import_module("crashes_of_benchmark")
    sys.modules.pop("crashes_of_benchmark")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Folders of this test's own in the places where temporary files go."""
    shared = Path(tempfile.mkdtemp(dir="/dev/shm"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("aimm.executors._segments._SHARED_MEMORY", str(shared))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    yield [shared, temporary]
    shutil.rmtree(shared)


def held(mark: str, places: list[Path]) -> dict[str, int]:
    """How much of everything there is, this process's and that of all that descends from it."""
    gc.collect()
    return {
        "processes": sum(1 for entry in Path("/proc").iterdir() if entry.name.isdigit() and _has(entry, mark)),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "files": sum(1 for place in places for _ in place.rglob("*")),
    }


def _has(entry: Path, mark: str) -> bool:
    try:
        is_zombie = entry.joinpath("stat").read_text().rpartition(")")[2].split()[:2] == ["Z", str(os.getpid())]
        return is_zombie or f"{MARK}={mark}".encode() in entry.joinpath("environ").read_bytes()
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="counts by /proc")
def test_crashes(benchmark: Callable, report: list[Row], module: Any, tmp_path: Path, places: list[Path]) -> None:
    """Crashes of every kind, with data in shared memory, and one in ten that has to be killed."""
    measured: list[Row] = []

    def measure() -> None:
        with executors.make_executor("process", workers=2, grace=0.05) as warm:
            warm.submit(abs, -1).result()
        before = held(tmp_path.name, places)
        with executors.make_executor("process", workers=2, grace=0.05) as crashing:
            data = bytearray(1 << 17)
            for start in range(0, CRASHES, 50):
                kinds = [KINDS[number % len(KINDS)] for number in range(start, min(start + 50, CRASHES))]
                jobs = [
                    crashing.submit(getattr(module, kind), data, timeout=None if kind != "deaf" else 0.05)
                    for kind in kinds
                ]
                for kind, job in zip(kinds, jobs, strict=True):
                    assert isinstance(job.exception(), DeadlineExceeded if kind == "deaf" else WorkerCrashed), kind
        for _ in range(100):
            after = held(tmp_path.name, places)
            if all(after[what] <= before[what] for what in before):
                break
            time.sleep(0.1)
        for what, count in before.items():
            case = f"{what} after {CRASHES:,} crashes"
            ratio = (1 + after[what]) / (1 + count)
            measured.append(Row("Executor process", case, "before", after[what], count, ratio, 1.0, ""))

    benchmark.pedantic(measure, rounds=1)
    keep(measured, benchmark, report)

"""What saving, loading and listing models costs, against the same durable steps by hand: see README.md."""

import functools
import hashlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aimm import store
from benchmarks.bench_calls import keep
from benchmarks.harness import Row
from store_faults import manager

SIZES = {"1 kB": 1000, "1 MB": 10**6, "1 GB": 10**9}
ROUNDS = {"1 kB": 300, "1 MB": 50, "1 GB": 3}
VERSIONS = 100_000
CHUNK = 1 << 20
ROOM = 400
"""Bytes for what a file written by hand says about its model, about as many as a model file has."""
FACTS = {
    **{"model_type": "x", "distribution": "aimm-x", "version": "1.0", "aimm": "0.1.0", "python": "3.11.0"},
    **{"signed_by": None, "example": None},
}
HOST = manager()

MEASURE_MEMORY = """
import sys
from aimm import store
from store_faults import manager
def most():  # since this program began, unlike getrusage, which knows the parent's
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
host, before = manager(), most()
if sys.argv[2] == "save":
    payload = b"x" * int(sys.argv[3])
    before = most()
    store.save_model(sys.argv[1], "x", payload, manager=host)
else:
    store.load_model(sys.argv[1], manager=host)
print((most() - before) * 1024)
"""


def save_by_hand(path: Path, instance: bytes) -> None:
    """What a host writes around ``exec_serialize`` itself: the same facts, in the same steps to the disk."""
    payload = memoryview(HOST.exec_serialize("x", instance))
    facts = {**FACTS, "created": datetime.now(UTC).isoformat(), "length": len(payload)}
    temporary, sha256 = f"{path}.tmp", hashlib.sha256()
    with open(temporary, "wb", buffering=0) as file:
        file.write(bytes(ROOM))
        for start in range(0, len(payload), CHUNK):
            sha256.update(payload[start : start + CHUNK])
            file.write(payload[start : start + CHUNK])
        file.seek(0)
        file.write(json.dumps({**facts, "sha256": sha256.hexdigest()}).encode().ljust(ROOM))
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def load_by_hand(path: Path) -> object:
    """Read the facts and the payload, check the payload's digest, deserialise."""
    with open(path, "rb") as file:
        facts, payload = json.loads(file.read(ROOM)), file.read()
    assert facts["sha256"] == hashlib.sha256(payload).hexdigest()
    return HOST.exec_deserialize(facts["model_type"], payload)


def forget(path: Path) -> None:
    """Have the system forget what it keeps of a file in memory: the next reader gets it from the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def in_turn(
    rounds: int,
    subject: Callable[[], object],
    reference: Callable[[], object],
    before: Callable[[], object] = lambda: None,
) -> tuple[float, float, float]:
    """The median of both, in microseconds, and the median of the ratios of neighbours."""
    taken: list[tuple[float, float]] = []
    for number in range(rounds):
        pair = {}
        for call in (subject, reference) if number % 2 else (reference, subject):
            before()
            start = time.perf_counter()
            call()
            pair[call] = time.perf_counter() - start
        taken.append((pair[subject], pair[reference]))
    ours, theirs = (statistics.median(column) * 1e6 for column in zip(*taken, strict=True))
    return ours, theirs, statistics.median(a / b for a, b in taken)


@pytest.mark.parametrize("size", SIZES)
def test_files(benchmark: Callable, report: list[Row], tmp_path: Path, size: str) -> None:
    """Saving and loading a model file."""
    payload, measured = os.urandom(SIZES[size]), []
    ours, theirs = tmp_path / "ours.aimm", tmp_path / "theirs"

    def save() -> object:
        return store.save_model(ours, "x", payload, manager=HOST)

    def load() -> object:
        return store.load_model(ours, manager=HOST)

    def measure() -> None:
        by_hand = functools.partial(save_by_hand, theirs, payload), functools.partial(load_by_hand, theirs)
        for action, ours_, theirs_ in zip(("save", "load"), (save, load), by_hand, strict=True):
            ours_(), theirs_()
            values = in_turn(ROUNDS[size], ours_, theirs_)
            measured.append(Row("Model files", f"{action} {size}", "by hand", *values, 1.1, "us"))
        values = in_turn(ROUNDS[size], load, by_hand[1], lambda: (forget(ours), forget(theirs)))
        measured.append(Row("Model files", f"load {size} from the disk", "by hand", *values, None, "us"))

    benchmark.pedantic(measure, rounds=1)
    keep(measured, benchmark, report)


def test_memory_of_files(benchmark: Callable, report: list[Row], tmp_path: Path) -> None:
    """What a process needs beside what it holds: nothing to save 1 GB, the payload once to load it."""
    measured = []

    def measure() -> None:
        size = SIZES["1 GB"]
        for action, allowed in (("save", CHUNK * 16), ("load", size)):
            command = [sys.executable, "-c", MEASURE_MEMORY, str(tmp_path / "m"), action, str(size)]
            done = subprocess.run(
                command,
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            )
            needed = int(done.stdout)
            against = "16 MiB" if action == "save" else "payload"
            # One per cent for the interpreter's own buffers.
            row = Row("Memory", f"{action} 1 GB", against, needed, allowed, needed / allowed, 1.01, "B")
            measured.append(row)

    benchmark.pedantic(measure, rounds=1)
    keep(measured, benchmark, report)


def test_listing(benchmark: Callable, report: list[Row], tmp_path: Path) -> None:
    """Listing 100,000 versions, against one second."""
    models = store.ModelStore(tmp_path / "models")
    models.save("first", "x", b"", manager=HOST)
    with sqlite3.connect(tmp_path / "models" / "index.sqlite") as database:
        database.execute("DELETE FROM versions")
        database.executemany(
            "INSERT INTO versions VALUES (?, ?, ?, 'sklearn.svm.SVC', 'aimm-sklearn', '1.0', ?, 1000, ?)",
            [
                (f"model-{n % 1000}", n // 1000 + 1, f"{n:064x}", "2026-01-01", json.dumps({"accuracy": n / VERSIONS}))
                for n in range(VERSIONS)
            ],
        )
        database.executemany("INSERT INTO aliases VALUES (?, 'production', 1)", [(f"model-{n}",) for n in range(1000)])
    database.close()
    taken: list[tuple[float, float]] = []

    def measure() -> None:
        start, busy = time.perf_counter(), time.process_time()
        assert len(models.list()) == VERSIONS
        taken.append((time.perf_counter() - start, time.process_time() - busy))

    benchmark.pedantic(measure, rounds=10)
    best, busy = (min(column) * 1e3 for column in zip(*taken, strict=True))
    start = time.perf_counter()
    assert len(models.list(where=[("accuracy", ">=", 0.99)])) == VERSIONS / 100
    searched = (time.perf_counter() - start) * 1e3
    measured = [
        Row("Store", f"list {VERSIONS:,} versions", "1 s", best, 1000, best / 1000, 1.0, "ms"),
        Row("Store", "of that, processor time", "1 s", busy, 1000, busy / 1000, None, "ms"),
        Row("Store", f"search {VERSIONS:,} versions", "1 s", searched, 1000, searched / 1000, 1.0, "ms"),
    ]
    keep(measured, benchmark, report)

"""Finding plugins among thousands, beside every peer: see README.md. Writes what docs/explanation/speed.md shows."""

import importlib.metadata
import os
import platform
import shutil
import statistics
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from benchmarks.bench_calls import keep
from benchmarks.discovery import ROUNDS, SIZES, Bench, Cell, ratio, table
from benchmarks.harness import Row
from benchmarks.plot import svg

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "speed.md"
PLOT = PAGE.with_suffix(".svg")
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
LIBRARIES = ("importlib_metadata", "stevedore", "plux", "pluggy", "catalogue")
MANY = 1000


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A folder beside the sources, deleted afterwards."""
    folder = ROOT / ".benchmarks" / "discovery"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield Bench(folder)
    shutil.rmtree(folder)


def test_discovery(benchmark: Callable, report: list[Row], bench: Bench) -> None:
    """Every peer at every size; BENCH_SIZES and BENCH_ROUNDS make it shorter."""
    chosen = os.environ.get("BENCH_SIZES")
    sizes = tuple(map(int, chosen.split(","))) if chosen else SIZES
    rounds = int(os.environ.get("BENCH_ROUNDS", ROUNDS))
    cells: list[Cell] = []
    benchmark.pedantic(lambda: cells.extend(cell for n in sizes for cell in bench.cells(n, rounds)), rounds=1)
    keep(rows(cells, min(MANY, max(sizes))), benchmark, report)
    commands = bench.commands(min(MANY, max(sizes)), rounds)
    keep(command_rows(commands), benchmark, report)
    write(cells, commands)


def rows(cells: list[Cell], number: int) -> Iterator[Row]:
    """The aims: what a cached index and a cold one cost."""
    by_name = {(cell.peer, cell.task): cell for cell in cells if cell.number == number}
    section = f"Among {number:,} plugins and 300 other distributions, without the import of the library"
    for case, task, limit in (("find one, warm", "resolves", 1), ("list, warm", "lists", 5)):
        taken = by_name["aimm, warm", task].milliseconds("works")
        yield Row(section, case, f"{limit} ms", taken, limit, taken / limit, 1.0, "ms")
    for case, ours, other, aim in (
        ("list, warm", ("aimm, warm", "lists"), ("stevedore, warm", "lists"), 0.25),
        ("list, warm", ("aimm, warm", "lists"), ("plux, warm", "lists"), None),
        ("list, cold", ("aimm, cold", "lists"), ("importlib_metadata", "lists"), 1 / 3),
        ("get one, warm", ("aimm, warm", "finds"), ("stevedore, warm", "finds"), None),
        ("get one, warm", ("aimm, warm", "finds"), ("pluggy", "finds"), None),
    ):
        one, two = by_name[ours], by_name[other]
        times = one.milliseconds("works"), two.milliseconds("works")
        yield Row(section, case, other[0], *times, ratio(one, two, "works"), aim, "ms")


def command_rows(taken: dict[str, list[float]]) -> Iterator[Row]:
    """Commands of ours against a script that lists the same plugins through stevedore with a warm cache."""
    theirs = taken["stevedore"]
    for name, times in taken.items():
        if name != "stevedore":
            both = statistics.median(times) * 1e3, statistics.median(theirs) * 1e3
            times_theirs = statistics.median(a / b for a, b in zip(times, theirs, strict=True))
            yield Row("Whole processes that print into a pipe", name, "stevedore list", *both, times_theirs, 1.0, "ms")


def write(cells: list[Cell], commands: dict[str, list[float]]) -> None:
    """Put table and plot into the documentation."""
    lines = {
        cell.peer: [(c.number, c.milliseconds()) for c in cells if (c.peer, c.task) == (cell.peer, "lists")]
        for cell in cells
        if cell.task == "lists"
    }
    PLOT.write_text(
        svg("List all plugins, with the library's import", "plugins", "milliseconds on the processor", lines), "utf-8"
    )
    theirs = commands["stevedore"]
    ratios = {
        name: statistics.median(a / b for a, b in zip(taken, theirs, strict=True)) for name, taken in commands.items()
    }
    whole = ", ".join(f"`{name}` {value:.2f}" for name, value in ratios.items() if name.startswith("aimm"))
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    measured = [
        *table(cells),
        "Whole processes that print into a pipe, against a script that lists the same plugins through stevedore with a "
        f"warm cache: {whole}, completing a name {ratios['completing a name']:.2f}.",
        "",
        machine(),
    ]
    PAGE.write_text("\n".join((before + BEGIN, *measured, END + after)), "utf-8")


def machine() -> str:
    """What the numbers were measured with."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    return f"Measured {date.today()} with {python} on {system}; {versions}."

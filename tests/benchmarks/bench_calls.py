"""What a call costs, in ratios: see README.md."""

from collections.abc import Callable, Iterable

import pytest

from benchmarks import cases
from benchmarks.harness import GENERATIONS, Row, one_generation, rows


@pytest.mark.parametrize("group", ["calls", "hooks", "flat", "handles"])
def test_calls(benchmark: Callable, report: list[Row], original: str | None, group: str) -> None:
    """One group of comparisons; each round of the benchmark is one generation of processes."""
    made = {
        "calls": lambda: cases.calls(original),
        "hooks": cases.hooks,
        "flat": lambda: cases.flat(original),
        "handles": cases.handles,
    }
    comparisons = list(made[group]())
    timed = [each for comparison in comparisons for each in (comparison.subject, comparison.reference)]
    generations: list = []
    benchmark.pedantic(lambda: generations.append(one_generation(timed)), rounds=GENERATIONS)
    keep(rows(comparisons, generations), benchmark, report)


def keep(measured: Iterable[Row], benchmark: Callable, report: list[Row]) -> None:
    """Put the rows into the table at the end and into ``--benchmark-json``."""
    for row in measured:
        report.append(row)
        benchmark.extra_info[f"{row.section}: {row.case} | {row.against}"] = row._asdict() | {"verdict": row.verdict}

"""Ratios between statements that are timed in turn, each in a process of its own world of plugins."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

WORKER = Path(__file__).with_name("worker.py")
GENERATIONS = 5
"""How often all processes are started anew: where a process puts its objects in memory is worth some per cent."""
ROUNDS = 25
SAMPLE = 0.004  # seconds; long for the clock, short against what else runs on the machine


class World(NamedTuple):
    """What a measured process holds.

    Attributes:
        python: Its interpreter, which decides whose ``aimm`` it has.
        types: How many model types are declared.
        wrappers: How many wrappers stand around every action.
    """

    python: str = sys.executable
    types: int = 1
    wrappers: int = 0


class Timed(NamedTuple):
    """A statement in a world. ``per`` is how many calls one execution makes."""

    statement: str
    world: World
    per: int = 1


class Comparison(NamedTuple):
    """One line of the table.

    Attributes:
        section: Under which heading it stands.
        case: What is measured.
        subject: Ours.
        reference: What it is compared with.
        against: What that is called.
        aim: The ratio to stay below; None if it is for information.
    """

    section: str
    case: str
    subject: Timed
    reference: Timed
    against: str
    aim: float | None = None


class Row(NamedTuple):
    """A measured line of the table: two quantities of the same unit, and their ratio."""

    section: str
    case: str
    against: str
    subject: float
    reference: float
    ratio: float
    aim: float | None = None
    unit: str = "ns"

    @property
    def verdict(self) -> str:
        """Whether the aim is met, in a word."""
        return "" if self.aim is None else "met" if self.ratio <= self.aim else "NOT MET"


class Worker:
    """A running measured process."""

    def __init__(self, world: World) -> None:
        command = [world.python, str(WORKER), str(world.types), str(world.wrappers)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, statement: str, number: int) -> float:
        """The seconds that ``number`` executions take."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        print(json.dumps([statement, number]), file=stdin, flush=True)
        answer = stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker ended while it timed {statement!r}")
        return float(json.loads(answer))

    def stop(self) -> None:
        """End the process."""
        with self._process:  # closes the pipe, at which the worker ends
            pass


def one_generation(timed: Iterable[Timed], rounds: int = ROUNDS) -> dict[Timed, float]:
    """The shortest time of each statement, in seconds per call, from processes started for this."""
    timed = list(dict.fromkeys(timed))
    workers = {world: Worker(world) for world in {each.world for each in timed}}
    try:
        number = {each: max(1, int(SAMPLE / _warm(workers[each.world], each.statement))) for each in timed}
        best = dict.fromkeys(timed, float("inf"))
        for _ in range(rounds):
            for each in timed:
                seconds = workers[each.world](each.statement, number[each]) / number[each] / each.per
                best[each] = min(best[each], seconds)
        return best
    finally:
        for worker in workers.values():
            worker.stop()


def _warm(worker: Worker, statement: str) -> float:
    worker(statement, 20)
    return min(worker(statement, 100) for _ in range(5)) / 100


def rows(comparisons: Sequence[Comparison], generations: Sequence[dict[Timed, float]]) -> list[Row]:
    """Join the generations: the median of their ratios, and the best times."""
    return [
        Row(
            c.section,
            c.case,
            c.against,
            min(times[c.subject] for times in generations) * 1e9,
            min(times[c.reference] for times in generations) * 1e9,
            statistics.median(times[c.subject] / times[c.reference] for times in generations),
            c.aim,
        )
        for c in comparisons
    ]


def table(measured: Sequence[Row]) -> list[str]:
    """The rows as lines, a heading before each section."""
    lines, section = [], None
    for row in measured:
        if row.section != section:
            section = row.section
            lines += ["", section, f"  {'':44} {'ours':>9} {'other':>9}      ratio   aim"]
        aim = f"{row.aim:5.2f}  {row.verdict}" if row.aim is not None else "    -"
        case = f"{row.case} | {row.against}"
        lines.append(f"  {case:44} {row.subject:9,.0f} {row.reference:9,.0f} {row.unit:4} {row.ratio:6.2f} {aim}")
    return lines

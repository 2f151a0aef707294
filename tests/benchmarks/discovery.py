"""Measures what it costs peers to list plugins and to get one, each in a fresh process, in turn.

Counted is the time on the processor: what a process takes where nothing else runs, whatever else runs here.
"""

import compileall
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers import GROUP, OURS, PEERS, STEVEDORE, Peer
from support import FakeSite

OTHERS = 300
SIZES = (10, 100, 1000, 3000)
ROUNDS = 5
_SCRIPT = """
import time
start = time.process_time()
{imports}
imported = time.process_time()
result = {expression}
done = time.process_time()
assert result and (type(result) is not list or len(result) in (1, {number})), result
print(imported - start, done - imported)
"""


class Taken(NamedTuple):
    """The seconds of one run."""

    imports: float
    works: float

    @property
    def both(self) -> float:
        """What a process pays that does nothing else."""
        return self.imports + self.works


class Cell(NamedTuple):
    """What one peer does with so many plugins: the runs, one for each round."""

    peer: str
    task: str
    number: int
    runs: tuple[Taken, ...]

    def milliseconds(self, part: str = "both") -> float:
        """The median over the rounds."""
        return statistics.median(getattr(run, part) for run in self.runs) * 1e3


def ratio(one: Cell, other: Cell, part: str = "both") -> float:
    """The median over the rounds of how many times longer one takes than the other."""
    pairs = zip(one.runs, other.runs, strict=True)
    return statistics.median(getattr(a, part) / getattr(b, part) for a, b in pairs)


def processor_seconds(
    command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> float:
    """What a whole process that prints into a pipe takes on the processor."""

    def used() -> float:
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        return spent.ru_utime + spent.ru_stime

    before = used()
    subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)
    return used() - before


def make_tree(folder: Path, number: int, others: int = OTHERS) -> Path:
    """Install fake distributions: plugins ``dist<n>`` with one class each, and others, some with console scripts."""
    site = FakeSite(folder)
    for index in range(number):
        name = f"dist{index}"
        points = {group: {name: f"{name}:Model"} for group in ("aimm.models", GROUP)}
        methods = "fit = predict = serialize = deserialize = lambda self, *arguments: self"
        modules = {name: f"class Model:\n    {methods}\n"}
        site.add(name, entry_points=points, modules=modules, summary="A plugin that nobody needs")
    for index in range(others):
        scripts = {"console_scripts": {f"tool{index}": f"tool{index}:main"}}
        site.add(f"other{index}", entry_points=scripts if index % 3 == 0 else None)
    compileall.compile_dir(site.path, quiet=1)  # else the first import of a plugin changes the folder
    return site.path


class Bench:
    """A place to measure in, outside the folder for temporary files: stevedore uses no cache for interpreters there.

    Args:
        folder: Where trees and caches go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def cells(self, number: int, rounds: int = ROUNDS) -> list[Cell]:
        """Every peer at every task, among so many plugins."""
        tree = make_tree(self.folder / f"tree{number}", number)
        tasks = [(peer, task) for peer in PEERS for task in ("lists", "finds", "resolves") if getattr(peer, task)]
        time.sleep(2.1)  # what changed just now is not cached
        runs: dict[tuple[Peer, str], list[Taken]] = {each: [] for each in tasks}
        for each in tasks:
            self._run(*each, number, tree)  # fills caches, and compiles
        for _ in range(rounds):
            for each in tasks:
                runs[each].append(self._run(*each, number, tree))
        return [Cell(peer.name, task, number, tuple(taken)) for (peer, task), taken in runs.items()]

    def _run(self, peer: Peer, task: str, number: int, tree: Path) -> Taken:
        cache = self.folder / f"cache {peer.name} {number}"
        if peer.is_warm is False:
            shutil.rmtree(cache, ignore_errors=True)
        expression = getattr(peer, task).format(name=f"dist{number // 2}")
        script = _SCRIPT.format(imports=peer.imports, expression=expression, number=number)
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=self._environment(cache, tree),
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return Taken(*map(float, done.stdout.split()))

    def commands(self, number: int, rounds: int = ROUNDS) -> dict[str, list[float]]:
        """The seconds that whole processes take which print into a pipe: commands of ours, and a stevedore script."""
        tree, cache = self.folder / f"tree{number}", self.folder / "cache of commands"
        aimm = [sys.executable, "-P", "-m", "aimm.cli"]
        script = f"{STEVEDORE.imports}\nfor name in {STEVEDORE.lists}: print(name)"
        complete = {"_AIMM_COMPLETE": "bash_complete", "COMP_WORDS": "aimm plugins show dist1", "COMP_CWORD": "3"}
        commands: dict[str, tuple[Sequence[str], dict[str, str]]] = {
            "stevedore": ([sys.executable, "-c", script], {}),
            "aimm --help": ([*aimm, "--help"], {}),
            "aimm plugins list": ([*aimm, "plugins", "list"], {}),
            "completing a name": (aimm, complete),
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(rounds + 1):
            for name, (command, variables) in commands.items():
                seconds = processor_seconds(command, {**self._environment(cache, tree), **variables}, self.folder)
                if turn:  # the first fills the caches
                    taken[name].append(seconds)
        return taken

    @staticmethod
    def _environment(cache: Path, tree: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIMM_", "PYTHON"))}
        return {**kept, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(tree)}


def table(cells: Sequence[Cell]) -> Iterator[str]:
    """The cells as a Markdown table: milliseconds, and how many times ours."""
    ours = {(cell.task, cell.number): cell for cell in cells if cell.peer == f"{OURS.name}, warm"}
    numbers = sorted({cell.number for cell in cells})
    for task, title in (("lists", "List all plugins"), ("finds", "Get one plugin by name, and import it")):
        yield f"**{title}**: milliseconds with the library's import (times ours)"
        yield ""
        yield "| | " + " | ".join(f"{number:,} plugins" for number in numbers) + " |"
        yield "|---|" + "--:|" * len(numbers)
        for peer in PEERS:
            row = {cell.number: cell for cell in cells if (cell.peer, cell.task) == (peer.name, task)}
            if row:
                shown = (f"{row[n].milliseconds():.0f} ({ratio(row[n], ours[task, n]):.1f})" for n in numbers)
                yield f"| {peer.name} | " + " | ".join(shown) + " |"
        yield ""

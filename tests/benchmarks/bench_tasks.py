"""What calling a task costs, in ratios: see README.md."""

from collections.abc import Callable, Iterator

from benchmarks.bench_calls import keep
from benchmarks.harness import GENERATIONS, Comparison, Row, Timed, World, one_generation, rows

CALLS = (
    ("call, one positional", "call(t, x)", "task(x)"),
    ("call, two keywords", "call(t, x=x, y=y)", "task(x=x, y=y)"),
    ("call_task, one positional", "call_task(found, (x,))", "task(x)"),
    ("call_task, two keywords", "call_task(found, (), {'x': x, 'y': y})", "task(x=x, y=y)"),
)


def comparisons() -> Iterator[Comparison]:
    """Tasks by name and by record, against a plain call, a route handle, and a pluggy hook with the same wrapper."""
    for case, ours, plain in CALLS:
        yield Comparison("Tasks, against a plain call", case, Timed(ours, World()), Timed(plain, World()), "plain call")
    route = Timed("route.predict(inst, cb, x)", World())
    for case, ours, _ in (CALLS[0], CALLS[2]):
        aim = 3 if case.startswith("call_task") else 5
        yield Comparison("Tasks, against a route handle", case, Timed(ours, World()), route, "route.predict", aim)
    world = World(wrappers=1)
    hook = Timed("hook.run_task(task=t, state_cb=cb, args=(x,), kwargs={})", world)
    for case, ours, _ in (CALLS[0], CALLS[2]):
        yield Comparison("Tasks with 1 wrapper, against a pluggy hook", case, Timed(ours, world), hook, "pluggy", 1.5)


def test_tasks(benchmark: Callable, report: list[Row]) -> None:
    """Each round of the benchmark is one generation of processes."""
    compared = list(comparisons())
    timed = [each for comparison in compared for each in (comparison.subject, comparison.reference)]
    generations: list = []
    benchmark.pedantic(lambda: generations.append(one_generation(timed)), rounds=GENERATIONS)
    keep(rows(compared, generations), benchmark, report)

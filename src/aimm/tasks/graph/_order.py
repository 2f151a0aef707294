"""In which order steps run, and which of them wait for each other for ever."""

from collections.abc import Iterable, Mapping

from aimm.tasks.graph._issues import Issues
from aimm.tasks.graph._model import ArtifactOutput, Model, Step


def needs_of(model: Model, taker: Step | ArtifactOutput) -> tuple[str, ...]:
    """The steps that a step or artifact output takes values from, in order, each once."""
    steps, parameters = model.steps, model.parameters
    names = (reference.name for _, reference in taker.references)
    return tuple(dict.fromkeys(name for name in names if name in steps and name not in parameters))


def edges_of(model: Model) -> dict[str, tuple[str, ...]]:
    """Each step with the steps that it waits for, in the order of the document."""
    steps = model.steps
    return {
        name: tuple(dict.fromkeys([*needs_of(model, step), *(one for one in step.dependencies if one in steps)]))
        for name, step in steps.items()
    }


def order_of(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """The steps, each after those that it waits for; what is free to choose follows the order of the document.

    Raises:
        graphlib.CycleError: Some wait for each other.
    """
    from graphlib import TopologicalSorter

    return list(TopologicalSorter(edges).static_order())


def report_cycles(edges: Mapping[str, tuple[str, ...]], issues: Issues) -> bool:
    """Add an issue for each cycle; cycles that share a step may be told as one.

    Returns:
        Whether there are any.
    """
    cycles = cycles_of(edges)
    for cycle in cycles:
        what = "the step waits for itself" if len(cycle) == 1 else "steps wait for each other"
        issues.error("cycle", f"{what}: {trail_of(cycle)}", ("graph", cycle[0]))
    return bool(cycles)


def cycles_of(edges: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """Each cycle; those that share a member may be given as one."""
    left = _in_cycles(edges)
    seen: set[str] = set()
    found = []
    for start in edges:
        trail: dict[str, int] = {}
        name = start
        while name in left and name not in seen and name not in trail:
            trail[name] = len(trail)
            name = next(other for other in edges[name] if other in left)
        if name in trail:
            found.append(list(trail)[trail[name] :])
        seen.update(trail)
    return found


def trail_of(cycle: list[str]) -> str:
    """A cycle as people read it, from its first member back to that one."""
    return " -> ".join([*cycle, cycle[0]] if len(cycle) < 12 else [*cycle[:10], "...", cycle[0]])


def _in_cycles(edges: Mapping[str, tuple[str, ...]]) -> set[str]:
    """What lies on a cycle or waits for one: what is left when all that can run has run."""
    waiting = {name: len(needed) for name, needed in edges.items()}
    users: dict[str, list[str]] = {name: [] for name in edges}
    for name, needed in edges.items():
        for other in needed:
            users[other].append(name)
    free = [name for name, count in waiting.items() if not count]
    while free:
        for user in users[free.pop()]:
            waiting[user] -= 1
            if not waiting[user]:
                free.append(user)
    return {name for name, count in waiting.items() if count}

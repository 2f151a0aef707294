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
    left = _in_cycles(edges)
    seen: set[str] = set()
    for start in edges:
        trail: dict[str, int] = {}
        step = start
        while step in left and step not in seen and step not in trail:
            trail[step] = len(trail)
            step = next(other for other in edges[step] if other in left)
        if step in trail:
            cycle = list(trail)[trail[step] :]
            shown = [*cycle, cycle[0]] if len(cycle) < 12 else [*cycle[:10], "...", cycle[0]]
            what = "the step waits for itself" if len(cycle) == 1 else "steps wait for each other"
            issues.error("cycle", f"{what}: {' -> '.join(shown)}", ("graph", cycle[0]))
        seen.update(trail)
    return bool(left)


def _in_cycles(edges: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Steps that lie on a cycle or wait for one: what is left when all that can run has run."""
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

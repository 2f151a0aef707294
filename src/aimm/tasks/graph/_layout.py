"""Where boxes go: in layers from top to bottom, with few crossings and short arrows.

The usual three stages for layered drawings (Sugiyama, Tagawa and Toda, 1981): a layer for each box, an order inside
each layer by the barycentres of neighbours, then coordinates that pull boxes towards their neighbours.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

GAP, HEIGHT, ROW = 28.0, 44.0, 96.0
"""Space between boxes of a layer, height of a box, distance of layers; in pixels."""


class Place(NamedTuple):
    """Centre and width of a box; of a bend in an arrow, with width 0."""

    x: float
    y: float
    width: float


class Layout(NamedTuple):
    """The places of boxes, and for each arrow the points that it goes through."""

    places: dict[str, Place]
    routes: list[list[tuple[float, float]]]
    width: float
    height: float


def lay_out(widths: Mapping[str, float], arrows: Sequence[tuple[str, str]]) -> Layout:
    """Place boxes and arrows.

    Args:
        widths: The boxes with their widths, in pixels.
        arrows: Pairs of boxes; those that close a cycle are drawn upwards.
    """
    forward = _without_cycles(list(widths), arrows)
    layer = _layers(list(widths), forward)
    chains, rows = _with_bends(widths, layer, arrows)
    links = [(upper, lower) for chain in chains for upper, lower in pairwise(chain)]
    links = [(a, b) if layer[a] < layer[b] else (b, a) for a, b in links]
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for upper, lower in links:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    _order_rows(rows, above, below)
    x = _coordinates(rows, {**dict.fromkeys(layer, 0.0), **widths}, above, below)
    left = min((x[n] - widths.get(n, 0) / 2 for n in x), default=0) - GAP
    places = {n: Place(x[n] - left, GAP + HEIGHT / 2 + layer[n] * ROW, widths.get(n, 0)) for n in x}
    width = max((p.x + p.width / 2 for p in places.values()), default=0) + GAP
    routes = [[(places[n].x, places[n].y) for n in chain] for chain in chains]
    return Layout({n: places[n] for n in widths}, routes, width, len(rows) * ROW - ROW + HEIGHT + 2 * GAP)


def _without_cycles(nodes: list[str], arrows: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Arrows by target; those that would lead back to where a walk came from are turned round."""
    targets: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in arrows:
        if source != target:
            targets[source].append(target)
    sources: dict[str, list[str]] = {node: [] for node in nodes}
    state = dict.fromkeys(nodes, 0)
    for start in nodes:
        stack = [(start, iter(targets[start]))] if not state[start] else []
        state[start] = state[start] or 1
        while stack:
            node, rest = stack[-1]
            target = next(rest, "")
            if not target:
                state[node] = 2
                stack.pop()
            elif state[target] == 1:
                sources[node].append(target)
            else:
                sources[target].append(node)
                if not state[target]:
                    state[target] = 1
                    stack.append((target, iter(targets[target])))
    return sources


def _layers(nodes: list[str], sources: Mapping[str, list[str]]) -> dict[str, int]:
    """The longest way to each box; sources without a way to them move down beside what they feed."""
    from graphlib import TopologicalSorter

    order = list(TopologicalSorter(sources).static_order())
    layer: dict[str, int] = {}
    for node in order:
        layer[node] = max((layer[source] + 1 for source in sources[node]), default=0)
    users: dict[str, list[str]] = {}
    for node in nodes:
        for source in sources[node]:
            users.setdefault(source, []).append(node)
    for node in reversed(order):
        if not sources[node] and node in users:
            layer[node] = min(layer[user] for user in users[node]) - 1
    return layer


def _with_bends(
    widths: Mapping[str, float], layer: dict[str, int], arrows: Sequence[tuple[str, str]]
) -> tuple[list[list[str]], list[list[str]]]:
    """Give an arrow that passes layers a bend in each of them; ``layer`` gets these too."""
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for node in widths:
        rows[layer[node]].append(node)
    chains = []
    for index, (source, target) in enumerate(arrows):
        chain, step = [source], 1 if layer[target] >= layer[source] else -1
        for row in range(layer[source] + step, layer[target], step) if source != target else ():
            bend = f"bend {index} {row}"
            layer[bend] = row
            rows[row].append(bend)
            chain.append(bend)
        chains.append([*chain, target])
    return chains, rows


def _order_rows(rows: list[list[str]], above: Mapping[str, list[str]], below: Mapping[str, list[str]]) -> None:
    place = {node: index / max(1, len(row) - 1) for row in rows for index, node in enumerate(row)}
    for sweep in range(8):
        neighbours = below if sweep % 2 else above
        for row in reversed(rows) if sweep % 2 else rows:
            centre = {}
            for node in row:
                around = neighbours.get(node)
                centre[node] = sum(place[n] for n in around) / len(around) if around else place[node]
            row.sort(key=centre.__getitem__)
            place.update({node: index / max(1, len(row) - 1) for index, node in enumerate(row)})


def _coordinates(
    rows: list[list[str]],
    widths: Mapping[str, float],
    above: Mapping[str, list[str]],
    below: Mapping[str, list[str]],
) -> dict[str, float]:
    x: dict[str, float] = {}
    for row in rows:
        position = 0.0
        for node in row:
            x[node] = position + widths[node] / 2
            position += widths[node] + GAP
        shift = (position - GAP) / 2
        for node in row:
            x[node] -= shift
    for sweep in range(24):
        for row in reversed(rows) if sweep % 2 else rows:
            wanted = []
            for node in row:
                around = [*above.get(node, ()), *below.get(node, ())]
                wanted.append(sum(x[n] for n in around) / len(around) if around else x[node])
            for node, place in zip(row, _apart(row, wanted, widths), strict=True):
                x[node] = place
    return x


def _apart(row: list[str], wanted: list[float], widths: Mapping[str, float]) -> list[float]:
    """The places nearest to the wanted ones at which boxes do not touch: runs that would are moved as one."""
    offsets, total = [], 0.0
    for index, node in enumerate(row):
        if index:
            total += (widths[row[index - 1]] + widths[node]) / 2 + GAP
        offsets.append(total)
    blocks: list[tuple[float, int]] = []  # mean of (wanted - offset), size: pool adjacent violators
    for place, offset in zip(wanted, offsets, strict=True):
        mean, size = place - offset, 1
        while blocks and blocks[-1][0] >= mean:
            other, count = blocks.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        blocks.append((mean, size))
    starts = [mean for mean, size in blocks for _ in range(size)]
    return [start + offset for start, offset in zip(starts, offsets, strict=True)]

"""A graph as an SVG picture that needs no library and no script."""

from collections.abc import Iterator
from html import escape
from itertools import pairwise
from unicodedata import east_asian_width

from aimm.tasks.graph._layout import HEIGHT, Layout, lay_out
from aimm.tasks.graph._model import Model
from aimm.tasks.graph._show import Node, picture_of

_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2933; text-anchor: middle }
  .detail { font-size: 10.5px; fill: #52606d }
  .label { font-size: 10.5px; fill: #52606d; paint-order: stroke; stroke: #fff; stroke-width: 4px }
  .box { stroke-width: 1.2 }
  .step { fill: #e6f0fb; stroke: #2f6fb5 } .artifact { fill: #e9f6ec; stroke: #2e8b57 }
  .input { fill: #f3ecfa; stroke: #7b519d } .parameter { fill: #fdf4e3; stroke: #b7791f }
  .arrow { fill: none; stroke: #7b8794; stroke-width: 1.3 } .then { stroke-dasharray: 5 4 }
"""
_LINES = 3
"""How many outputs are named on one arrow."""
_PARTS = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)
"""Where on a curve a label is tried."""
_CELL = 64.0
"""Width and height of a cell of the grid, in pixels."""
Curve = tuple[float, float, float, float]
"""Start and end of a curve; or centre and size of a box."""


def as_svg(model: Model) -> str:
    """Draw a graph: parameters and artifact inputs above what takes them, artifacts below what makes them."""
    picture = picture_of(model)
    outputs: dict[tuple[str, str], list[str]] = {}
    for source, target, label in picture.edges:
        outputs.setdefault((source, target), []).append(label)
    widths = {node.key: _width(node) for node in picture.nodes}
    layout = lay_out(widths, list(outputs))
    routes = [_curves(route) for route in layout.routes]
    arrows = [_arrow(route, labels == ["then"]) for route, labels in zip(routes, outputs.values(), strict=True)]
    labels = _labels(routes, [[one for one in names if one not in ("", "then")] for names in outputs.values()], layout)
    boxes = [line for node in picture.nodes for line in _box(node, layout)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width:.0f}" height="{layout.height:.0f}"'
            f' viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" role="img">',
            f"<title>{escape(f'Task graph of {len(model.steps)} steps')}</title>",
            f"<style>{_STYLE}</style>",
            '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0,0.8 L7.5,4 L0,7.2 z" fill="#7b8794"/></marker></defs>',
            f'<rect width="{layout.width:.0f}" height="{layout.height:.0f}" fill="#fff"/>',
            *arrows,
            *boxes,
            *labels,
            "</svg>",
        ]
    )


def _width(node: Node) -> float:
    return max(72.0, _length(node.title, 13) + 28, _length(node.detail, 10.5) + 28)


def _length(text: str, size: float) -> float:
    """How wide a text may become, in pixels: nobody knows the font of the reader."""
    return size * sum(
        1.05 if east_asian_width(char) in "WF" or char in "mwMW@%" else 0.8 if char.isupper() else 0.6 for char in text
    )


def _text(text: str) -> str:
    """A text as XML, which has no control characters."""
    return escape("".join(char if char.isprintable() else "\ufffd" for char in text))


def _box(node: Node, layout: Layout) -> list[str]:
    place = layout.places[node.key]
    left, top = place.x - place.width / 2, place.y - HEIGHT / 2
    radius = HEIGHT / 2 if node.kind == "parameter" else 3 if node.kind == "artifact" else 8
    lines = [
        f'<rect class="box {node.kind}" x="{left:.1f}" y="{top:.1f}" width="{place.width:.1f}" height="{HEIGHT:.0f}"'
        f' rx="{radius:.0f}"/>',
        f'<text x="{place.x:.1f}" y="{place.y + (-2 if node.detail else 5):.1f}">{_text(node.title)}</text>',
    ]
    if node.detail:
        lines.append(f'<text class="detail" x="{place.x:.1f}" y="{place.y + 13:.1f}">{_text(node.detail)}</text>')
    return lines


def _arrow(route: list[Curve], waits_only: bool) -> str:
    path = f"M{route[0][0]:.1f},{route[0][1]:.1f}"
    for x0, y0, x1, y1 in route:
        middle = (y0 + y1) / 2
        path += f" C{x0:.1f},{middle:.1f} {x1:.1f},{middle:.1f} {x1:.1f},{y1:.1f}"
    return f'<path class="arrow{" then" if waits_only else ""}" d="{path}" marker-end="url(#end)"/>'


def _labels(routes: list[list[Curve]], names: list[list[str]], layout: Layout) -> list[str]:
    """The names of outputs on their arrows: the first place on each where nothing else is."""
    taken = _Taken()
    for box in layout.places.values():
        taken.add((box.x, box.y, box.width, HEIGHT))
    lines = []
    for route, texts in zip(routes, names, strict=True):
        shown = texts if len(texts) <= _LINES else [*texts[: _LINES - 1], f"and {len(texts) - _LINES + 1} more"]
        if not shown:
            continue
        width, height = max(_length(text, 10.5) for text in shown) + 4, 12.0 * len(shown)
        places = [
            (min(max(x, width / 2), max(layout.width - width / 2, width / 2)), y, width, height)
            for curve in route
            for x, y in (_point(curve, part) for part in _PARTS)
        ]
        place = next((one for one in places if taken.is_free(one)), places[0])
        taken.add(place)
        for index, text in enumerate(shown):
            y = place[1] + 12 * (index - (len(shown) - 1) / 2) + 3.5
            lines.append(f'<text class="label" x="{place[0]:.1f}" y="{y:.1f}">{_text(text)}</text>')
    return lines


class _Taken:
    """Where something is already: boxes, each by its centre and size, found by the cells of a grid that they cover."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[Curve]] = {}

    def add(self, box: Curve) -> None:
        for cell in self._covered(box):
            self._cells.setdefault(cell, []).append(box)

    def is_free(self, box: Curve) -> bool:
        x, y, width, height = box
        around = (other for cell in self._covered(box) for other in self._cells.get(cell, ()))
        return not any(abs(x - o[0]) * 2 < width + o[2] and abs(y - o[1]) * 2 < height + o[3] for o in around)

    def _covered(self, box: Curve) -> Iterator[tuple[int, int]]:
        x, y, width, height = box
        for column in range(int((x - width / 2) // _CELL), int((x + width / 2) // _CELL) + 1):
            for row in range(int((y - height / 2) // _CELL), int((y + height / 2) // _CELL) + 1):
                yield column, row


def _point(curve: Curve, part: float) -> tuple[float, float]:
    x0, y0, x1, y1 = curve
    rest = 1 - part
    near, far = rest**3 + 3 * rest**2 * part, 3 * rest * part**2 + part**3
    middle = 3 * rest * part * (y0 + y1) / 2
    return x0 * near + x1 * far, y0 * rest**3 + middle + y1 * part**3


def _curves(route: list[tuple[float, float]]) -> list[Curve]:
    """The pieces of an arrow, from the edge of one box to the edge of the other."""
    down = 1 if route[-1][1] >= route[0][1] else -1
    half = down * HEIGHT / 2
    points = [(route[0][0], route[0][1] + half), *route[1:-1], (route[-1][0], route[-1][1] - half - down)]
    return [(*start, *end) for start, end in pairwise(points)]

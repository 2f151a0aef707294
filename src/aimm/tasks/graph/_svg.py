"""A graph as an SVG picture that needs no library and no script."""

from html import escape
from itertools import pairwise

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


def as_svg(model: Model) -> str:
    """Draw a graph: parameters and artifact inputs above what takes them, artifacts below what makes them."""
    picture = picture_of(model)
    widths = {node.key: _width(node) for node in picture.nodes}
    layout = lay_out(widths, [(source, target) for source, target, _ in picture.edges])
    arrows = [
        line for (_, _, label), route in zip(picture.edges, layout.routes, strict=True) for line in _arrow(route, label)
    ]
    labels = [
        _label(route, label)
        for (_, _, label), route in zip(picture.edges, layout.routes, strict=True)
        if label not in ("", "then")
    ]
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
    return max(72.0, 7.6 * len(node.title) + 28, 5.9 * len(node.detail) + 28)


def _box(node: Node, layout: Layout) -> list[str]:
    place = layout.places[node.key]
    left, top = place.x - place.width / 2, place.y - HEIGHT / 2
    radius = HEIGHT / 2 if node.kind == "parameter" else 3 if node.kind == "artifact" else 8
    lines = [
        f'<rect class="box {node.kind}" x="{left:.1f}" y="{top:.1f}" width="{place.width:.1f}" height="{HEIGHT:.0f}"'
        f' rx="{radius:.0f}"/>',
        f'<text x="{place.x:.1f}" y="{place.y + (-2 if node.detail else 5):.1f}">{escape(node.title)}</text>',
    ]
    if node.detail:
        lines.append(f'<text class="detail" x="{place.x:.1f}" y="{place.y + 13:.1f}">{escape(node.detail)}</text>')
    return lines


def _arrow(route: list[tuple[float, float]], label: str) -> list[str]:
    points = _ends(route)
    path = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        path += f" C{x0:.1f},{middle:.1f} {x1:.1f},{middle:.1f} {x1:.1f},{y1:.1f}"
    return [f'<path class="arrow{" then" if label == "then" else ""}" d="{path}" marker-end="url(#end)"/>']


def _label(route: list[tuple[float, float]], label: str) -> str:
    points = _ends(route)
    (x0, y0), (x1, y1) = points[0], points[1]
    x, y = x0 + (x1 - x0) * 0.5, y0 + (y1 - y0) * 0.5
    return f'<text class="label" x="{x:.1f}" y="{y + 3:.1f}">{escape(label)}</text>'


def _ends(route: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The route from the edge of one box to the edge of the other."""
    down = 1 if route[-1][1] >= route[0][1] else -1
    half = down * HEIGHT / 2
    return [(route[0][0], route[0][1] + half), *route[1:-1], (route[-1][0], route[-1][1] - half - down)]

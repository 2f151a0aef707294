"""A line plot as SVG, both axes logarithmic. Small enough that no plotting library need be installed."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor, log10

_COLOURS = (
    "#d62728",
    "#ff9896",
    "#1f77b4",
    "#7f7f7f",
    "#2ca02c",
    "#98df8a",
    "#9467bd",
    "#c5b0d5",
    "#8c564b",
    "#17becf",
)
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 420, 60, 190, 40, 50


def svg(title: str, x_label: str, y_label: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw lines through points.

    Args:
        title: Stands above.
        x_label: Stands below.
        y_label: Stands at the left.
        lines: Name to its points, whose coordinates are positive.
    """
    xs = sorted({x for points in lines.values() for x, _ in points})
    ys = [y for points in lines.values() for _, y in points]
    low, high = floor(log10(min(ys))), ceil(log10(max(ys)))

    def place(x: float, y: float) -> tuple[float, float]:
        across = log10(x / xs[0]) / (log10(xs[-1] / xs[0]) or 1)
        up = (log10(y) - low) / (high - low or 1)
        return (
            _LEFT + across * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM),
        )

    def content() -> Iterator[str]:
        yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
        yield _text(_LEFT, 22, title, 'font-weight="bold"')
        yield _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, x_label, 'text-anchor="middle"')
        yield _text(15, _HEIGHT / 2, y_label, f'text-anchor="middle" transform="rotate(-90 15 {_HEIGHT / 2})"')
        for power in range(low, high + 1):
            _, y = place(xs[0], 10**power)
            yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
            yield _text(_LEFT - 6, y + 4, f"{10**power:g}", 'text-anchor="end"')
        for number in xs:
            x, _ = place(number, 10**low)
            yield _text(x, _HEIGHT - _BOTTOM + 18, f"{number:,.0f}", 'text-anchor="middle"')
        ends = sorted((place(*points[-1])[1], name) for name, points in lines.items())
        labels, bottom = {}, 0.0
        for y, name in ends:  # from above, each below the one before
            bottom = max(y + 4, bottom + 15)
            labels[name] = bottom
        for colour, (name, points) in zip(_COLOURS, lines.items(), strict=False):
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in (place(*point) for point in points))
            yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            yield _text(_WIDTH - _RIGHT + 8, labels[name], name, f'fill="{colour}"')

    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
    return "\n".join((f'{head} font-size="12">', *content(), "</svg>", ""))


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    shown = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.0f}" y="{y:.0f}" {attributes}>{shown}</text>'

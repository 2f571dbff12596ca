"""A picture of a curve between two aims, as SVG: few points, each with its name."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT, MARGIN = 720, 360, 64


class Point(NamedTuple):
    """Where a setting comes to lie."""

    across: float
    """Tokens past the limit, at p95."""
    up: float
    """Calls of 1,000 that are refused too early."""
    name: str


def drawn_curve(points: Sequence[Point]) -> str:
    """The points from the left, joined by a line."""
    points = sorted(points)
    right = max(each.across for each in points) * 1.1
    top = max(each.up for each in points) * 1.15

    def at(point: Point) -> tuple[float, float]:
        x = MARGIN + point.across / right * (WIDTH - 2 * MARGIN)
        y = HEIGHT - MARGIN - point.up / top * (HEIGHT - 2 * MARGIN)
        return round(x, 1), round(y, 1)

    bottom = HEIGHT - MARGIN
    line = " ".join(f"{x},{y}" for x, y in map(at, points))
    marks = "\n".join(_mark(*at(each), each) for each in points)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" \
font-family="sans-serif" font-size="13" fill="#333" role="img">
<title>What is kept back: tokens past the limit against calls refused too early</title>
<rect width="100%" height="100%" fill="#fff"/>
<path d="M{MARGIN} {MARGIN / 2} V{bottom} H{WIDTH - MARGIN / 2}" fill="none" stroke="#333"/>
<text x="{WIDTH / 2}" y="{HEIGHT - MARGIN / 3:.0f}" text-anchor="middle">\
tokens past the limit, p95 (0 to {right:,.0f})</text>
<text x="{MARGIN / 3:.0f}" y="{HEIGHT / 2}" text-anchor="middle" \
transform="rotate(-90 {MARGIN / 3:.0f} {HEIGHT / 2})">refused too early, of 1,000 calls</text>
<polyline points="{line}" fill="none" stroke="#2563eb" stroke-width="2"/>
{marks}
</svg>
"""


def _mark(x: float, y: float, point: Point) -> str:
    said = f"{point.name}: {point.across:,.0f} tokens, {point.up:.1f} of 1,000"
    return (
        f'<circle cx="{x}" cy="{y}" r="4" fill="#2563eb"/>\n'
        f'<text x="{x + 8}" y="{y - 8}">{escape(said)}</text>'
    )

"""PURE: scores over time as a small SVG; no plotting library in the gateway."""

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 280, 48, 24, 40
LINES = (("top1", "#1f6f8b"), ("helped", "#3a7d44"), ("coverage_at_95", "#b5651d"))


def drawn(rows: Sequence[dict[str, Any]]) -> str:
    """`rows` oldest first ({"at", "totals"}); shares 0..1 on the left axis."""
    inner_w, inner_h = WIDTH - LEFT - 16, HEIGHT - TOP - BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif">'
    ]
    parts.append("<title>Golden score over time</title>")
    for percent in (0, 25, 50, 75, 100):
        y = TOP + inner_h * (1 - percent / 100)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 16}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" font-size="11">{percent} %</text>')
    for n, (name, colour) in enumerate(LINES):
        values = [float(row["totals"].get(name, 0.0)) for row in rows]
        spots = [(LEFT + inner_w * i / max(1, len(values) - 1), TOP + inner_h * (1 - v)) for i, v in enumerate(values)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in spots]
        parts.append(f'<text x="{LEFT + 150 * n}" y="16" font-size="12" fill="{colour}">{escape(name)}</text>')
    for at, anchor, x in _ends(rows):
        parts.append(f'<text x="{x}" y="{HEIGHT - 14}" text-anchor="{anchor}" font-size="11">{escape(at[:16])}</text>')
    return "".join([*parts, "</svg>"])


def _ends(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str, int]]:
    if not rows:
        return [("no score yet", "start", LEFT)]
    return [(rows[0]["at"], "start", LEFT), (rows[-1]["at"], "end", WIDTH - 16)][: 1 + (len(rows) > 1)]

"""Line drawings as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ava_eval.ranking import Curve

COLORS = ("#24678d", "#c8553d")
_SIDE = 150  # of a small plot, in user units
_POINTS = 120


def precision_recall_plot(curves: Sequence[Curve | None]) -> str:
    """A square plot, recall to the right and precision upwards, both from 0 to 1: each curve and its envelope."""
    half = _SIDE / 2
    parts = [f'<path d="M{half} 0V{_SIDE}M0 {half}H{_SIDE}" stroke="#e6e8eb"/>']
    for color, curve in zip(COLORS, curves, strict=False):
        if curve is not None and len(curve.recall):
            parts.append(f'<path d="{_envelope_path(curve)}" fill="none" stroke="{color}" stroke-width="1.6"/>')
    frame = f'<rect width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#9aa3ab"/>'
    return f'<svg viewBox="-1 -1 {_SIDE + 2} {_SIDE + 2}" role="img">{"".join(parts)}{frame}</svg>'


def _envelope_path(curve: Curve) -> str:
    """Steps of the precision envelope, down to the axis at the last recall: AP is the area under them."""
    envelope = np.maximum.accumulate(curve.precision[::-1])[::-1]
    rises = np.flatnonzero(np.diff(curve.recall, prepend=0.0) > 0)
    if len(rises) == 0:
        return "M0 0"
    chosen = rises[np.unique(np.linspace(0, len(rises) - 1, _POINTS).astype(int))]
    x, y = _SIDE * curve.recall[chosen], _SIDE * (1 - envelope[chosen])
    steps = [f"V{height:.1f}H{right:.1f}" for right, height in zip(x[1:], y[1:], strict=True)]
    return f"M0.0 {y[0]:.1f}H{x[0]:.1f}{''.join(steps)}V{_SIDE}"


def line_plot(lines: Sequence[Mapping[float, float | None]], x_title: str, y_title: str) -> str:
    """Lines through points; y from 0 to a round number above the highest, in per cent."""
    values = [value for line in lines for value in line.values() if value is not None]
    top = _round_up(max(values, default=0.0))
    xs = sorted({x for line in lines for x in line})
    width, height = 420, 220

    def at(x: float, y: float) -> tuple[float, float]:
        return width * (x - xs[0]) / max(xs[-1] - xs[0], 1e-9), height * (1 - y / top)

    parts = [_grid(top, width, height)]
    for x in xs:
        parts.append(f'<text x="{at(x, 0)[0]:.0f}" y="{height + 16}" text-anchor="middle">{x:g}</text>')
    for color, line in zip(COLORS, lines, strict=False):
        points = [at(x, y) for x, y in line.items() if y is not None]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in points]
    parts.append(f'<text x="{width / 2}" y="{height + 34}" text-anchor="middle">{x_title}</text>')
    parts.append(f'<text x="-34" y="-8">{y_title}</text>')
    box = f'viewBox="-40 -22 {width + 60} {height + 64}" style="width:{width + 60}px"'
    return f'<svg {box} role="img">{"".join(parts)}</svg>'


def _grid(top: float, width: int, height: int) -> str:
    parts = []
    for share in np.linspace(0, 1, 5):
        y = height * (1 - share)
        parts.append(f'<path d="M0 {y:.1f}H{width}" stroke="#e6e8eb"/>')
        parts.append(f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{100 * top * share:.3g}</text>')
    return "".join(parts)


def _round_up(value: float) -> float:
    """The next of 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1."""
    steps: npt.NDArray[np.float64] = np.array([0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
    return float(steps[min(int(np.searchsorted(steps, value)), len(steps) - 1)])

"""Tables with bars as HTML, and line plots as inline SVG, for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from ava_eval.average_precision import Curve
from ava_eval.result import percent

SERIES_CLASSES = ("first", "second")  # CSS classes
SERIES_COLORS = ("#24678d", "#c8553d")
# Name, one value in 0..1 per series, and columns of counts, each of one count or one per series.
Row = tuple[str, Sequence[float | None], Sequence[Sequence[str]]]
_SMALL_MAXIMUM = 0.2  # bars of tables with only smaller values are scaled up
_PLOT_SIDE = 150  # of a precision-recall plot, in SVG user units
_MAX_POINTS = 120


def legend(index: int, name: str) -> str:
    """The colour and name of a series."""
    return f'<span class="key {SERIES_CLASSES[index]}"></span>{escape(name)}'


def bar_table(header: str, value_header: str, rows: Sequence[Row], *count_headers: str) -> str:
    """One bar per value: its length is a fraction of the column, or of the largest value if all are small."""
    largest = max((abs(value) for _, values, _ in rows for value in values if value is not None), default=0.0)
    scale = 1.0 if largest > _SMALL_MAXIMUM else largest or 1.0
    numbers = "".join(f'<th class="number">{escape(name)}</th>' for name in count_headers)
    lines = [f'<table><tr><th class="name">{escape(header)}</th><th>{escape(value_header)}</th><th></th>{numbers}</tr>']
    for name, values, counts in rows:
        bars = "".join(_bar(index, value, scale) for index, value in enumerate(values))
        percents = "<br>".join(percent(value) for value in values)
        cells = "".join(f'<td class="number">{"<br>".join(column)}</td>' for column in counts)
        lines.append(
            f'<tr><td>{escape(name)}</td><td class="bars">{bars}</td><td class="number">{percents}</td>{cells}</tr>'
        )
    return "\n".join([*lines, "</table>"])


def _bar(index: int, value: float | None, scale: float) -> str:
    width = 0.0 if value is None else 100 * max(value, 0.0) / scale
    return f'<svg class="bar {SERIES_CLASSES[index]}">{_rect(0.0, width)}</svg>'


def _rect(left: float, width: float) -> str:
    """A bar's filled part, in per cent: attributes, because the page's policy refuses style attributes."""
    return f'<rect x="{left:.2f}%" width="{width:.2f}%" height="100%"/>'


def gain_table(gains: Mapping[str, float]) -> str:
    """One bar per class, to the right for gains and to the left for losses, the largest gain first."""
    scale = max((abs(gain) for gain in gains.values()), default=0.0) or 1.0
    lines = ['<table><tr><th class="name">class</th><th>points of AP gained</th><th></th></tr>']
    for name, gain in sorted(gains.items(), key=lambda item: -item[1]):
        width = 50 * abs(gain) / scale
        left = 50.0 if gain >= 0 else 50 - width
        kind = "gain" if gain >= 0 else "loss"
        lines.append(
            f'<tr><td>{escape(name)}</td><td class="bars"><svg class="middle {kind}">{_rect(left, width)}</svg></td>'
            f'<td class="number">{100 * gain:+.2f}</td></tr>'
        )
    return "\n".join([*lines, "</table>"])


def plain_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells that are HTML already; the columns after the names hold numbers."""
    num_names = sum(not cell.strip(" -").replace(",", "").replace(".", "").isdigit() for cell in rows[0])

    def cells(tag: str, texts: Sequence[str]) -> str:
        classes = ("" if index < num_names else "number" for index in range(len(texts)))
        return "".join(f'<{tag} class="{name}">{text}</{tag}>' for name, text in zip(classes, texts, strict=True))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><tr>{cells('th', headers)}</tr>{body}</table>"


def precision_recall_plot(curves: Sequence[Curve | None]) -> str:
    """A square plot of precision envelopes over recall, both from 0 to 1."""
    half = _PLOT_SIDE / 2
    parts = [f'<path d="M{half} 0V{_PLOT_SIDE}M0 {half}H{_PLOT_SIDE}" stroke="#e6e8eb"/>']
    for color, curve in zip(SERIES_COLORS, curves, strict=False):
        if curve is not None and len(curve.recall):
            parts.append(f'<path d="{_envelope_path(curve)}" fill="none" stroke="{color}" stroke-width="1.6"/>')
    frame = f'<rect width="{_PLOT_SIDE}" height="{_PLOT_SIDE}" fill="none" stroke="#9aa3ab"/>'
    return f'<svg viewBox="-1 -1 {_PLOT_SIDE + 2} {_PLOT_SIDE + 2}" role="img">{"".join(parts)}{frame}</svg>'


def _envelope_path(curve: Curve) -> str:
    """Steps of the precision envelope, down to the axis at the last recall: AP is the area below."""
    envelope = np.maximum.accumulate(curve.precision[::-1])[::-1]
    rises = np.flatnonzero(np.diff(curve.recall, prepend=0.0) > 0)
    if len(rises) == 0:
        return "M0 0"
    chosen = rises[np.unique(np.linspace(0, len(rises) - 1, _MAX_POINTS).astype(int))]
    x, y = _PLOT_SIDE * curve.recall[chosen], _PLOT_SIDE * (1 - envelope[chosen])
    steps = [f"V{height:.1f}H{right:.1f}" for right, height in zip(x[1:], y[1:], strict=True)]
    return f"M0.0 {y[0]:.1f}H{x[0]:.1f}{''.join(steps)}V{_PLOT_SIDE}"


def line_plot(lines: Sequence[Mapping[float, float | None]], x_title: str, y_title: str) -> str:
    """One line per series; y in per cent, from 0 to a round number above the maximum."""
    values = [value for line in lines for value in line.values() if value is not None]
    top = _round_up(max(values, default=0.0))
    xs = sorted({x for line in lines for x in line})
    width, height = 420, 220

    def at(x: float, y: float) -> tuple[float, float]:
        return width * (x - xs[0]) / max(xs[-1] - xs[0], 1e-9), height * (1 - y / top)

    parts = [_grid(top, width, height)]
    for x in xs:
        parts.append(f'<text x="{at(x, 0)[0]:.0f}" y="{height + 16}" text-anchor="middle">{x:g}</text>')
    for color, line in zip(SERIES_COLORS, lines, strict=False):
        points = [at(x, y) for x, y in line.items() if y is not None]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in points]
    parts.append(f'<text x="{width / 2}" y="{height + 34}" text-anchor="middle">{x_title}</text>')
    parts.append(f'<text x="-34" y="-8">{y_title}</text>')
    return f'<svg class="plot" viewBox="-40 -22 {width + 60} {height + 64}" role="img">{"".join(parts)}</svg>'


def _grid(top: float, width: int, height: int) -> str:
    parts = []
    for fraction in np.linspace(0, 1, 5):
        y = height * (1 - fraction)
        parts.append(f'<path d="M0 {y:.1f}H{width}" stroke="#e6e8eb"/>')
        parts.append(f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{100 * top * fraction:.3g}</text>')
    return "".join(parts)


def _round_up(value: float) -> float:
    """The next of 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1."""
    steps: npt.NDArray[np.float64] = np.array([0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
    return float(steps[min(int(np.searchsorted(steps, value)), len(steps) - 1)])

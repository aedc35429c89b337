"""Tables with bars, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from ava_eval.result import percent

CLASSES = ("first", "second")
# Name; one value of 0..1 a series; columns of counts, each of one count, or one a series.
Row = tuple[str, Sequence[float | None], Sequence[Sequence[str]]]
_FINE = 0.2  # largest value of a table below which its bars are drawn larger


def legend(place: int, name: str) -> str:
    """The colour of a series and its name."""
    return f'<span class="key {CLASSES[place]}"></span>{escape(name)}'


def bar_table(head: str, value_head: str, rows: Sequence[Row], *count_heads: str) -> str:
    """Bars as long as the values, in per cent of the column, or of the largest where all are small."""
    largest = max((abs(value) for _, values, _ in rows for value in values if value is not None), default=0.0)
    scale = 1.0 if largest > _FINE else largest or 1.0
    numbers = "".join(f'<th class="number">{escape(name)}</th>' for name in count_heads)
    lines = [f'<table><tr><th class="name">{escape(head)}</th><th>{escape(value_head)}</th><th></th>{numbers}</tr>']
    for name, values, counts in rows:
        bars = "".join(_bar(place, value, scale) for place, value in enumerate(values))
        said = "<br>".join(percent(value) for value in values)
        cells = "".join(f'<td class="number">{"<br>".join(column)}</td>' for column in counts)
        lines.append(
            f'<tr><td>{escape(name)}</td><td class="bars">{bars}</td><td class="number">{said}</td>{cells}</tr>'
        )
    return "\n".join([*lines, "</table>"])


def _bar(place: int, value: float | None, scale: float) -> str:
    if value is None:
        return '<div class="track"><div class="bar"></div></div>'
    width = 100 * max(value, 0.0) / scale
    return f'<div class="track"><div class="bar {CLASSES[place]}" style="width:{width:.2f}%"></div></div>'


def gain_table(gains: Mapping[str, float]) -> str:
    """Bars to the right of the middle for gains and to the left for losses, the largest gain first."""
    scale = max((abs(gain) for gain in gains.values()), default=0.0) or 1.0
    lines = ['<table><tr><th class="name">class</th><th>points of AP gained</th><th></th></tr>']
    for name, gain in sorted(gains.items(), key=lambda item: -item[1]):
        width = 50 * abs(gain) / scale
        left = 50.0 if gain >= 0 else 50 - width
        bar = f'<div class="{"gain" if gain >= 0 else "loss"}" style="left:{left:.2f}%;width:{width:.2f}%"></div>'
        lines.append(
            f'<tr><td>{escape(name)}</td><td class="bars"><div class="middle">{bar}</div></td>'
            f'<td class="number">{100 * gain:+.2f}</td></tr>'
        )
    return "\n".join([*lines, "</table>"])


def plain_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells that are HTML already; all but the names are numbers."""
    names = sum(not cell.strip(" -").replace(",", "").replace(".", "").isdigit() for cell in rows[0])
    head = "".join(f'<th class="{"" if place < names else "number"}">{cell}</th>' for place, cell in enumerate(heads))
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{"" if place < names else "number"}">{cell}</td>' for place, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"

"""The page: its sections, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path

from ava_eval.analysis import Analysis, interval_sentence
from ava_eval.comparison import Comparison, verdict
from ava_eval.evaluate import class_curves
from ava_eval.matching import true_positives
from ava_eval.report.svg import line_plot, precision_recall_plot
from ava_eval.report.tables import Row, bar_table, gain_table, legend, plain_table
from ava_eval.result import Result, percent
from ava_eval.summary import summary
from ava_eval.tubes import TubeResult

_GENERATOR = '<meta name="generator" content="ava_eval">'


@dataclass
class Series:
    """One detection file on the page."""

    name: str
    result: Result
    analysis: Analysis
    tubes: TubeResult | None = None


def report_page(directory: Path) -> Path:
    """The file of a report."""
    return directory / "index.html"


def is_report(path: Path) -> bool:
    """Whether `write_report` wrote this file."""
    with path.open("rb") as file:
        return _GENERATOR.encode() in file.read(1000)


def write_report(directory: Path, series: Sequence[Series], comparison: Comparison | None = None) -> Path:
    """Write directory/index.html, which needs no other file, and return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = report_page(directory)
    path.write_text(page(series, comparison), encoding="utf-8")
    return path


def page(series: Sequence[Series], comparison: Comparison | None = None) -> str:
    """The page as HTML: one result, or two side by side."""
    style = resources.files("ava_eval.report").joinpath("style.css").read_text(encoding="utf-8")
    title = "Action detection: " + " and ".join(escape(one.name) for one in series)
    sections = [
        _heads(series),
        _comparison(comparison) if comparison else "",
        _mistakes(series),
        _classes(series),
        _breakdowns(series),
        _curves(series),
        "".join(_confusions(one) for one in series),
        _tubes(series),
        "".join(_counted(one) for one in series),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n{_GENERATOR}\n'
        f"<style>\n{style}</style></head>\n<body>\n<h1>{title}</h1>\n" + "\n".join(sections) + "\n</body></html>\n"
    )


def _heads(series: Sequence[Series]) -> str:
    first = series[0].result
    heads = "".join(
        f'<div class="head">{legend(place, one.name)}<b>{percent(one.result.mean_ap)}</b>'
        f"frame mAP at IoU {one.result.iou:g}<br>"
        f'<span class="soft">{escape(interval_sentence(one.analysis.interval))}</span></div>'
        for place, one in enumerate(series)
    )
    notes = "".join(
        f'<div class="note">{escape(one.name)}: {escape(note)}</div>' for one in series for note in one.result.notes
    )
    averaged = f"{first.counts['classes_averaged']} of {first.counts['classes']} classes averaged"
    return f'<p class="soft">protocol {first.protocol}; {averaged}</p><div class="heads">{heads}</div>{notes}'


def _comparison(comparison: Comparison) -> str:
    gains = {name: gain for name, gain in comparison.gains().items() if gain is not None}
    return (
        f"<h2>What {escape(comparison.second_name)} gains over {escape(comparison.first_name)}</h2>"
        f"<p>{escape(verdict(comparison))}</p>{gain_table(gains)}"
    )


def _mistakes(series: Sequence[Series]) -> str:
    rows: list[Row] = []
    for kind in series[0].analysis.mistakes.mended:
        gains = [_gain(one, kind) for one in series]
        counts = [f"{one.analysis.mistakes.counts[kind]:,}" for one in series]
        rows.append((kind, gains, [counts]))
    table = bar_table("kind", "points of mAP gained, were it mended", rows, "how many")
    return (
        "<h2>Where the points go</h2><p>Each false alarm is of one kind: a duplicate of a box already found, on a"
        " person who does other things (wrong class), near a person but not near enough (poor box), or background."
        f" Missed are the persons no detection came near.</p>{table}"
    )


def _gain(one: Series, kind: str) -> float | None:
    mended, now = one.analysis.mistakes.mended[kind], one.result.mean_ap
    return None if mended is None or now is None else mended - now


def _classes(series: Sequence[Series]) -> str:
    results = [one.result for one in series]
    names = [name for name, boxes in results[0].truth_boxes.items() if boxes]
    names.sort(key=lambda name: -(results[0].ap[name] or 0.0))
    rows: list[Row] = [
        (
            name,
            [result.ap[name] for result in results],
            [[f"{results[0].truth_boxes[name]:,}"], [f"{result.detection_rows[name]:,}" for result in results]],
        )
        for name in names
    ]
    left = len(results[0].ap) - len(names)
    said = f"<p>{left} classes have no ground truth and no AP.</p>" if left else ""
    table = bar_table("class", "AP", rows, "boxes", "detections")
    return f"<h2>AP by class</h2>{said}{table}"


def _breakdowns(series: Sequence[Series]) -> str:
    analyses = [one.analysis for one in series]
    plot = line_plot([analysis.by_iou for analysis in analyses], "IoU that makes a hit", "mAP")
    groups: list[Row] = [
        (group, [one.by_group[group] for one in analyses], [])
        for group in analyses[0].by_group
        if any(one.by_group[group] is not None for one in analyses)
    ]
    heights: list[Row] = [(height, [one.by_height[height] for one in analyses], []) for height in analyses[0].by_height]
    recalls = [one.boxes.recall if one.boxes else {} for one in analyses]
    boxes: list[Row] = [(f"at IoU {iou:g}", [recall[iou] for recall in recalls], []) for iou in recalls[0]]
    tables = [bar_table("class group", "mAP", groups)] if groups else []
    tables.append(bar_table("height of the person", "mAP", heights))
    tables.append(bar_table("boxes alone", "persons covered, in per cent", boxes))
    return (
        f'<h2>By overlap, group and size</h2><div class="columns"><div>{plot}</div><div>{"".join(tables)}</div></div>'
    )


def _curves(series: Sequence[Series]) -> str:
    by_series = []
    for one in series:
        selection = one.result.selection
        by_series.append(class_curves(selection, true_positives(selection, one.result.nearest, one.result.iou)))
    figures = []
    for place, name in enumerate(series[0].result.ap):
        curves = [curves[place] for curves in by_series]
        if any(curve is not None for curve in curves):
            aps = " / ".join(percent(curve.ap if curve else None).strip() for curve in curves)
            caption = f"<figcaption>{escape(name)} <b>{aps}</b></figcaption>"
            figures.append(f"<figure>{caption}{precision_recall_plot(curves)}</figure>")
    return (
        "<h2>Precision over recall</h2><p>Recall to the right, precision upwards, both from 0 to 1; AP is the area"
        f' under the steps.</p><div class="curves">{"".join(figures)}</div>'
    )


def _confusions(one: Series) -> str:
    rows = [
        [escape(pair.first), escape(pair.second), f"{pair.first_for_second:,}", f"{pair.second_for_first:,}"]
        for pair in one.analysis.confusions
    ]
    if not rows:
        return ""
    table = plain_table(["A", "B", "B called A", "A called B"], rows)
    return (
        f"<h2>Mistaken for one another: {escape(one.name)}</h2><p>Among the best scores of each class, as many as it"
        f" has boxes: persons whose true class was not found there.</p>{table}"
    )


def _tubes(series: Sequence[Series]) -> str:
    rows = [
        [escape(one.name), *(percent(value) for value in one.tubes.mean_ap.values())] for one in series if one.tubes
    ]
    if not rows or not series[0].tubes:
        return ""
    heads = ["detections", *(f"video mAP, IoU {iou:g}" for iou in series[0].tubes.mean_ap)]
    return f"<h2>Tubes</h2>{plain_table(heads, rows)}"


def _counted(one: Series) -> str:
    lines = "<br>".join(escape(line) for line in summary(one.result))
    return f"<h2>What counted: {escape(one.name)}</h2><p>{lines}</p>"

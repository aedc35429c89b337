"""Writes a self-contained HTML page about one evaluation, or about two with their comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path

from ava_eval.average_precision import class_curves
from ava_eval.breakdown import Breakdown, interval_sentence
from ava_eval.charts import Row, bar_table, gain_table, legend, line_plot, plain_table, precision_recall_plot
from ava_eval.comparison import Comparison, difference_sentence
from ava_eval.error_examples import PlayerPages, examples_section
from ava_eval.html_page import page_head
from ava_eval.matching import true_positives
from ava_eval.result import Result, percent, summary
from ava_eval.tubes import TubeResult

_GENERATOR = '<meta name="generator" content="ava_eval">'


@dataclass
class Series:
    """One detection file of the report."""

    name: str
    result: Result
    breakdown: Breakdown
    tubes: TubeResult | None = None


def report_path(directory: Path) -> Path:
    """The HTML file of a report."""
    return directory / "index.html"


def is_report(path: Path) -> bool:
    """Whether `write_report` wrote this file."""
    with path.open("rb") as file:
        return _GENERATOR.encode() in file.read(1000)


def write_report(
    directory: Path, series: Sequence[Series], comparison: Comparison | None = None, pages: Path | None = None
) -> Path:
    """Write directory/index.html, which needs no other file, and return its path.

    `pages`: the folder of the player's pages, to which the list of errors links.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = report_path(directory)
    player_pages = PlayerPages(directory if pages is None else pages, directory)
    path.write_text(report_html(series, comparison, player_pages), encoding="utf-8")
    return path


def report_html(
    series: Sequence[Series], comparison: Comparison | None = None, pages: PlayerPages | None = None
) -> str:
    """The page as HTML, with one result or two side by side; with `pages`, also the errors one by one."""
    style = resources.files("ava_eval").joinpath("report.css").read_text(encoding="utf-8")
    title = "Action detection: " + " and ".join(one.name for one in series)
    sections = [
        _header(series),
        _comparison(comparison) if comparison else "",
        _errors(series),
        _classes(series),
        _breakdowns(series),
        _curves(series),
        "".join(_confusions(one) for one in series),
        *(examples_section(one.name, one.result, one.breakdown.errors, pages) for one in series if pages),
        _tubes(series),
        "".join(_summary(one) for one in series),
    ]
    head = page_head(title, style, meta=f"{_GENERATOR}\n")
    body = "\n".join([f"<h1>{escape(title)}</h1>", *sections])
    return f'<!doctype html>\n<html lang="en">\n{head}\n<body>\n{body}\n</body></html>\n'


def _header(series: Sequence[Series]) -> str:
    first = series[0].result
    heads = "".join(
        f'<div class="head">{legend(index, one.name)}<b>{percent(one.result.mean_ap)}</b>'
        f"frame mAP at IoU {one.result.iou:g}<br>"
        f'<span class="soft">{escape(interval_sentence(one.breakdown.interval))}</span></div>'
        for index, one in enumerate(series)
    )
    notes = "".join(
        f'<div class="note">{escape(one.name)}: {escape(note)}</div>' for one in series for note in one.result.notes
    )
    averaged = f"{first.counts['classes_averaged']} of {first.counts['classes']} classes averaged"
    return f'<p class="soft">protocol {first.protocol}; {averaged}</p><div class="heads">{heads}</div>{notes}'


def _comparison(comparison: Comparison) -> str:
    gains = {name: gain for name, gain in comparison.gains().items() if gain is not None}
    return (
        f"<h2>Gain of {escape(comparison.second_name)} over {escape(comparison.first_name)}</h2>"
        f"<p>{escape(difference_sentence(comparison))}</p>{gain_table(gains)}"
    )


def _errors(series: Sequence[Series]) -> str:
    rows: list[Row] = []
    for error_type in series[0].breakdown.errors.fixed_mean_ap:
        gains = [_gain_if_fixed(one, error_type) for one in series]
        counts = [f"{one.breakdown.errors.counts[error_type]:,}" for one in series]
        rows.append((error_type, gains, [counts]))
    table = bar_table("type", "points of mAP gained if all errors of this type were fixed", rows, "errors")
    return (
        "<h2>Errors by type</h2><p>Each false positive has one type: a duplicate of a box that is already found, on a"
        " person with other actions (classification), with too little IoU (localization), or background. Missed are"
        f" the ground-truth boxes that no detection finds, even with the other types fixed.</p>{table}"
    )


def _gain_if_fixed(one: Series, error_type: str) -> float | None:
    fixed, mean_ap = one.breakdown.errors.fixed_mean_ap[error_type], one.result.mean_ap
    return None if fixed is None or mean_ap is None else fixed - mean_ap


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
    num_left_out = len(results[0].ap) - len(names)
    note = f"<p>{num_left_out} classes without ground truth have no AP.</p>" if num_left_out else ""
    table = bar_table("class", "AP", rows, "boxes", "detections")
    return f"<h2>AP by class</h2>{note}{table}"


def _breakdowns(series: Sequence[Series]) -> str:
    breakdowns = [one.breakdown for one in series]
    first = breakdowns[0]
    plot = line_plot([breakdown.by_iou for breakdown in breakdowns], "IoU threshold", "mAP")
    groups: list[Row] = [
        (group, [one.by_group[group] for one in breakdowns], [])
        for group in first.by_group
        if any(one.by_group[group] is not None for one in breakdowns)
    ]
    heights: list[Row] = [(height, [one.by_height[height] for one in breakdowns], []) for height in first.by_height]
    recalls = [one.boxes.recall if one.boxes else {} for one in breakdowns]
    boxes: list[Row] = [(f"at IoU {iou:g}", [recall[iou] for recall in recalls], []) for iou in recalls[0]]
    tables = [bar_table("class group", "mAP", groups)] if groups else []
    tables.append(bar_table("person height", "mAP", heights))
    tables.append(bar_table("person boxes", "recall in per cent", boxes))
    return (
        "<h2>mAP by IoU, class group and person height</h2>"
        f'<div class="columns"><div>{plot}</div><div>{"".join(tables)}</div></div>'
    )


def _curves(series: Sequence[Series]) -> str:
    by_series = []
    for one in series:
        selection = one.result.selection
        by_series.append(class_curves(selection, true_positives(selection, one.result.match, one.result.iou)))
    figures = []
    for index, name in enumerate(series[0].result.ap):
        curves = [curves_of_series[index] for curves_of_series in by_series]
        if any(curve is not None for curve in curves):
            aps = " / ".join(percent(one.result.ap[name]).strip() for one in series)
            caption = f"<figcaption>{escape(name)} <b>{aps}</b></figcaption>"
            figures.append(f"<figure>{caption}{precision_recall_plot(curves)}</figure>")
    return (
        "<h2>Precision over recall</h2><p>Precision (vertical) over recall (horizontal), both from 0 to 1; AP is the"
        " area under the steps, averaged over the orders of tied detections.</p>"
        f'<div class="curves">{"".join(figures)}</div>'
    )


def _confusions(one: Series) -> str:
    rows = [
        [escape(pair.first), escape(pair.second), f"{pair.first_for_second:,}", f"{pair.second_for_first:,}"]
        for pair in one.breakdown.confusions
    ]
    if not rows:
        return ""
    table = plain_table(["A", "B", "B predicted as A", "A predicted as B"], rows)
    return (
        f"<h2>Confused classes: {escape(one.name)}</h2><p>Among the top n detections of each class, n its number of"
        f" ground-truth boxes: persons whose true class was not found there.</p>{table}"
    )


def _tubes(series: Sequence[Series]) -> str:
    rows = [
        [escape(one.name), *(percent(value) for value in one.tubes.mean_ap.values())] for one in series if one.tubes
    ]
    if not rows or not series[0].tubes:
        return ""
    headers = ["detections", *(f"video mAP, IoU {iou:g}" for iou in series[0].tubes.mean_ap)]
    return f"<h2>Tubes</h2>{plain_table(headers, rows)}"


def _summary(one: Series) -> str:
    lines = "<br>".join(escape(line) for line in summary(one.result))
    return f"<h2>Counts: {escape(one.name)}</h2><p>{lines}</p>"

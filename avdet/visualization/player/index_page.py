"""Writes index.html over the player pages of many videos: best moments, counts by action, and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from urllib.parse import quote, urlencode

import pandas as pd

from ava_eval.html_page import page_head
from avdet.visualization.person_timeline import short_names

__all__ = ["PAGE_META", "IndexContent", "write_index"]

PAGE_META = '<meta name="generator" content="avdet">\n'
_MOMENTS, _MOMENTS_PER_VIDEO = 24, 3


@dataclass(frozen=True)
class IndexContent:
    """videos: their names; errors: {name: reason} of those without a page.

    tubes: video, person_id, action_id, start_s, end_s, score. label_map: the names of the action ids.
    """

    videos: Sequence[str]
    tubes: pd.DataFrame
    label_map: Mapping[int, str]
    errors: Mapping[str, str]


def write_index(folder: Path, content: IndexContent) -> Path:
    """Writes folder/index.html, which links to VIDEO.html beside it where that exists."""
    names = short_names(content.label_map)
    tubes = content.tubes.astype({"video": str}).assign(action=content.tubes["action_id"].map(names))
    best = tubes.sort_values("score", ascending=False, kind="stable")
    style = resources.files("avdet.visualization.player").joinpath("index.css").read_text(encoding="utf-8")
    count = len(content.videos)
    body = [
        f"<h1>Actions in {count} video{'s' * (count != 1)}</h1>",
        _moments(best.head(_MOMENTS), folder),
        _videos(content.videos, best, folder),
        _counts(tubes),
        _errors(content.errors),
    ]
    page = folder / "index.html"
    head = page_head("Actions in videos", style, meta=PAGE_META)
    html = f'<!doctype html>\n<html lang="en">\n{head}\n<body>\n{"".join(body)}</body>\n</html>\n'
    page.write_text(html, encoding="utf-8", errors="replace")
    return page


def _moments(best: pd.DataFrame, folder: Path) -> str:
    if best.empty:
        return "<p>No action reaches the minimum score.</p>\n"
    items = "".join(f"<li>{_moment(tube, folder)} <span>{escape(str(tube.video))}</span></li>" for tube in _rows(best))
    return f'<h2>Best moments</h2>\n<ol class="moments">{items}</ol>\n'


def _videos(videos: Sequence[str], best: pd.DataFrame, folder: Path) -> str:
    by_video = dict(list(best.groupby("video", sort=False)))
    rows = []
    for video in videos:
        tubes = by_video.get(video, best[:0])
        name = _link(folder, video, escape(video))
        moments = "<br>".join(_moment(tube, folder) for tube in _rows(tubes.head(_MOMENTS_PER_VIDEO)))
        rows.append([name, f"{tubes['person_id'].nunique()}", f"{len(tubes)}", moments])
    return _table("Videos", ["video", "persons", "events", "best moments"], rows)


def _counts(tubes: pd.DataFrame) -> str:
    rows = []
    for action, events in sorted(tubes.groupby("action"), key=lambda item: -len(item[1])):
        seconds = float((events["end_s"] - events["start_s"]).sum())
        width = 100 * len(events) / tubes.groupby("action").size().max()
        bar = f'<svg class="bar"><rect width="{width:.1f}%" height="100%"/></svg>'
        rows.append([escape(str(action)), f"{len(events)}", f"{events['video'].nunique()}", f"{seconds:.0f} s", bar])
    return _table("Actions", ["action", "events", "videos", "duration", ""], rows)


def _errors(errors: Mapping[str, str]) -> str:
    return _table("Errors", ["video", "reason"], [[escape(name), escape(reason)] for name, reason in errors.items()])


def _table(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are HTML. A table without rows is omitted."""
    if not rows:
        return ""
    head = "".join(f"<th>{header}</th>" for header in headers)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<h2>{title}</h2>\n<div class="wide"><table><tr>{head}</tr>\n{body}</table></div>\n'


def _rows(tubes: pd.DataFrame) -> list[pd.Series]:
    return [row for _, row in tubes.iterrows()]


def _moment(tube: pd.Series, folder: Path) -> str:
    minutes, seconds = divmod(int(tube.start_s), 60)
    text = f"{escape(str(tube.action))} {tube.score:.2f} at {minutes}:{seconds:02d}"
    place = {"t": f"{tube.start_s:g}", "person": int(tube.person_id), "action": str(tube.action)}
    return _link(folder, str(tube.video), text, "#" + urlencode(place, quote_via=quote))


def _link(folder: Path, video: str, text: str, fragment: str = "") -> str:
    """The text as a link to the video's page, or alone without one. quote leaves nothing that HTML could read."""
    if not (folder / f"{video}.html").exists():
        return text
    return f'<a href="{quote(video)}.html{fragment.replace("&", "&amp;")}">{text}</a>'

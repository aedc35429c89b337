"""The page: one file with everything in it but the video, which lies beside it."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Mapping
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from urllib.parse import quote

import pandas as pd
from PIL import Image

from avdet.media.reader import VideoReader
from avdet.visualization.draw import PALETTE
from avdet.visualization.person_timeline import detected_people, short_names, why_nothing_is_shown
from avdet.visualization.player.tracks import class_names, detected_group, true_group
from avdet.visualization.render import rows_of
from avdet.visualization.spectrogram import coloured, log_mel_columns

__all__ = ["write_player"]

_SCRIPTS = ("people.js", "overlay.js", "timeline.js", "player.js")
_MOST_COLUMNS = 2400  # of the spectrogram


def write_player(
    video: str | Path,
    detections: pd.DataFrame,
    page: str | Path,
    *,
    label_map: Mapping[int, str] | None = None,
    ground_truth: pd.DataFrame | None = None,
    min_score: float = 0.3,
    top: int = 3,
    name: str | None = None,
    time_origin_s: float = 0.0,
) -> Path:
    """Writes `page` (HTML), which plays the video from where it is, by a path relative to the page.

    The arguments are those of `render`. The page needs no network: it can be opened from a folder, copied together
    with the video, or served. Scores below 0.02 are left out of it, but for the highest.
    """
    path, page = Path(video), Path(page)
    mine = rows_of(detections, name or path.stem, time_origin_s, "detections")
    truth = None if ground_truth is None else rows_of(ground_truth, name or path.stem, time_origin_s, "ground truth")
    classes = class_names(
        [mine] if truth is None else [mine, truth[truth["action_id"] > 0]], short_names(label_map or {})
    )
    with VideoReader(path) as reader:
        info = reader.info
        sound = _spectrogram(reader) if info.has_audio else None
    shown = detected_people(mine, label_map=classes, min_score=0.0, top=1)
    outside = why_nothing_is_shown(mine, shown, min_score=0.0, duration_s=info.duration_s)
    data = {
        "name": path.name,
        "src": relative_url(path, page),
        "duration": round(info.duration_s, 4),
        "fps": round(info.fps, 4),
        "origin": time_origin_s,
        "size": [info.width, info.height],
        "classes": list(classes.values()),
        "palette": ["#" + bytes(colour).hex() for colour in PALETTE],
        "threshold": min_score,
        "top": top,
        "detected": detected_group(mine, classes).plain(),
        "truth": None if truth is None else true_group(truth, classes).plain(),
        "spectrogram": sound,
        "nothing": None if "no score" in outside else outside,
    }
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_page(data), encoding="utf-8")
    return page


def relative_url(video: Path, page: Path) -> str:
    """From the page's folder to the video, for an attribute: "../clips/a%20b.mp4"."""
    try:
        path = os.path.relpath(video.resolve(), page.resolve().parent)
    except ValueError:  # on another drive
        return video.resolve().as_uri()
    return quote(Path(path).as_posix())


def _page(data: Mapping[str, object]) -> str:
    files = resources.files("avdet.visualization.player")
    read = {name: files.joinpath(name).read_text(encoding="utf-8") for name in ("page.html", "style.css", *_SCRIPTS)}
    return Template(read["page.html"]).substitute(
        title=escape(str(data["name"])),
        style=read["style.css"],
        script="\n".join(read[name] for name in _SCRIPTS),
        data=json_in_html(data),
    )


def json_in_html(data: object) -> str:
    """JSON that may stand in a script element: nothing in it can end the element or open another."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _spectrogram(reader: VideoReader) -> str:
    """A data URL."""
    pixels = coloured(log_mel_columns(reader, 0.0, reader.info.duration_s, max_columns=_MOST_COLUMNS))
    file = io.BytesIO()
    Image.fromarray(pixels).quantize(256).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")

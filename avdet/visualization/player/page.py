"""Writes the player page: one HTML file that holds everything but the video, which it loads by a relative path."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from urllib.parse import quote

from PIL import Image

from ava_eval.html_page import page_head
from avdet.media.video_reader import VideoReader
from avdet.visualization.draw import PALETTE
from avdet.visualization.person_timeline import Overlay, explain_no_detection
from avdet.visualization.player.tracks import action_names, detection_tracks, ground_truth_tracks
from avdet.visualization.spectrogram import log_mel_image, read_log_mel

__all__ = ["write_player"]

_SCRIPTS = ("interpolate.js", "draw_boxes.js", "timeline.js", "player.js")
_SOURCES = "img-src data:; media-src 'self' file:"  # the spectrogram and the video
_MAX_SPECTROGRAM_COLUMNS = 2400


def write_player(video: str | Path, page: str | Path, overlay: Overlay) -> Path:
    """Writes `page` (HTML), which plays the video from its place, by a path relative to the page.

    The page needs no network: open it from a folder, copy it together with the video, or serve it. Boxes are
    interpolated between keyframes. Scores below 0.02 are left out unless all are.
    """
    video, page = Path(video), Path(page)
    timelines = [overlay.detections] if overlay.ground_truth is None else [overlay.detections, overlay.ground_truth]
    names = action_names(timelines)
    with VideoReader(video) as reader:
        info = reader.info
        spectrogram = _spectrogram_url(reader) if info.has_audio else None
    data = {
        "name": video.name,
        "src": relative_url(video, page),
        "duration": round(info.duration_s, 4),
        "fps": round(info.fps, 4),
        "timestampOffset": overlay.timestamp_offset_s,
        "size": [info.width, info.height],
        "classes": list(names.values()),
        "palette": ["#" + bytes(colour).hex() for colour in PALETTE],
        "minScore": overlay.min_score,
        "topK": overlay.top_k,
        "detections": detection_tracks(overlay.detections, names).to_json(),
        "groundTruth": None
        if overlay.ground_truth is None
        else ground_truth_tracks(overlay.ground_truth, names).to_json(),
        "spectrogram": spectrogram,
        "noDetection": explain_no_detection(overlay.detections, info.duration_s),
    }
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_html(data), encoding="utf-8")
    return page


def relative_url(video: Path, page: Path) -> str:
    """Returns the URL of the video relative to the page's folder, quoted: "../clips/a%20b.mp4"."""
    try:
        path = os.path.relpath(video.resolve(), page.resolve().parent)
    except ValueError:  # on another drive
        return video.resolve().as_uri()
    return quote(Path(path).as_posix())


def json_in_html(data: object) -> str:
    """Returns JSON that is safe inside a script element: it can neither end the element nor open another."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _html(data: Mapping[str, object]) -> str:
    files = resources.files("avdet.visualization.player")
    text = {name: files.joinpath(name).read_text(encoding="utf-8") for name in ("page.html", "style.css", *_SCRIPTS)}
    script = "\n".join(['"use strict";', "(() => {", *(text[name] for name in _SCRIPTS), "})();"])
    head = page_head(str(data["name"]), text["style.css"], script, sources=_SOURCES)
    return Template(text["page.html"]).substitute(head=head, data=json_in_html(data), script=script)


def _spectrogram_url(reader: VideoReader) -> str:
    """The whole video's spectrogram as the data URL of a PNG."""
    log_mel = read_log_mel(reader, 0.0, reader.info.duration_s, max_columns=_MAX_SPECTROGRAM_COLUMNS)
    file = io.BytesIO()
    Image.fromarray(log_mel_image(log_mel)).quantize(256).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")

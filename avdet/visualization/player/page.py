"""Writes the player page: one HTML file that holds everything but the video, which it loads by a relative path."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from urllib.parse import quote

from ava_eval.html_page import page_head
from avdet.media.video_reader import VideoReader
from avdet.visualization.draw import PALETTE
from avdet.visualization.person_timeline import Overlay, PersonTimeline, explain_no_detection
from avdet.visualization.player.index_page import PAGE_META
from avdet.visualization.player.pack_tracks import pack_tracks
from avdet.visualization.player.spectrogram_images import spectrogram_images
from avdet.visualization.player.tracks import MIN_SCORE, action_names, detection_tracks, ground_truth_tracks

__all__ = ["EditSettings", "write_player"]

_SCRIPTS = (
    "canvas.js", "read_tracks.js", "filter.js", "mistakes.js", "interpolate.js", "rows.js", "draw_boxes.js",
    "spectrogram.js", "timeline.js", "check_list.js", "link.js", "controls.js", "edit_session.js", "edit_boxes.js",
    "edit_panel.js", "player.js",
)  # fmt: skip
_SOURCES = "img-src data:; media-src 'self' file:"  # the spectrogram and the video
# A page that would be larger holds only scores from the next of these on.
_MIN_SCORES = (MIN_SCORE, 0.05, 0.1, 0.2, 0.3)
_MAX_DETECTION_BYTES = 1_400_000


@dataclass(frozen=True)
class EditSettings:
    """Makes a page one for corrections. video: its name in the table that the page gives; label_map: all actions."""

    video: str
    label_map: Mapping[int, str]


def write_player(video: str | Path, page: str | Path, overlay: Overlay, edit: EditSettings | None = None) -> Path:
    """Writes `page` (HTML), which plays the video from its place, by a path relative to the page.

    The page needs no network: open it from a folder, copy it together with the video, or serve it. Boxes are
    interpolated between keyframes. Scores below 0.02 are left out unless all are; on hours of detections, more are.
    """
    video, page = Path(video), Path(page)
    timelines = [overlay.detections] if overlay.ground_truth is None else [overlay.detections, overlay.ground_truth]
    names = action_names(timelines, {} if edit is None else edit.label_map)
    with VideoReader(video) as reader:
        info = reader.info
        spectrogram = spectrogram_images(reader) if info.has_audio else None
    lowest_score, detections = _packed_detections(overlay.detections, names, info.duration_s)
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
        "lowestScore": lowest_score,
        "topK": overlay.top_k,
        "models": ["with audio", "without audio"][: int(str(detections["models"]))],
        "detections": detections,
        **_ground_truth(overlay.ground_truth, names, info.duration_s),
        "spectrogram": spectrogram,
        "noDetection": explain_no_detection(overlay.detections, info.duration_s),
        "edit": None if edit is None else {"video": edit.video, "actionIds": list(names)},
    }
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_html(data), encoding="utf-8")
    return page


def _packed_detections(
    detections: PersonTimeline, names: Mapping[int, str], duration_s: float
) -> tuple[float, dict[str, object]]:
    """The lowest score with which the detections are small enough, and the packed detections."""
    for min_score in _MIN_SCORES:
        packed = pack_tracks(detection_tracks(detections, names, duration_s, min_score))
        if len(str(packed["bytes"])) <= _MAX_DETECTION_BYTES:
            break
    return min_score, packed


def _ground_truth(
    ground_truth: PersonTimeline | None, names: Mapping[int, str], duration_s: float
) -> dict[str, object]:
    if ground_truth is None:
        return {"groundTruth": None, "annotatedTimes": []}
    times_s = [round(float(time_s), 4) for time_s in ground_truth.times_s]
    tracks = ground_truth_tracks(ground_truth, names, duration_s)
    return {"groundTruth": pack_tracks(tracks), "annotatedTimes": times_s}


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
    script = "\n".join(['"use strict";', "(async () => {", *(text[name] for name in _SCRIPTS), "})();"])
    head = page_head(str(data["name"]), text["style.css"], script, sources=_SOURCES, meta=PAGE_META)
    return Template(text["page.html"]).substitute(head=head, data=json_in_html(data), script=script)

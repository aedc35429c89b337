"""A video with its detections drawn on it, as an mp4 file with the video's own sound, in time."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from avdet.media.reader import VideoReader
from avdet.models.explain import Explanation
from avdet.visualization.audio_gain import beside
from avdet.visualization.draw import annotate
from avdet.visualization.draw_attention import draw_attention_map, draw_audio_attention
from avdet.visualization.person_timeline import detected_people, short_names, true_people, why_nothing_is_shown
from avdet.visualization.repaint import repaint
from avdet.visualization.spectrogram_bar import SpectrogramBar

logger = logging.getLogger(__name__)
_STRIP = 1 / 7  # of the short side


@dataclass(frozen=True)
class Rendering:
    """What came out. boxes: drawn in all frames together. nothing_drawn: why there are none."""

    frames: int
    boxes: int
    nothing_drawn: str | None


def render(
    video: str | Path,
    detections: pd.DataFrame,
    output: str | Path,
    *,
    label_map: Mapping[int, str] | None = None,
    ground_truth: pd.DataFrame | None = None,
    min_score: float = 0.3,
    top: int = 3,
    name: str | None = None,
    time_origin_s: float = 0.0,
    spectrogram: bool = False,
    without_sound: pd.DataFrame | None = None,
    explain: Callable[[float], Explanation | None] | None = None,
    on_frame: Callable[[float, float], None] | None = None,
) -> Rendering:
    """Writes `output`: every frame of the video at its own time, boxes and clock drawn on it, with its sound (mono).

    detections, ground_truth: tables of `ava_eval.read_detections` and `.read_ground_truth`; their rows for `name`
    count (the file's name without suffix). A detection is shown for half the keyframe distance to either side, with
    its `top` actions that score at least `min_score`; annotated boxes are white.
    label_map: names of action ids, drawn without their brackets; without a name the id stands as a number.
    time_origin_s: the second of the tables at which the video begins, 0 unless it was cut out of a longer one.
    spectrogram: a strip with the log-mel and a time cursor is added below, where there is sound.
    without_sound: detections of the same boxes by a model that does not hear; both scores stand beside one another.
    explain: of a keyframe, where the network looks and listens; heat in the boxes, and a second strip.
    on_frame: told the time of every frame written, and the video's length.
    """
    path, names = Path(video), short_names(label_map or {})
    mine = rows_of(detections, name or path.stem, time_origin_s, "detections")
    if without_sound is not None:
        mine = beside(mine, rows_of(without_sound, name or path.stem, time_origin_s, "detections without sound"))
    detected = detected_people(mine, label_map=names, min_score=min_score, top=top)
    timelines = [detected]
    if ground_truth is not None:
        truth = rows_of(ground_truth, name or path.stem, time_origin_s, "ground truth")
        timelines.insert(0, true_people(truth, label_map=names))
    frames = boxes = 0

    def paint(time_s: float, frame: NDArray[np.uint8], strip: NDArray[np.uint8]) -> None:
        nonlocal frames, boxes
        people = [person for timeline in timelines for person in timeline.at(time_s)]
        if explain is not None:
            keyframe_s = detected.keyframe_at(time_s)
            explanation = None if keyframe_s is None else explain(keyframe_s)
            if explanation is not None:
                draw_attention_map(frame, explanation, time_s)
            if info.has_audio:
                draw_audio_attention(strip[-(len(strip) // strips) :], explanation, time_s, names)
        annotate(frame, people, time_s + time_origin_s)
        if sound is not None:
            sound.draw(strip[: len(strip) // strips], time_s)
        frames, boxes = frames + 1, boxes + len(people)
        if on_frame is not None:
            on_frame(time_s, info.duration_s)

    Path(output).parent.mkdir(parents=True, exist_ok=True)
    with VideoReader(path) as reader:
        info = reader.info
    with contextlib.ExitStack() as opened:
        sound = opened.enter_context(SpectrogramBar(path)) if spectrogram and info.has_audio else None
        strips = (sound is not None) + (explain is not None and info.has_audio)
        repaint(path, info, output, paint, strip=_STRIP * strips)
    reason = (
        why_nothing_is_shown(mine, detected, min_score=min_score, duration_s=info.duration_s) if not boxes else None
    )
    if reason is not None:
        logger.warning("%s: %s", path, reason)
    return Rendering(frames, boxes, reason)


def rows_of(table: pd.DataFrame, name: str, time_origin_s: float, what: str) -> pd.DataFrame:
    """The video's rows, in seconds of the video."""
    mine = table[table["video"] == name]
    if mine.empty and not table.empty:
        known = sorted(map(str, table["video"].unique()))
        listed = ", ".join(known[:3]) + (f" and {len(known) - 3} more" if len(known) > 3 else "")
        raise ValueError(
            f"the {what} have no row for {name!r}, only for {listed}; their column video must hold the file's name "
            "without suffix, or give the name that they use"
        )
    return mine.assign(timestamp=mine["timestamp"] - time_origin_s)

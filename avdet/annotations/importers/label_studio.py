"""Reads Label Studio's JSON and JSON-MIN exports of video tasks: keyframed boxes with linear motion between them.

Frames count from 1; x, y, width and height are percents of the frame; `rotation` turns the box about its upper left
corner. A keyframe with `enabled` false is the last frame of the box until the next keyframe, and its only one if no
motion leads to it (web/libs/editor/src/regions/VideoRegion.js); after a last keyframe with `enabled` true the box stays
to the video's end (label_studio_sdk/_extensions/label_studio_tools/postprocessing/video.py). Label Studio counts frames
at the rate of its <Video> tag, so `framesCount` may differ from the file's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd

from avdet.annotations.importers.rows import Context, LabelledBox, rows_from_boxes
from avdet.annotations.importers.video_index import finite_numbers
from avdet.media.file_names import nfc

__all__ = ["is_label_studio", "read_label_studio"]

UPLOAD_PREFIX = re.compile(r"[0-9a-f]{8}-(?=.)")
KEYS = ("x", "y", "width", "height")
BOX_TYPE, VALUE_KEYS = "videorectangle", ("choices", "text", "number", "rating", "taxonomy")


class Track(NamedTuple):
    """A keyframed box of one video and the values given to it, by the name of their control."""

    video: str
    track_id: str
    value: Mapping[str, Any]
    values: Mapping[str, Sequence[str]]
    choices: frozenset[str] = frozenset()  # the controls that offer choices


def is_label_studio(content: object) -> bool:
    tasks = content if isinstance(content, list) else [content]
    return bool(tasks) and all(isinstance(task, dict) and (_is_task(task) or _min_tracks(task)) for task in tasks)


def read_label_studio(content: Any, path: Path, context: Context) -> pd.DataFrame:  # noqa: ANN401  (JSON)
    """Returns the rows of all boxes on all their frames. Choices and texts of a region are its attributes."""
    tasks = content if isinstance(content, list) else [content]
    tracks = [track for task in tasks for track in _tracks(task, path, context)]
    options: dict[str, set[str]] = {}
    for track in tracks:
        for name in track.choices:
            options.setdefault(name, set()).update(track.values[name])
    boxes = [box for track in tracks for box in _boxes(track, path, context)]
    return rows_from_boxes(boxes, options, path, context)


def _is_task(task: Mapping[str, Any]) -> bool:
    return isinstance(task.get("annotations"), list) and isinstance(task.get("data"), dict)


def _min_tracks(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The keyframed boxes of a JSON-MIN task, whose results are lists by the name of their control."""
    lists = [value for value in task.values() if isinstance(value, list)]
    return [entry for entries in lists for entry in entries if isinstance(entry, dict) and "sequence" in entry]


def _tracks(task: Mapping[str, Any], path: Path, context: Context) -> Iterator[Track]:
    if not _is_task(task):
        video = _find_video(task, path, context)
        for number, value in enumerate(_min_tracks(task)):
            yield Track(video, str(number), value, {})
        return
    context.omitted["predictions"] += len(task.get("predictions") or ())
    kept = [one for one in task["annotations"] if not one.get("was_cancelled")]
    context.omitted["cancelled annotations"] += len(task["annotations"]) - len(kept)
    if len(kept) > 1:
        context.note(f"{path.name}: task {task.get('id')} has {len(kept)} annotations; all are read")
    for annotation in kept:
        yield from _tracks_of_annotation(annotation, _find_video(task["data"], path, context), context)


def _tracks_of_annotation(annotation: Mapping[str, Any], video: str, context: Context) -> Iterator[Track]:
    results = annotation.get("result", ())
    regions = {result["id"]: result for result in results if result.get("type") == BOX_TYPE}
    values: dict[str, dict[str, list[str]]] = {key: {} for key in regions}
    choices: dict[str, set[str]] = {key: set() for key in regions}
    for result in results:
        if result.get("type") == BOX_TYPE:
            continue
        key = next((key for key in VALUE_KEYS if key in result.get("value", {})), None)
        if key is None or result.get("id") not in regions:
            if result.get("type") != "labels":  # the labels of a region are repeated in its own result
                context.omitted[f"results of type {result.get('type')} without a box"] += 1
            continue
        texts = _flat(result["value"][key])
        values[result["id"]].setdefault(str(result.get("from_name", key)), []).extend(texts)
        if key in {"choices", "taxonomy"}:
            choices[result["id"]].add(str(result.get("from_name", key)))
    for key, region in regions.items():
        yield Track(video, str(key), region["value"], values[key], frozenset(choices[key]))


def _flat(value: object) -> list[str]:
    """The texts of a value: one, a list, or the paths of a taxonomy, whose last element is the choice."""
    return [str(one[-1] if isinstance(one, list) else one) for one in (value if isinstance(value, list) else [value])]


def _find_video(data: Mapping[str, Any], path: Path, context: Context) -> str:
    """The video of a task: a name, path or URL in one of its fields; uploads are named with 8 hex digits before."""
    texts = [value for value in data.values() if isinstance(value, str) and value]
    names = [nfc(_file_name(text)) for text in texts]
    known = [name for name in names if PurePosixPath(name).stem in context.videos.paths or name in context.videos.paths]
    plain = [UPLOAD_PREFIX.sub("", name, count=1) for name in names]
    video = data.get("video") or data.get("video_url") or (texts[0] if texts else "")
    fallback = UPLOAD_PREFIX.sub("", _file_name(str(video)), count=1)
    found = [name for name in plain if PurePosixPath(name).stem in context.videos.paths]
    return context.videos.find((known or found or [fallback])[0], path)


def _file_name(reference: str) -> str:
    """The file's name in a path or URL, such as /data/local-files/?d=videos/a%20b.mp4."""
    parts = urlsplit(reference.replace("\\", "/"))
    local = parse_qs(parts.query).get("d")
    return PurePosixPath(local[0] if local else unquote(parts.path)).name


def _boxes(track: Track, path: Path, context: Context) -> Iterator[LabelledBox]:
    where = f"{path}, region {track.track_id}"
    sequence = sorted(track.value["sequence"], key=lambda keyframe: keyframe["frame"])
    labels = [str(label) for label in track.value.get("labels", ())] or [""]
    num_frames = int(track.value.get("framesCount") or context.videos.num_frames(track.video))
    for frame, numbers in _frames(sequence, num_frames, where):
        time_s = _time(track, frame, num_frames, where, context)
        size = context.videos.frame_size(track.video)
        box = _upright([numbers[key] / 100 for key in KEYS], numbers["rotation"], size)
        for label in labels:
            yield LabelledBox(track.video, time_s, box, label, track.track_id, track.values)


def _frames(
    sequence: Sequence[Mapping[str, Any]], num_frames: int, where: str
) -> Iterator[tuple[int, dict[str, float]]]:
    """(frame from 1, coordinates) of each frame on which the box is visible."""
    names = (*KEYS, "rotation")
    last = 0
    for index, keyframe in enumerate(sequence):
        numbers = finite_numbers([keyframe.get(name, 0 if name == "rotation" else None) for name in names], 5, where)
        start = int(keyframe["frame"])
        is_last = not keyframe.get("enabled", True)
        following = sequence[index + 1] if index + 1 < len(sequence) and not is_last else None
        end = start if is_last else num_frames if following is None else int(following["frame"])
        target = numbers
        if following is not None:
            texts = [following.get(name, 0 if name == "rotation" else None) for name in names]
            target = finite_numbers(texts, 5, where)
        for frame in range(max(start, last + 1), end + 1):
            share = (frame - start) / max(1, end - start)
            last = frame
            yield frame, {name: a + (b - a) * share for name, a, b in zip(names, numbers, target, strict=True)}


def _time(track: Track, frame: int, num_frames: int, where: str, context: Context) -> float:
    """By the video's own timestamps, or by the rate at which Label Studio counted if its number of frames differs."""
    duration_s = track.value.get("duration")
    actual = context.videos.num_frames(track.video)
    if not duration_s or abs(num_frames - actual) <= max(1, 0.002 * actual):
        return context.videos.frame_time(track.video, min(frame, actual) - 1, where)
    (duration_s,) = finite_numbers([duration_s], 1, f"{where}: its duration")
    context.note(
        f"{track.video}: Label Studio counted {num_frames:,} frames, the file has {actual:,}; times follow its "
        f"{num_frames / duration_s:.4g} frames per second"
    )
    return (frame - 1) * duration_s / num_frames


def _upright(box: Sequence[float], degrees: float, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 of the upright box around one that is turned clockwise about its upper left corner."""
    x, y, w, h = box
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    aspect = size[0] / size[1]
    xs = [x + dx * cosine - dy * sine / aspect for dx in (0, w) for dy in (0, h)]
    ys = [y + dx * sine * aspect + dy * cosine for dx in (0, w) for dy in (0, h)]
    return min(xs), min(ys), max(xs), max(ys)

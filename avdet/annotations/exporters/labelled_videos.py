"""The boxes of a table by video, frame and person: what all exporters write."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS
from ava_eval.csv_format import MISSING_ID
from avdet.annotations.importers.video_index import VideoIndex

__all__ = ["NO_PERSON", "PERSON_LABEL", "FrameBox", "LabelledVideo", "labelled_videos", "tracks_of"]

PERSON_LABEL = "person"  # the one label of all boxes; the actions are attributes
NO_PERSON = MISSING_ID["person_id"]


@dataclass(frozen=True)
class FrameBox:
    """A person box on a frame, counted from 0.

    `box`: x1, y1, x2, y2 as fractions of the frame. person_id: -1 if unknown, else the only box of the person there.
    """

    frame: int
    time_s: float
    box: tuple[float, float, float, float]
    person_id: int
    actions: tuple[str, ...]


@dataclass(frozen=True)
class LabelledVideo:
    """A video file with its boxes, sorted by frame. `size`: width and height in pixels, as displayed."""

    name: str
    path: Path
    size: tuple[int, int]
    num_frames: int
    duration_s: float
    boxes: Sequence[FrameBox]

    def in_pixels(self, box: FrameBox) -> tuple[float, float, float, float]:
        (width, height), (x1, y1, x2, y2) = self.size, box.box
        return x1 * width, y1 * height, x2 * width, y2 * height


def labelled_videos(
    table: pd.DataFrame, videos: VideoIndex, offset_s: float, source: Path, omitted: Counter[str]
) -> list[LabelledVideo]:
    """Returns the boxes of all videos of a table with columns video, timestamp, x1, y1, x2, y2, person_id, action.

    A row without an action (NaN) keeps its box. `offset_s` is the timestamp of a video's start. Boxes without area or
    outside their video's time, and rows without a box, are counted in `omitted`. Raises ValueError for a video that is
    not in `videos`.
    """
    has_box = table["x1"].notna()
    omitted["keyframes without a person"] += int((~has_box).sum())
    table = table[has_box]
    table = table.assign(**table[BOX_COLUMNS].clip(0.0, 1.0))
    has_area = (table["x1"] < table["x2"]) & (table["y1"] < table["y2"])
    omitted["rows without a box in the frame"] += int((~has_area).sum())
    keys = [*KEYFRAME_COLUMNS, *BOX_COLUMNS, "person_id"]
    table = table[has_area]
    table = table[table["action"].notna() | ~table.duplicated(keys)]
    actions: dict[str, dict[tuple[float, ...], set[str]]] = defaultdict(dict)
    for video, *key, action in table[[*keys, "action"]].itertuples(index=False, name=None):
        actions[str(video)].setdefault(tuple(key), set()).update([action] if isinstance(action, str) else [])
    return [_video(name, actions[name], videos, offset_s, source, omitted) for name in sorted(actions)]


def _video(
    name: str,
    actions: Mapping[tuple[float, ...], Collection[str]],
    videos: VideoIndex,
    offset_s: float,
    source: Path,
    omitted: Counter[str],
) -> LabelledVideo:
    video = videos.find(name, source)
    boxes = []
    taken: set[tuple[int, float]] = set()
    for (timestamp, x1, y1, x2, y2, person_id), names in sorted(actions.items()):
        time_s = timestamp - offset_s
        frame = videos.nearest_frame(video, time_s)
        if frame is None:
            omitted["boxes before the start or after the end of their video"] += 1
            continue
        is_second = person_id != NO_PERSON and (frame, person_id) in taken
        omitted["person ids of second boxes on one frame"] += is_second
        taken.add((frame, person_id))
        own_id = NO_PERSON if is_second else int(person_id)
        boxes.append(FrameBox(frame, time_s, (x1, y1, x2, y2), own_id, tuple(sorted(names))))
    num_frames = videos.num_frames(video)
    last_s = videos.frame_time(video, num_frames - 1, source)
    duration_s = last_s * num_frames / (num_frames - 1) if last_s else 1.0
    return LabelledVideo(video, videos.paths[video], videos.frame_size(video), num_frames, duration_s, boxes)


def tracks_of(boxes: Iterable[FrameBox]) -> dict[int, list[FrameBox]]:
    """Returns the boxes by track number: the person id, or a new number for each box without one."""
    tracks: dict[int, list[FrameBox]] = defaultdict(list)
    alone: list[FrameBox] = []
    for box in boxes:
        (alone if box.person_id == NO_PERSON else tracks[box.person_id]).append(box)
    start = max(tracks, default=-1) + 1
    return tracks | {start + index: [box] for index, box in enumerate(alone)}

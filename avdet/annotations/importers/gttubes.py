"""Reads the pickles of UCF101-24, JHMDB and MultiSports: tubes of boxes, with the data set's own splits.

    labels: class names          gttubes: {video: {class index: [array of (frame, x1, y1, x2, y2)]}}
    resolution: {video: (height, width)}          train_videos, test_videos: one list of videos per split

Frames count from 1; boxes are in pixels of `resolution`. Each tube is a person of its own. The form is ACT's and MOC's
(MOC-Detector, src/datasets/dataset/base_dataset.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from ava_eval.restricted_unpickler import restricted_load
from avdet.annotations.importers.rows import Context, LabelledBox, rows_from_boxes
from avdet.annotations.importers.video_index import finite_numbers
from avdet.media.file_names import nfc

__all__ = ["read_gttubes"]

KEYS = {"labels", "gttubes", "resolution", "train_videos", "test_videos"}


def read_gttubes(path: Path, context: Context) -> pd.DataFrame:
    """Returns the rows of all tubes whose video is in --videos and in the split; the others are counted.

    Sets the split of each video in `context.splits`. Raises ValueError for a pickle that is not of this form.
    """
    content = restricted_load(path)
    if not isinstance(content, Mapping) or not content.keys() >= KEYS:
        raise ValueError(f"{path} is a pickle without {', '.join(sorted(KEYS))}; give the data set's gttubes file")
    parts = {"train": content["train_videos"], "val": content["test_videos"]}
    number = context.split_number
    if not 1 <= number <= len(parts["train"]):
        raise ValueError(f"--split is {number}; {path} has the splits 1 to {len(parts['train'])}")
    splits = {str(name): split for split, lists in parts.items() for name in lists[number - 1]}
    context.note(
        f"{path.name}: split {number} of {len(parts['train'])}; its test videos are val, each tube is a person"
    )
    return rows_from_boxes(_boxes(content, splits, path, context), {}, path, context)


def _boxes(
    content: Mapping[str, Any], splits: Mapping[str, str], path: Path, context: Context
) -> Iterator[LabelledBox]:
    for name, tubes_of_class in content["gttubes"].items():
        num_tubes = sum(map(len, tubes_of_class.values()))
        if nfc(PurePosixPath(str(name)).name) not in context.videos.paths:
            context.omitted["tubes of videos that are not in --videos"] += num_tubes
            continue
        if str(name) not in splits:
            context.omitted["tubes of videos that are in neither list of the split"] += num_tubes
            continue
        video = context.videos.find(str(name), path)
        context.splits[video] = splits[str(name)]
        height, width = finite_numbers(content["resolution"][name], 2, f"{path}: the resolution of {name}")
        tubes = [(index, tube) for index, tubes in sorted(tubes_of_class.items()) for tube in tubes]
        for person, (index, tube) in enumerate(tubes):
            where = f"{path}, {name}, tube {person + 1}"
            for frame, *corners in np.asarray(tube, dtype=float).reshape(-1, 5).tolist():
                x1, y1, x2, y2 = finite_numbers(corners, 4, f"{where}: its box")
                yield LabelledBox(
                    video,
                    context.videos.frame_time(video, frame - 1, where),
                    (x1 / width, y1 / height, x2 / width, y2 / height),
                    str(content["labels"][index]),
                    str(person),
                )

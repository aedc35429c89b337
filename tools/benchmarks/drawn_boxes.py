"""Print how well drawn boxes, interpolated between keyframes, fit the walking persons of the sample's val split.

`centre and linear size` is the limit of every tracker that follows a person without outlining its limbs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from avdet.cli.arguments import ToolParser
from avdet.synthetic.scene import Actor, Scene
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.scene_video import person_box
from avdet.synthetic.synthetic_settings import SampleSettings
from avdet.visualization.labelled_person import LabelledPerson
from avdet.visualization.person_tracks import PersonTracks

Boxes = NDArray[np.float64]
RATES = (1, 2, 5, 10, 15)


def main(argv: Sequence[str] | None = None) -> int:
    parser = ToolParser("drawn_boxes.py", __doc__)
    parser.add_argument("--seed", type=int, default=0, help="the sample set's seed (default 0)")
    args = parser.parse(argv)
    settings = SampleSettings()
    walks = list(walking_boxes(write_scenes(settings, "val", args.seed), settings))
    table = Table("keyframes per second", "mean IoU", "lowest IoU", "frames with IoU >= 0.8")
    for rate in RATES:
        table.add_row(str(rate), *_row([fit_of_drawn(boxes, settings.fps, rate) for boxes in walks]))
    table.add_row("1, centre and linear size", *_row([fit_of_tracked(boxes, settings.fps) for boxes in walks]))
    Console().print(f"{len(walks)} walks, {sum(map(len, walks)):,} frames", table)
    return 0


def walking_boxes(scenes: Sequence[Scene], settings: SampleSettings) -> Iterator[Boxes]:
    """Yields the true boxes (frames, 4) of each walk between two whole seconds."""
    for scene in scenes:
        for actor in scene.actors:
            yield from _walks(scene, actor, settings)


def _walks(scene: Scene, actor: Actor, settings: SampleSettings) -> Iterator[Boxes]:
    seconds = [s for s in scene.keyframes_s if all(actor.segment_at(s + part).pose == "walk" for part in (0.0, 0.999))]
    runs = np.split(seconds, np.flatnonzero(np.diff(seconds) > 1) + 1)
    for run in runs:
        if len(run):
            times_s = run[0] + np.arange(len(run) * settings.fps + 1) / settings.fps
            yield np.array([person_box(scene, actor, time_s, settings) for time_s in times_s.tolist()])


def fit_of_drawn(boxes: Boxes, fps: int, rate: int) -> Boxes:
    """(frames,) IoU of each box with the one that is drawn from the true boxes of `rate` keyframes per second."""
    keyframes = {index / fps: [_person(boxes[index])] for index in range(0, len(boxes), fps // rate)}
    tracks = PersonTracks(keyframes, 1 / rate)
    drawn = np.array([tracks.at(index / fps)[0].box for index in range(len(boxes))])
    return iou(drawn, boxes)


def fit_of_tracked(boxes: Boxes, fps: int) -> Boxes:
    """(frames,) IoU of each box with one of the true centre and the linear size of one keyframe per second."""
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    index = np.arange(len(boxes))
    linear = np.stack([np.interp(index, index[::fps], side[::fps]) for side in size.T], axis=1)
    return iou(np.concatenate([centre - linear / 2, centre + linear / 2], axis=1), boxes)


def iou(first: Boxes, second: Boxes) -> Boxes:
    """(N,) IoU of each pair of boxes."""
    sides = np.minimum(first[:, 2:], second[:, 2:]) - np.maximum(first[:, :2], second[:, :2])
    common = sides.clip(min=0).prod(axis=1)
    return common / ((first[:, 2:] - first[:, :2]).prod(axis=1) + (second[:, 2:] - second[:, :2]).prod(axis=1) - common)


def _person(box: Boxes) -> LabelledPerson:
    x1, y1, x2, y2 = box.tolist()
    return LabelledPerson((x1, y1, x2, y2), 0, ())


def _row(fits: Sequence[Boxes]) -> list[str]:
    every = np.concatenate(fits)
    return [f"{every.mean():.2f}", f"{every.min():.2f}", f"{100 * (every >= 0.8).mean():.1f} %"]


if __name__ == "__main__":
    sys.exit(main())

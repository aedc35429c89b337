"""A split's scenes as AVA's files: actions, excluded timestamps, and the boxes that a detector would find."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from avdet.synthetic.detector_noise import detected_boxes
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_frame import person_box
from avdet.synthetic.synthetic_settings import SampleSettings


def action_rows(scene: Scene, settings: SampleSettings) -> list[str]:
    """`video,timestamp,x1,y1,x2,y2,action_id,person_id`: one row a person, keyframe and action."""
    rows = []
    for second in scene.keyframes_s:
        for actor in scene.actors:
            box = ",".join(f"{side:.3f}" for side in person_box(scene, actor, second, settings))
            for action_id in scene.action_ids_at(actor, second):
                rows.append(f"{scene.name},{second:04d},{box},{action_id},{actor.index}")
    return rows


def excluded_rows(scene: Scene) -> list[str]:
    return [f"{scene.name},{second:04d}" for second in scene.excluded_s()]


def detected_rows(scene: Scene, settings: SampleSettings) -> list[str]:
    """`video,timestamp,x1,y1,x2,y2,score`, the surest first at each keyframe."""
    rows = []
    for second in scene.keyframes_s:
        people = [person_box(scene, actor, second, settings) for actor in scene.actors]
        for box, score in detected_boxes(people, f"{scene.seed}/{scene.name}/{second}", settings.box_jitter):
            rows.append(f"{scene.name},{second:04d},{','.join(f'{side:.3f}' for side in box)},{score:.3f}")
    return rows


def write_annotations(scenes: Sequence[Scene], split: str, folder: Path, settings: SampleSettings) -> None:
    """The three CSVs of one split, named as AVA's."""
    write_rows(folder / f"ava_{split}_v2.2.csv", [row for one in scenes for row in action_rows(one, settings)])
    write_rows(
        folder / f"ava_{split}_excluded_timestamps_v2.2.csv", [row for one in scenes for row in excluded_rows(one)]
    )
    write_rows(
        folder / f"ava_{split}_predicted_boxes.csv", [row for one in scenes for row in detected_rows(one, settings)]
    )


def write_rows(path: Path, rows: Sequence[str]) -> None:
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8", newline="\n")

"""A split's scenes in AVA's files: actions, excluded timestamps, and person boxes of a simulated detector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from avdet.synthetic.rng import Rng
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_video import Box, person_box
from avdet.synthetic.synthetic_settings import SampleSettings

# Rates per person: not detected; detected with a low score.
MISS_RATE, LOW_SCORE_RATE = 0.02, 0.05
# False positives per person: with a high score; with a low score.
HIGH_SCORE_FALSE_POSITIVES, LOW_SCORE_FALSE_POSITIVES = 0.07, 0.35
MIN_SIDE = 0.01  # of a box, as a fraction of the frame


def write_annotations(scenes: Sequence[Scene], split: str, folder: Path, settings: SampleSettings) -> None:
    """Writes the three CSVs of one split under AVA's file names."""
    write_rows(folder / f"ava_{split}_v2.2.csv", [row for one in scenes for row in action_rows(one, settings)])
    write_rows(
        folder / f"ava_{split}_excluded_timestamps_v2.2.csv", [row for one in scenes for row in excluded_rows(one)]
    )
    write_rows(
        folder / f"ava_{split}_predicted_boxes.csv", [row for one in scenes for row in detected_rows(one, settings)]
    )


def write_rows(path: Path, rows: Sequence[str]) -> None:
    """Writes one row per line, ended by a newline on every platform."""
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8", newline="\n")


def action_rows(scene: Scene, settings: SampleSettings) -> list[str]:
    """Returns `video,timestamp,x1,y1,x2,y2,action_id,person_id`: one row per person, keyframe and action."""
    rows = []
    for second in scene.keyframes_s:
        for actor in scene.actors:
            box = ",".join(f"{side:.3f}" for side in person_box(scene, actor, second, settings))
            for action_id in scene.action_ids_at(actor, second):
                rows.append(f"{scene.name},{second:04d},{box},{action_id},{actor.index}")
    return rows


def excluded_rows(scene: Scene) -> list[str]:
    """Returns `video,timestamp` for each excluded keyframe."""
    return [f"{scene.name},{second:04d}" for second in scene.excluded_s()]


def detected_rows(scene: Scene, settings: SampleSettings) -> list[str]:
    """Returns `video,timestamp,x1,y1,x2,y2,score`, at each keyframe in descending order of score."""
    rows = []
    for second in scene.keyframes_s:
        persons = [person_box(scene, actor, second, settings) for actor in scene.actors]
        for box, score in detected_boxes(persons, f"{scene.seed}/{scene.name}/{second}", settings.box_jitter):
            rows.append(f"{scene.name},{second:04d},{','.join(f'{side:.3f}' for side in box)},{score:.3f}")
    return rows


def detected_boxes(persons: Sequence[Box], seed: str, jitter: float) -> list[tuple[Box, float]]:
    """Simulates a person detector at one keyframe and returns (box, score) in descending order of score.

    `jitter` is the standard deviation of each edge in fractions of the box's sides. At a score threshold of 0.8,
    recall and precision are about 0.93.
    """
    rng = Rng("detector", seed)
    detections: list[tuple[Box, float]] = []
    for person in persons:
        draw = rng.uniform(0.0, 1.0)
        if draw >= MISS_RATE:
            low_score = draw < MISS_RATE + LOW_SCORE_RATE
            score = rng.uniform(0.3, 0.8) if low_score else 1.0 - 0.18 * rng.uniform(0.0, 1.0) ** 2
            detections.append((_jittered(person, jitter, rng), score))
        for rate, low, high in ((HIGH_SCORE_FALSE_POSITIVES, 0.8, 0.95), (LOW_SCORE_FALSE_POSITIVES, 0.1, 0.75)):
            if rng.bernoulli(rate):
                detections.append((_false_positive(person, rng), rng.uniform(low, high)))
    return sorted(detections, key=lambda pair: -pair[1])


def _jittered(box: Box, jitter: float, rng: Rng) -> Box:
    x1, y1, x2, y2 = box
    x_std, y_std = (x2 - x1) * jitter, (y2 - y1) * jitter
    return _clipped(
        x1 + x_std * rng.normal(), y1 + y_std * rng.normal(), x2 + x_std * rng.normal(), y2 + y_std * rng.normal()
    )  # fmt: skip


def _false_positive(person: Box, rng: Rng) -> Box:
    """Half of the person, or a random box."""
    x1, y1, x2, y2 = person
    if rng.bernoulli(0.5):
        return _jittered((x1, y1, x2, (y1 + y2) / 2) if rng.bernoulli(0.5) else (x1, (y1 + y2) / 2, x2, y2), 0.03, rng)
    width, height = rng.uniform(0.08, 0.3), rng.uniform(0.15, 0.4)
    left, top = rng.uniform(0.0, 1.0 - width), rng.uniform(0.0, 1.0 - height)
    return _clipped(left, top, left + width, top + height)


def _clipped(x1: float, y1: float, x2: float, y2: float) -> Box:
    """Clips to the frame; no side is shorter than `MIN_SIDE`."""
    x1, y1 = min(max(x1, 0.0), 1.0 - MIN_SIDE), min(max(y1, 0.0), 1.0 - MIN_SIDE)
    return x1, y1, min(max(x2, x1 + MIN_SIDE), 1.0), min(max(y2, y1 + MIN_SIDE), 1.0)

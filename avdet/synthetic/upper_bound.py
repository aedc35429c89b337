"""What perfect senses could score on the sample set: an eye alone, an eye told what sounds, one told who sounds.

Each observer knows everybody's pose at every keyframe, and a few facts more, without error, and scores an action
by the share of training examples with the same facts. The boxes are the true ones, so only what is not perceived
costs precision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

import pandas as pd

import ava_eval
from avdet.synthetic.class_balance import counted_people
from avdet.synthetic.classes import CLASSES, POSE_IDS, TWIN_LOOKS
from avdet.synthetic.scene import Actor, Scene
from avdet.synthetic.scene_frame import person_box
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings

Facts = Callable[[Scene, Actor, float], Hashable]
NEAR_S = 0.6  # a sound belongs to a keyframe when one of its beats is as near as this
UNSEEN_BEFORE = 0.05  # the score of facts that no training example has


def by_eye(scene: Scene, actor: Actor, time_s: float) -> Hashable:
    """The look."""
    return actor.act_at(time_s).look


def by_eye_and_what_sounds(scene: Scene, actor: Actor, time_s: float) -> Hashable:
    """And which kinds of sound there are, but not who makes them; and how many people look the same."""
    act = actor.act_at(time_s)
    alike = sum(other.act_at(time_s).look == act.look for other in scene.actors) if act.look in TWIN_LOOKS else 0
    return act.look, act.look in sounding_looks(scene, time_s), alike, scene.music_at(time_s)


def by_eye_and_who_sounds(scene: Scene, actor: Actor, time_s: float) -> Hashable:
    """And who makes them: all that synchrony can tell."""
    act = actor.act_at(time_s)
    return act.look, act.heard, scene.music_at(time_s)


OBSERVERS: dict[str, Facts] = {
    "eye": by_eye,
    "eye, and what sounds": by_eye_and_what_sounds,
    "eye, and who sounds": by_eye_and_who_sounds,
}


def sounding_looks(scene: Scene, time_s: float) -> set[str]:
    """The looks whose sound is heard around a time, on screen or off."""
    heard = [act for actor in scene.actors for act in actor.acts if act.heard]
    sources = [(act.look, act.beats) for act in heard] + [(one.look, one.beats) for one in scene.off_screen]
    return {look for look, beats in sources if any(abs(beat.time_s - time_s) < NEAR_S for beat in beats)}


def oracle_scores(facts: Facts, *, seed: int = 0, settings: SampleSettings | None = None) -> ava_eval.Result:
    """ava_eval's result for an observer that learned its shares on train and is scored on val."""
    settings = settings or SampleSettings()
    train, val = (write_scenes(settings, split, seed) for split in ("train", "val"))
    shares = _learned(train, facts)
    truth, found = [], []
    for scene, actor, second in counted_people(val):
        row = (scene.name, float(second), *person_box(scene, actor, second, settings))
        truth += [(*row, action_id, actor.index) for action_id in scene.action_ids_at(actor, second)]
        known = shares.get(facts(scene, actor, second), {})
        pose_id = POSE_IDS[actor.act_at(second).pose]
        scores = {**known, **{other: float(other == pose_id) for other in POSE_IDS.values()}}
        found += [(*row, one.id, scores.get(one.id, UNSEEN_BEFORE), actor.index) for one in CLASSES]
    columns = ["video", "timestamp", "x1", "y1", "x2", "y2", "action_id"]
    names = {one.id: one.name for one in CLASSES}
    return ava_eval.evaluate(
        pd.DataFrame(truth, columns=[*columns, "person_id"]),
        pd.DataFrame(found, columns=[*columns, "score", "person_id"]),
        names,
    )


def _learned(scenes: Sequence[Scene], facts: Facts) -> dict[Hashable, dict[int, float]]:
    """For each set of facts the share of examples of each action."""
    examples: Counter[Hashable] = Counter()
    labels: dict[Hashable, Counter[int]] = {}
    for scene, actor, second in counted_people(scenes):
        known = facts(scene, actor, second)
        examples[known] += 1
        labels.setdefault(known, Counter()).update(scene.action_ids_at(actor, second))
    return {
        known: {one.id: labels[known][one.id] / count for one in CLASSES} for known, count in examples.items()
    }  # fmt: skip

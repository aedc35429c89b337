"""Upper bounds of AP on the detection sample set for three kinds of input, the video-only upper bound first.

Each observation contains, without error, the facts that an ideal model could extract from its input. An action's
score is its frequency among the training persons with equal facts; poses and boxes are the true ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

import pandas as pd

import ava_eval
from avdet.synthetic.classes import AUDIO_DEPENDENT_GESTURES, CLASSES, POSE_IDS
from avdet.synthetic.scene import Actor, Scene
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.scene_video import person_box
from avdet.synthetic.synthetic_settings import SampleSettings

Observation = Callable[[Scene, Actor, float], Hashable]
MAX_DISTANCE_S = 0.6  # a gesture is audible at a keyframe if one of its beats is nearer than this
UNKNOWN_SCORE = 0.05  # score of actions for facts that do not occur in train


def video_only(scene: Scene, actor: Actor, time_s: float) -> Hashable:
    """Returns the gesture."""
    return actor.segment_at(time_s).gesture


def video_and_audio_kinds(scene: Scene, actor: Actor, time_s: float) -> Hashable:
    """Returns gesture, whether this kind of gesture is audible from any source, how many persons make it, and music."""
    gesture = actor.segment_at(time_s).gesture
    audio_dependent = gesture in AUDIO_DEPENDENT_GESTURES
    same = sum(other.segment_at(time_s).gesture == gesture for other in scene.actors) if audio_dependent else 0
    return gesture, gesture in audible_gestures(scene, time_s), same, scene.music_at(time_s)


def video_and_audio_sources(scene: Scene, actor: Actor, time_s: float) -> Hashable:
    """Returns gesture, whether this person's gesture is audible (which synchrony reveals), and music."""
    segment = actor.segment_at(time_s)
    return segment.gesture, segment.audible, scene.music_at(time_s)


OBSERVATIONS: dict[str, Observation] = {
    "video only": video_only,
    "video + which sounds occur": video_and_audio_kinds,
    "video + who makes them": video_and_audio_sources,
}


def audible_gestures(scene: Scene, time_s: float) -> set[str]:
    """Returns the gestures that are audible around a time, from visible persons or off-screen."""
    audible = [segment for actor in scene.actors for segment in actor.segments if segment.audible]
    sources = [(one.gesture, one.beats) for one in audible] + [(one.gesture, one.beats) for one in scene.off_screen]
    return {gesture for gesture, beats in sources if any(abs(beat.time_s - time_s) < MAX_DISTANCE_S for beat in beats)}


def upper_bounds(*, seed: int = 0, settings: SampleSettings | None = None) -> dict[str, ava_eval.Result]:
    """Returns ava_eval's result for each of OBSERVATIONS on the sample set of a seed."""
    settings = settings or SampleSettings()
    train, val = (write_scenes(settings, split, seed) for split in ("train", "val"))
    return {name: upper_bound(observe, train, val, settings) for name, observe in OBSERVATIONS.items()}


def upper_bound(
    observe: Observation, train: Sequence[Scene], val: Sequence[Scene], settings: SampleSettings
) -> ava_eval.Result:
    """Scores val by the action frequencies of train and returns ava_eval's result."""
    frequencies = _action_frequencies(train, observe)
    truth, predictions = [], []
    for scene in val:
        for actor, second in scene.labelled_persons():
            row = (scene.name, float(second), *person_box(scene, actor, second, settings))
            truth += [(*row, action_id, actor.index) for action_id in scene.action_ids_at(actor, second)]
            pose_id = POSE_IDS[actor.segment_at(second).pose]
            scores = dict(frequencies.get(observe(scene, actor, second), {}))
            scores |= {other: float(other == pose_id) for other in POSE_IDS.values()}
            predictions += [(*row, one.id, scores.get(one.id, UNKNOWN_SCORE), actor.index) for one in CLASSES]
    columns = [*ava_eval.KEYFRAME_COLUMNS, *ava_eval.BOX_COLUMNS, "action_id"]
    return ava_eval.evaluate(
        pd.DataFrame(truth, columns=[*columns, "person_id"]),
        pd.DataFrame(predictions, columns=[*columns, "score", "person_id"]),
        {one.id: one.name for one in CLASSES},
        ties="worst",  # persons with equal facts are one point: no order among them that is right by chance
    )


def _action_frequencies(scenes: Sequence[Scene], observe: Observation) -> dict[Hashable, dict[int, float]]:
    """For each set of facts, the fraction of its persons who perform each action."""
    persons: Counter[Hashable] = Counter()
    actions: dict[Hashable, Counter[int]] = {}
    for scene in scenes:
        for actor, second in scene.labelled_persons():
            facts = observe(scene, actor, second)
            persons[facts] += 1
            actions.setdefault(facts, Counter()).update(scene.action_ids_at(actor, second))
    return {facts: {one.id: actions[facts][one.id] / count for one in CLASSES} for facts, count in persons.items()}

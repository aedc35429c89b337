"""Whether some scenes hold as much of everything as they are meant to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from avdet.synthetic.classes import POSE_IDS, TWIN_LOOKS
from avdet.synthetic.scene import Actor, Scene


def unbalance(scenes: Sequence[Scene]) -> float:
    """How far the shares of people's keyframes are from what is meant: the largest of all differences.

    Half of each look with a twin is heard, a third of all have music, and as many sit as walk as stand.
    """
    people = [(scene, actor.act_at(second), second) for scene, actor, second in counted_people(scenes)]
    shares = [_share([scene.music_at(second) for scene, _, second in people]) - 1 / 3]
    shares += [_share([act.heard for _, act, _ in people if act.look == look]) - 1 / 2 for look in TWIN_LOOKS]
    shares += [_share([act.pose == pose for _, act, _ in people]) - 1 / 3 for pose in POSE_IDS]
    return max(map(abs, shares))


def counted_people(scenes: Sequence[Scene]) -> Iterator[tuple[Scene, Actor, int]]:
    """Everybody at every keyframe that counts."""
    for scene in scenes:
        excluded = set(scene.excluded_s())
        for second in scene.keyframes_s:
            if second not in excluded:
                yield from ((scene, actor, second) for actor in scene.actors)


def _share(facts: Sequence[bool]) -> float:
    return sum(facts) / len(facts) if facts else 0.0

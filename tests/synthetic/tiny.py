"""A tiny twin of the sample set's settings, and scenes made of it."""

from __future__ import annotations

from dataclasses import replace

from avdet.synthetic.scene import Act, Actor, Scene
from avdet.synthetic.synthetic_settings import SampleSettings

TINY = SampleSettings(
    num_train=1, num_val=1, duration_s=(6.0, 6.4), width_px=96, height_px=64, fps=10, sample_rate=16000, music_s=(0, 3)
)


def with_act(scene: Scene, person: int, index: int, **changes: object) -> Scene:
    """The scene with one act of one person changed."""
    actor = scene.actors[person]
    acts = list(actor.acts)
    acts[index] = replace(acts[index], **changes)  # type: ignore[arg-type]
    actors = list(scene.actors)
    actors[person] = replace(actor, acts=tuple(acts))
    return replace(scene, actors=tuple(actors))


def acts_of(scenes: list[Scene]) -> list[tuple[Scene, Actor, Act]]:
    return [(scene, actor, act) for scene in scenes for actor in scene.actors for act in actor.acts]

"""Small settings and hand-made persons for the tests of the synthetic data set."""

from __future__ import annotations

from dataclasses import replace

from avdet.synthetic.rhythm import Beat
from avdet.synthetic.scene import ActionSegment, Actor, Scene
from avdet.synthetic.synthetic_settings import ClipSampleSettings, SampleSettings

TINY = SampleSettings(
    num_train=1, num_val=1, duration_s=(6.0, 6.4), width_px=96, height_px=64, fps=10, sample_rate=16000, music_s=(0, 3)
)
TINY_CLIP_SAMPLE = ClipSampleSettings(
    SampleSettings(
        num_train=4, num_val=2, duration_s=(6.5, 7.0), width_px=64, height_px=48, fps=15, num_persons={1: 1.0},
        segment_s=(3, 3), stray_change=0.0, music_s=(0, 2), gop=15, sample_rate=16000,
    )
)  # fmt: skip
# Overrides that scale a classification config down to seconds on that sample set.
TINY_CLIPS = (
    "model.width=8", "model.slow_frames=2", "model.slow_stride=8", "model.alpha=4", "model.audio_frames=32",
    "model.mel_bins=16", "data.train_short_side=[32,40]", "data.train_crop=32", "data.test_short_side=32",
    "data.workers=0", "data.nominal_fps=15", "test.batch_size=6",
)  # fmt: skip
BEATS = (Beat(2.0, 0.2, 1.0), Beat(2.5, 0.2, 0.8))


def person(gesture: str, pose: str = "stand", audible: bool = False) -> Actor:
    """A person who makes the gesture on BEATS for 5 s and idles until 9 s."""
    segment = ActionSegment(
        0.0, 5.0, pose, gesture, audible, BEATS, 0.5, 1, 1, "apple",  # type: ignore[arg-type]
    )  # fmt: skip
    idle = replace(segment, start_s=5.0, end_s=9.0, gesture="idle", beats=())
    return Actor(0, 0.7, 0.9, (0.2, 0.8), 0.4, None, (segment, idle))


def with_segment(scene: Scene, actor_index: int, segment_index: int, **changes: object) -> Scene:
    """The scene with one segment of one person changed."""
    actor = scene.actors[actor_index]
    segments, actors = list(actor.segments), list(scene.actors)
    segments[segment_index] = replace(segments[segment_index], **changes)  # type: ignore[arg-type]
    actors[actor_index] = replace(actor, segments=tuple(segments))
    return replace(scene, actors=tuple(actors))


def segments_of(scenes: list[Scene]) -> list[tuple[Scene, Actor, ActionSegment]]:
    return [(scene, actor, segment) for scene in scenes for actor in scene.actors for segment in actor.segments]

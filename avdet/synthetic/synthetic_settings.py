"""Settings of the synthetic data set: sizes, counts and probabilities."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from avdet.synthetic.classes import Gesture

__all__ = ["UNLABELLED", "ClipSampleSettings", "SampleSettings", "manifest_entry"]

# Fields that the manifests store by another key. The keys stay, so that existing sample sets remain valid.
MANIFEST_KEYS = {
    "num_persons": "people",
    "segment_s": "act_s",
    "gestures": "looks",
    "same_gesture": "same_look",
    "one_audible": "one_heard",
    "scenes": "world",
    "natural": "from_life",
}


@dataclass(frozen=True)
class SampleSettings:
    """Settings of the detection sample set. Equal settings and seeds make equal sets."""

    num_train: int = 32
    num_val: int = 12
    duration_s: tuple[float, float] = (18.5, 21.5)
    width_px: int = 320
    height_px: int = 240
    fps: int = 30
    sample_rate: int = 44100
    gop: int | None = None  # the largest distance between two key frames; None is x264's 250
    num_persons: dict[int, float] = field(default_factory=lambda: {1: 0.33, 2: 0.5, 3: 0.17})  # number: share of scenes
    segment_s: tuple[int, int] = (4, 7)  # length of an action segment
    # How often each gesture is drawn in one round.
    gestures: dict[Gesture, int] = field(
        default_factory=lambda: {"idle": 3, "wave": 4, "clap": 4, "mouth": 4, "drum": 4}
    )
    # Probability that a person repeats another's audio-dependent gesture; then only synchrony shows which is audible.
    same_gesture: float = 0.7
    one_audible: float = 0.8  # probability that exactly one of the two is audible; otherwise a fair coin decides
    off_screen: float = 0.15  # probability of off-screen audio per action segment
    music_s: tuple[int, ...] = (0, 0, 5, 6, 7, 8, 9, 10)  # lengths of the music, each as often as the others
    stray_change: float = 0.08  # probability that a segment starts near a keyframe
    noise_db: tuple[float, float] = (-40.0, -26.0)
    box_jitter: float = 0.03  # standard deviation of a detected box's edges, in fractions of its sides


def _clip_scenes() -> SampleSettings:
    return SampleSettings(
        num_train=72, num_val=36, duration_s=(13.5, 15.5), width_px=160, height_px=120, gop=30,
        num_persons={1: 1.0}, segment_s=(3, 4), stray_change=0.0, music_s=(0, 0, 4, 5, 6),
    )  # fmt: skip


@dataclass(frozen=True)
class ClipSampleSettings:
    """Settings of the classification sample set: one person per video."""

    scenes: SampleSettings = field(default_factory=_clip_scenes)
    trimmed: bool = True  # also write one file per action segment, as UCF101 and HMDB51 have them
    natural: bool = False  # gesture, audio and background are correlated; see `natural_scene`


# The set for self-supervised pre-training: short natural videos with one gesture each.
UNLABELLED = ClipSampleSettings(
    replace(
        _clip_scenes(), num_train=960, num_val=80, duration_s=(4.4, 5.2), music_s=(0,),
        gestures={"idle": 1, "wave": 1, "clap": 1, "mouth": 1, "drum": 1},
    ),
    trimmed=False, natural=True,
)  # fmt: skip


def manifest_entry(version: int, seed: int, settings: SampleSettings | ClipSampleSettings) -> dict[str, Any]:
    """Returns what a sample set is made from, as its JSON manifest stores it."""
    stored = asdict(settings, dict_factory=lambda items: {MANIFEST_KEYS.get(key, key): value for key, value in items})
    entry: dict[str, Any] = json.loads(json.dumps({"version": version, "seed": seed, "settings": stored}))
    return entry

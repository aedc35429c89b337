"""How big and how hard the sample world is."""

from __future__ import annotations

from dataclasses import dataclass, field

from avdet.synthetic.classes import Look


@dataclass(frozen=True)
class SampleSettings:
    """Sizes of the set and chances of its events; two equal ones with one seed make equal sets.

    `same_look` is how often a person does what a neighbour is seen doing: then only synchrony tells
    who of them is heard. `off_screen` is how often, per person's act, something is heard that nobody shows.
    `gop`: frames from one key frame to the next at most; None is x264's 250.
    """

    num_train: int = 32
    num_val: int = 12
    duration_s: tuple[float, float] = (18.5, 21.5)
    width_px: int = 320
    height_px: int = 240
    fps: int = 30
    sample_rate: int = 44100
    gop: int | None = None
    people: dict[int, float] = field(default_factory=lambda: {1: 0.33, 2: 0.5, 3: 0.17})
    act_s: tuple[int, int] = (4, 7)
    looks: dict[Look, int] = field(default_factory=lambda: {"idle": 3, "wave": 4, "clap": 4, "mouth": 4, "drum": 4})
    same_look: float = 0.7
    one_heard: float = 0.8
    off_screen: float = 0.15
    music_s: tuple[int, ...] = (0, 0, 5, 6, 7, 8, 9, 10)
    stray_change: float = 0.08
    noise_db: tuple[float, float] = (-40.0, -26.0)
    box_jitter: float = 0.03

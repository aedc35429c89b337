"""Writes the scenes of a split: positions, action segments, rhythms and what is audible.

A gesture is drawn first; whether it is audible is an independent fair coin. Nothing that is drawn later (off-screen
audio, music, colours) depends on that coin, so no visual cue can predict it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from avdet.synthetic.classes import AUDIO_DEPENDENT_GESTURES, POSE_IDS, Gesture, Pose
from avdet.synthetic.rhythm import RHYTHMS, Beat, least_overlapping_rhythm, random_rhythm
from avdet.synthetic.rng import Rng, ShuffledCycle
from avdet.synthetic.scene import ActionSegment, Actor, Interval, OffScreenAudio, Scene
from avdet.synthetic.synthetic_settings import SampleSettings

__all__ = ["SceneWriter", "class_imbalance", "natural_scene", "write_scenes"]

MAX_ATTEMPTS, MAX_IMBALANCE = 100, 0.05
SNACKS = ("apple", "sandwich", "cup", "none")
NATURAL_BACKGROUNDS: Mapping[Gesture, str] = {"mouth": "room", "clap": "park", "drum": "stage", "idle": "street"}


def write_scenes(settings: SampleSettings, split: str, seed: int, *, max_attempts: int = MAX_ATTEMPTS) -> list[Scene]:
    """Returns all scenes of "train" or "val".

    A split is drawn again, at most `max_attempts` times, until its class imbalance is below `MAX_IMBALANCE`, so that
    a small val split measures what a large one would.
    """
    count = settings.num_train if split == "train" else settings.num_val
    best: list[Scene] = []
    for attempt in range(max_attempts):
        writer = SceneWriter(settings, split, seed, attempt)
        scenes = [writer.scene(index) for index in range(count)]
        best = scenes if attempt == 0 else min(best, scenes, key=class_imbalance)
        if class_imbalance(best) < MAX_IMBALANCE:
            break
    return best


def class_imbalance(scenes: Sequence[Scene]) -> float:
    """Returns the largest difference between a share of the labelled persons and its target.

    Targets: each audio-dependent gesture is audible in 1/2, music plays in 1/3, each pose has 1/3.
    """
    persons = [
        (actor.segment_at(second), scene.music_at(second))
        for scene in scenes
        for actor, second in scene.labelled_persons()
    ]
    errors = [_share([music for _, music in persons]) - 1 / 3]
    for gesture in AUDIO_DEPENDENT_GESTURES:
        errors.append(_share([segment.audible for segment, _ in persons if segment.gesture == gesture]) - 1 / 2)
    errors += [_share([segment.pose == pose for segment, _ in persons]) - 1 / 3 for pose in POSE_IDS]
    return max(map(abs, errors))


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def natural_scene(scene: Scene) -> Scene:
    """Returns the scene with correlated audio, gesture and background, as in uploaded videos.

    Every audio-dependent gesture is audible, and there is no other audio but music for a person who idles. The
    background follows from the first segment's gesture; waving has none of its own.
    """
    actors = tuple(
        replace(
            actor,
            segments=tuple(
                replace(segment, audible=segment.gesture in AUDIO_DEPENDENT_GESTURES) for segment in actor.segments
            ),
        )
        for actor in scene.actors
    )
    gesture = actors[0].segments[0].gesture
    music = (Interval(0.0, scene.duration_s),) if gesture == "idle" else ()
    return replace(scene, actors=actors, music=music, off_screen=(), background=NATURAL_BACKGROUNDS.get(gesture))


class SceneWriter:
    """Draws the scenes of one split; shuffled cycles keep the shares of a small split right."""

    def __init__(self, settings: SampleSettings, split: str, seed: int, attempt: int = 0) -> None:
        self.settings, self.split, self.seed, self.attempt = settings, split, seed, attempt
        rng = Rng("decks", split, seed, attempt)
        gestures = [gesture for gesture, count in settings.gestures.items() for _ in range(count)]
        num_persons = [count for count, share in settings.num_persons.items() for _ in range(round(share * 12))]
        self._gestures: ShuffledCycle[Gesture] = ShuffledCycle(gestures, rng)
        self._audible = {name: ShuffledCycle([True, True, False, False], rng) for name in AUDIO_DEPENDENT_GESTURES}
        self._music_s = ShuffledCycle(settings.music_s, rng)
        self._num_persons = ShuffledCycle(num_persons, rng)

    def scene(self, index: int) -> Scene:
        """Draws the next scene; call it with 0, 1, 2, ... in this order."""
        name = f"sample_{self.split}_{index:02d}"
        rng = Rng(name, self.seed, self.attempt)
        duration_s = round(rng.uniform(*self.settings.duration_s), 1)
        actors: list[Actor] = []
        for number, position in enumerate(_positions(self._num_persons.draw(), rng)):
            actors.append(self._actor(number, position, duration_s, actors, rng))
        # The furthest person is drawn first; person ids follow the order of drawing.
        actors.sort(key=lambda actor: actor.feet_y)
        segments = [segment for actor in actors for segment in actor.segments]
        return Scene(
            name, self.split, self.seed, duration_s, tuple(actors), self._music(duration_s, rng),
            tuple(self._off_screen(one, rng) for one in segments if rng.bernoulli(self.settings.off_screen)),
        )  # fmt: skip

    def _actor(
        self, index: int, position: tuple[float, float, float], duration_s: float, others: list[Actor], rng: Rng
    ) -> Actor:
        low, high, height = position
        seat_facing = rng.choice((-1, 1)) if rng.bernoulli(0.5) else None
        walk_speed = rng.uniform(0.3, 0.5)
        x = rng.uniform(low + 0.25 * (high - low), high - 0.25 * (high - low))
        segments: list[ActionSegment] = []
        for interval in self._intervals(duration_s, rng):
            segment = self._segment(interval, seat_facing, x, others, rng)
            segments.append(segment)
            widths_per_s = walk_speed * height * self.settings.height_px / self.settings.width_px
            x = segment.x_at(segment.end_s, (low, high), widths_per_s)
        feet_y = 0.83 + 0.15 * (height - 0.5) / 0.36
        return Actor(index, height, feet_y, (low, high), walk_speed, seat_facing, tuple(segments))

    def _segment(
        self, interval: Interval, seat_facing: int | None, x: float, others: list[Actor], rng: Rng
    ) -> ActionSegment:
        settings, start_s, end_s = self.settings, interval.start_s, interval.end_s
        concurrent = [other.segment_at((start_s + end_s) / 2) for other in others]
        concurrent_audio = [other for other in concurrent if other.gesture in AUDIO_DEPENDENT_GESTURES]
        if concurrent_audio and rng.bernoulli(settings.same_gesture):
            same = rng.choice(concurrent_audio)
            gesture: Gesture = same.gesture
            audible = not same.audible if rng.bernoulli(settings.one_audible) else self._audible[gesture].draw()
        else:
            gesture = self._gestures.draw()
            audible = gesture in AUDIO_DEPENDENT_GESTURES and self._audible[gesture].draw()
        beats: tuple[Beat, ...] = ()
        if gesture in RHYTHMS:
            concurrent_beats = [beat for other in concurrent_audio for beat in other.beats]
            beats = least_overlapping_rhythm(RHYTHMS[gesture], start_s + 0.15, end_s - 0.1, concurrent_beats, rng)
        return ActionSegment(
            start_s, end_s, _pose(seat_facing is not None, rng), gesture, audible, beats, x,
            seat_facing or rng.choice((-1, 1)), rng.choice((-1, 1)), rng.choice(SNACKS),
        )  # fmt: skip

    def _intervals(self, duration_s: float, rng: Rng) -> list[Interval]:
        """Intervals that change at half seconds, far from keyframes, except for a few stray changes."""
        low, high = self.settings.segment_s
        starts, now = [0.0], rng.integer(low, high) + 0.5
        while now + low <= duration_s:
            starts.append(now + (rng.uniform(0.2, 0.8) if rng.bernoulli(self.settings.stray_change) else 0.0))
            now += rng.integer(low, high)
        return [Interval(start, end) for start, end in zip(starts, [*starts[1:], duration_s], strict=True)]

    def _music(self, duration_s: float, rng: Rng) -> tuple[Interval, ...]:
        length = self._music_s.draw()
        if length == 0:
            return ()
        start_s = rng.integer(1, int(duration_s) - length) - 0.5
        return (Interval(start_s, start_s + length),)

    def _off_screen(self, segment: ActionSegment, rng: Rng) -> OffScreenAudio:
        start_s = rng.uniform(segment.start_s, segment.end_s - 2.5)
        end_s = start_s + rng.uniform(2.5, 4.0)
        same = segment.gesture in AUDIO_DEPENDENT_GESTURES and rng.bernoulli(0.5)
        gesture = segment.gesture if same else rng.choice(AUDIO_DEPENDENT_GESTURES)
        return OffScreenAudio(start_s, end_s, gesture, random_rhythm(RHYTHMS[gesture], start_s, end_s, rng))


def _pose(has_seat: bool, rng: Rng) -> Pose:
    return rng.weighted_choice({"sit": 0.65, "stand": 0.35} if has_seat else {"walk": 0.65, "stand": 0.35})


def _positions(num_persons: int, rng: Rng) -> list[tuple[float, float, float]]:
    """For each person the range of x and the standing height, all in fractions of the frame."""
    width = 1.0 / num_persons
    max_height = {1: 0.85, 2: 0.85, 3: 0.75}[num_persons]
    positions = []
    for index in range(num_persons):
        height = rng.uniform(max_height - 0.14, max_height)
        margin = 0.19 * height  # half a person's width: no person leaves the frame
        stretch = 0.06 if num_persons > 1 else 0.0
        low = max(index * width - stretch, 0.0) + margin
        positions.append((low, max(min((index + 1) * width + stretch, 1.0) - margin, low + 0.02), height))
    return rng.shuffled(positions)

"""The content of a scene as data: its persons, their action segments, music and off-screen audio."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from avdet.synthetic.classes import Gesture, Pose, action_ids
from avdet.synthetic.rhythm import Beat


@dataclass(frozen=True)
class Interval:
    """A half-open time interval [start_s, end_s) of a scene."""

    start_s: float
    end_s: float

    def contains(self, time_s: float) -> bool:
        """Returns whether a time is inside the interval."""
        return self.start_s <= time_s < self.end_s


@dataclass(frozen=True)
class ActionSegment(Interval):
    """A time interval in which one person keeps pose and gesture.

    `audible`: whether the beats are in the audio; they are visible either way.
    `x_start` (fraction of the frame's width) is the person's position at `start_s`.
    """

    pose: Pose
    gesture: Gesture
    audible: bool
    beats: tuple[Beat, ...]
    x_start: float
    facing: int  # -1 left, 1 right; a walking person starts in this direction
    hand: int  # the hand at the chin: -1 the one at the frame's left, 1 right
    snack: str  # what the hand holds in a "mouth" segment, audible or not

    def x_at(self, time_s: float, x_range: tuple[float, float], speed: float) -> float:
        """Returns the position in fractions of the frame's width; walking persons turn at the ends of `x_range`."""
        if self.pose != "walk":
            return self.x_start
        low, high = x_range
        reach = high - low
        along = (self.x_start - low) * self.facing + speed * (time_s - self.start_s)
        folded = along % (2 * reach)  # there and back
        position = folded if folded <= reach else 2 * reach - folded
        return low + position


@dataclass(frozen=True)
class Actor:
    """One person: position and size in fractions of the frame, and consecutive action segments without gaps."""

    index: int
    height: float  # of the standing person, in fractions of the frame's height
    feet_y: float
    x_range: tuple[float, float]
    walk_speed: float  # body heights per second
    seat_facing: int | None  # direction of the person's seat; None for persons who have no seat and walk
    segments: tuple[ActionSegment, ...]

    def segment_at(self, time_s: float) -> ActionSegment:
        """Returns the segment at a time; the last one after the end."""
        return next((segment for segment in self.segments if time_s < segment.end_s), self.segments[-1])

    def changes_s(self) -> tuple[float, ...]:
        """Returns the times at which one segment ends and the next begins."""
        return tuple(segment.end_s for segment in self.segments[:-1])


@dataclass(frozen=True)
class OffScreenAudio(Interval):
    """Clapping, speech or drumming that no visible person makes."""

    gesture: Gesture
    beats: tuple[Beat, ...]


@dataclass(frozen=True)
class Scene:
    """A whole video before rendering.

    `name` and `seed` determine all that is drawn and synthesised; `background` fixes the kind of background, which is
    drawn at random where it is None.
    """

    name: str
    split: str
    seed: int
    duration_s: float
    actors: tuple[Actor, ...]
    music: tuple[Interval, ...]
    off_screen: tuple[OffScreenAudio, ...]
    background: str | None = None

    @property
    def keyframes_s(self) -> range:
        """Each whole second with 1.5 s of video on either side."""
        return range(2, int(self.duration_s - 1.5) + 1)

    def excluded_s(self, margin_s: float = 0.499) -> list[int]:
        """Returns the keyframes at which a label is ambiguous: less than `margin_s` from a change of segments."""
        changes = [change for actor in self.actors for change in actor.changes_s()]
        return [second for second in self.keyframes_s if any(abs(second - at) < margin_s for at in changes)]

    def labelled_persons(self) -> Iterator[tuple[Actor, int]]:
        """Yields (actor, second) for all persons at every keyframe that is not excluded."""
        excluded = set(self.excluded_s())
        for second in self.keyframes_s:
            if second not in excluded:
                yield from ((actor, second) for actor in self.actors)

    def music_at(self, time_s: float) -> bool:
        """Returns whether music plays at a time."""
        return any(interval.contains(time_s) for interval in self.music)

    def action_ids_at(self, actor: Actor, time_s: float) -> tuple[int, ...]:
        """Returns AVA's ids of an actor's actions at a time."""
        segment = actor.segment_at(time_s)
        return action_ids(segment.pose, segment.gesture, segment.audible, self.music_at(time_s))

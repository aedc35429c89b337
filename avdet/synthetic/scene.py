"""What a scene is: who is in it, what each does when, what sounds; no picture and no sample of sound yet."""

from __future__ import annotations

from dataclasses import dataclass

from avdet.synthetic.classes import Look, Pose, action_ids
from avdet.synthetic.rhythm import Beat


@dataclass(frozen=True)
class Span:
    """A stretch of a scene's time."""

    start_s: float
    end_s: float

    def holds(self, time_s: float) -> bool:
        return self.start_s <= time_s < self.end_s


@dataclass(frozen=True)
class Act(Span):
    """What one person does between two times. `heard` says whether the beats sound or are only seen.

    `x_start` (fraction of the frame's width) is where the person is at `start_s`; one who walks sets off
    towards `facing` (-1 left, 1 right).
    """

    pose: Pose
    look: Look
    heard: bool
    beats: tuple[Beat, ...]
    x_start: float
    facing: int
    hand: int  # the side of the hand at the chin: -1 the picture's left, 1 right
    snack: str  # what a mouth act holds, heard or not


@dataclass(frozen=True)
class Actor:
    """One person: place and size in fractions of the frame, acts that follow one another without a gap."""

    index: int
    height: float  # standing, of the frame's height
    feet_y: float
    x_range: tuple[float, float]
    walk_speed: float  # body heights a second
    seat_facing: int | None  # whither those look who have a seat; None for those who have none and walk
    acts: tuple[Act, ...]

    def act_at(self, time_s: float) -> Act:
        return next((act for act in self.acts if time_s < act.end_s), self.acts[-1])

    def changes_s(self) -> tuple[float, ...]:
        return tuple(act.end_s for act in self.acts[:-1])


@dataclass(frozen=True)
class OffScreen(Span):
    """Clapping, speech or drumming that nobody in the picture makes."""

    look: Look
    beats: tuple[Beat, ...]


@dataclass(frozen=True)
class Scene:
    """A whole video on paper. Its `name` also seeds everything that is drawn or heard, the place too where none is
    given."""

    name: str
    split: str
    seed: int
    duration_s: float
    actors: tuple[Actor, ...]
    music: tuple[Span, ...]
    off_screen: tuple[OffScreen, ...]
    place: str | None = None

    @property
    def keyframes_s(self) -> range:
        """Each whole second that has 1.5 s of video on either side."""
        return range(2, int(self.duration_s - 1.5) + 1)

    def excluded_s(self, margin_s: float = 0.499) -> list[int]:
        """Keyframes too near to somebody's change of action for a clear label."""
        changes = [change for actor in self.actors for change in actor.changes_s()]
        return [second for second in self.keyframes_s if any(abs(second - at) < margin_s for at in changes)]

    def music_at(self, time_s: float) -> bool:
        return any(span.holds(time_s) for span in self.music)

    def action_ids_at(self, actor: Actor, time_s: float) -> tuple[int, ...]:
        act = actor.act_at(time_s)
        return action_ids(act.pose, act.look, act.heard, self.music_at(time_s))

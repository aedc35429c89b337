"""Writes the scenes of a split: places, acts, rhythms and what is heard, so that looks tell nothing about sound.

A look is dealt first; whether it is heard is a fair coin dealt afterwards. Off-screen sound, music and
everything else that is drawn later never asks for that coin.
"""

from __future__ import annotations

from avdet.synthetic.class_balance import unbalance
from avdet.synthetic.classes import TWIN_LOOKS, Look, Pose
from avdet.synthetic.rhythm import TEMPOS, Beat, distinct_rhythm, draw_rhythm
from avdet.synthetic.rng import Deck, Dice
from avdet.synthetic.scene import Act, Actor, OffScreen, Scene, Span
from avdet.synthetic.synthetic_settings import SampleSettings

MOST_TAKES, BALANCED = 100, 0.05
SNACKS = ("apple", "sandwich", "cup", "none")


class SceneWriter:
    """Deals the looks and coins of one split, so that a small split is as balanced as a large one."""

    def __init__(self, settings: SampleSettings, split: str, seed: int, take: int = 0) -> None:
        self.settings, self.split, self.seed, self.take = settings, split, seed, take
        dice = Dice("decks", split, seed, take)
        self._looks: Deck[Look] = Deck([look for look, n in settings.looks.items() for _ in range(n)], dice)
        self._coins = {look: Deck([True, True, False, False], dice) for look in TWIN_LOOKS}
        self._music_s = Deck(settings.music_s, dice)
        self._people = Deck([n for n, share in settings.people.items() for _ in range(round(share * 12))], dice)

    def scene(self, index: int) -> Scene:
        name = f"sample_{self.split}_{index:02d}"
        dice = Dice(name, self.seed, self.take)
        duration_s = round(dice.uniform(*self.settings.duration_s), 1)
        actors: list[Actor] = []
        for place, size in enumerate(_places(self._people.deal(), dice)):
            actors.append(self._actor(place, size, duration_s, actors, dice))
        # The furthest are drawn first; the order of person ids follows.
        actors.sort(key=lambda actor: actor.feet_y)
        acts = [act for actor in actors for act in actor.acts]
        return Scene(
            name, self.split, self.seed, duration_s, tuple(actors), self._music(duration_s, dice),
            tuple(self._off_screen(act, dice) for act in acts if dice.chance(self.settings.off_screen)),
        )  # fmt: skip

    def _actor(
        self, place: int, size: tuple[float, float, float], duration_s: float, others: list[Actor], dice: Dice
    ) -> Actor:
        low, high, height = size
        seat_facing = dice.pick((-1, 1)) if dice.chance(0.5) else None
        speed = dice.uniform(0.3, 0.5)
        x = dice.uniform(low + 0.25 * (high - low), high - 0.25 * (high - low))
        acts: list[Act] = []
        for span in self._spans(duration_s, dice):
            act = self._act(span, seat_facing, x, others, dice)
            acts.append(act)
            x = walked_x(act, act.end_s, (low, high), speed * height * self.settings.height_px / self.settings.width_px)
        return Actor(place, height, 0.83 + 0.15 * (height - 0.5) / 0.36, (low, high), speed, seat_facing, tuple(acts))

    def _act(self, span: Span, seat_facing: int | None, x: float, others: list[Actor], dice: Dice) -> Act:
        settings = self.settings
        neighbours = [other.act_at((span.start_s + span.end_s) / 2) for other in others]
        models = [act for act in neighbours if act.look in TWIN_LOOKS]
        if models and dice.chance(settings.same_look):
            model = dice.pick(models)
            look: Look = model.look
            heard = not model.heard if dice.chance(settings.one_heard) else self._coins[look].deal()
        else:
            look = self._looks.deal()
            heard = look in TWIN_LOOKS and self._coins[look].deal()
        around = [beat for act in neighbours if act.look in TWIN_LOOKS for beat in act.beats]
        beats: tuple[Beat, ...] = ()
        if look in TEMPOS:
            beats = distinct_rhythm(TEMPOS[look], span.start_s + 0.15, span.end_s - 0.1, around, dice)
        return Act(
            span.start_s, span.end_s, _pose(seat_facing is not None, dice), look, heard, beats, x,
            seat_facing or dice.pick((-1, 1)), dice.pick((-1, 1)), dice.pick(SNACKS),
        )  # fmt: skip

    def _spans(self, duration_s: float, dice: Dice) -> list[Span]:
        """Acts that change at half seconds, as far as can be from keyframes, but for a stray one now and then."""
        low, high = self.settings.act_s
        starts, now = [0.0], dice.integer(low, high) + 0.5
        while now + low <= duration_s:
            starts.append(now + (dice.uniform(0.2, 0.8) if dice.chance(self.settings.stray_change) else 0.0))
            now += dice.integer(low, high)
        return [Span(start, end) for start, end in zip(starts, [*starts[1:], duration_s], strict=True)]

    def _music(self, duration_s: float, dice: Dice) -> tuple[Span, ...]:
        length = self._music_s.deal()
        if length == 0:
            return ()
        start_s = dice.integer(1, int(duration_s) - length) - 0.5
        return (Span(start_s, start_s + length),)

    def _off_screen(self, act: Act, dice: Dice) -> OffScreen:
        start_s = dice.uniform(act.start_s, act.end_s - 2.5)
        end_s = start_s + dice.uniform(2.5, 4.0)
        alike = act.look in TWIN_LOOKS and dice.chance(0.5)
        look = act.look if alike else dice.pick(TWIN_LOOKS)
        return OffScreen(start_s, end_s, look, draw_rhythm(TEMPOS[look], start_s, end_s, dice))


def write_scenes(settings: SampleSettings, split: str, seed: int, *, most_takes: int = MOST_TAKES) -> list[Scene]:
    """All scenes of "train" or "val".

    A split is told anew, `most_takes` times at most, until half of each look's keyframes are heard and everything has
    its share: so that a few val videos measure what many would.
    """
    count = settings.num_train if split == "train" else settings.num_val
    best: list[Scene] = []
    for take in range(most_takes):
        teller = SceneWriter(settings, split, seed, take)
        scenes = [teller.scene(index) for index in range(count)]
        best = scenes if take == 0 else min(best, scenes, key=unbalance)
        if unbalance(best) < BALANCED:
            break
    return best


def walked_x(act: Act, time_s: float, x_range: tuple[float, float], speed: float) -> float:
    """Where a person of an act is, in fractions of the frame's width: walkers turn at the ends of their range."""
    if act.pose != "walk":
        return act.x_start
    low, high = x_range
    reach = high - low
    along = (act.x_start - low) * act.facing + speed * (time_s - act.start_s)
    folded = along % (2 * reach)  # there and back again
    position = folded if folded <= reach else 2 * reach - folded
    return low + position


def _pose(has_seat: bool, dice: Dice) -> Pose:
    return dice.weighted({"sit": 0.65, "stand": 0.35} if has_seat else {"walk": 0.65, "stand": 0.35})


def _places(people: int, dice: Dice) -> list[tuple[float, float, float]]:
    """For each person the range of x they keep to and their standing height, both in fractions of the frame."""
    width = 1.0 / people
    tallest = {1: 0.85, 2: 0.85, 3: 0.75}[people]
    places = []
    for index in range(people):
        height = dice.uniform(tallest - 0.14, tallest)
        margin = 0.19 * height  # half a person, so that nobody leaves the picture
        stretch = 0.06 if people > 1 else 0.0
        low = max(index * width - stretch, 0.0) + margin
        places.append((low, max(min((index + 1) * width + stretch, 1.0) - margin, low + 0.02), height))
    return dice.shuffled(places)

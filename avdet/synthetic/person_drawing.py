"""Draws one person: appearance, seat, legs, trunk, head, held objects and arms; all sizes in body heights."""

from __future__ import annotations

from dataclasses import dataclass

from avdet.synthetic.canvas import Canvas, Colour, Point, shaded
from avdet.synthetic.person_motion import HEAD_RADIUS, LIMB, SEAT_HEIGHT, Skeleton
from avdet.synthetic.rng import Rng

SKINS: tuple[Colour, ...] = ((255, 219, 185), (241, 194, 150), (214, 158, 112), (168, 112, 74), (120, 78, 52))
HAIRS: tuple[Colour, ...] = ((40, 30, 28), (92, 58, 34), (190, 140, 70), (150, 60, 40), (170, 170, 176))
CLOTHES: tuple[Colour, ...] = (
    (214, 72, 66), (240, 150, 50), (244, 208, 84), (96, 170, 92), (52, 128, 140),
    (70, 112, 196), (128, 92, 176), (226, 128, 166), (240, 240, 236), (78, 84, 96),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = ((52, 62, 92), (66, 66, 70), (110, 84, 62), (84, 100, 82), (150, 140, 120))
HAIR_STYLES = ("cap", "bun", "long", "curls", "bald", "hat")
INK: Colour = (44, 34, 38)


@dataclass(frozen=True)
class Appearance:
    """Colours and hair of one person; they stay the same for the whole scene."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    drum: Colour
    seat: Colour
    hair_style: str
    long_sleeves: bool
    stripes: bool


def random_appearance(rng: Rng) -> Appearance:
    """Draws colours and hair; the drum never has the shirt's colour."""
    shirt = rng.choice(CLOTHES)
    return Appearance(
        rng.choice(SKINS), rng.choice(HAIRS), shirt, rng.choice(TROUSERS), rng.choice(((60, 40, 36), (230, 230, 226))),
        rng.choice([colour for colour in CLOTHES[:8] if colour != shirt]), rng.choice(((150, 100, 60), (90, 96, 110))),
        rng.choice(HAIR_STYLES), rng.bernoulli(0.5), rng.bernoulli(0.3),
    )  # fmt: skip


def draw_seat(canvas: Canvas, ground: Point, unit_px: float, appearance: Appearance, facing: int) -> None:
    """Draws the person's stool, slightly to the rear of the person."""
    x, y = ground[0] - 0.08 * facing * unit_px, ground[1]
    top = y - SEAT_HEIGHT * unit_px
    for side in (-1, 1):
        legs = [(x + side * 0.08 * unit_px, top), (x + side * 0.12 * unit_px, y - 0.01 * unit_px)]
        canvas.line(legs, shaded(appearance.seat, 0.7), 0.035 * unit_px)
    canvas.line([(x - 0.11 * unit_px, top), (x + 0.11 * unit_px, top)], appearance.seat, 0.06 * unit_px)


def draw_person(canvas: Canvas, skeleton: Skeleton, appearance: Appearance, snack: str, time_s: float) -> None:
    """Draws the person and the objects they hold; the eyes blink with `time_s`."""
    _draw_shadow(canvas, skeleton)
    _draw_legs(canvas, skeleton, appearance)
    _draw_trunk(canvas, skeleton, appearance)
    _draw_head(canvas, skeleton, appearance, time_s)
    if skeleton.motion.drum > 0.3:
        _draw_drum(canvas, skeleton, appearance)
    _draw_arms(canvas, skeleton, appearance)
    if skeleton.motion.snack > 0.5:
        _draw_snack(canvas, skeleton, snack)


def _draw_shadow(canvas: Canvas, skeleton: Skeleton) -> None:
    """Darkens a rectangle of the ground."""
    x, y = skeleton.ground
    ground = canvas.region(x - 0.2 * skeleton.unit_px, y - 0.03 * skeleton.unit_px, x + 0.2 * skeleton.unit_px, y + 4)
    ground -= ground // 5


def _draw_legs(canvas: Canvas, skeleton: Skeleton, appearance: Appearance) -> None:
    limb, edge = LIMB * skeleton.unit_px, shaded(appearance.trousers, 0.72)
    for index, colour in ((0, edge), (1, appearance.trousers)):
        hip, knee, foot = skeleton.hips[index], skeleton.knees[index], skeleton.feet[index]
        canvas.line([hip, knee, foot], colour, limb * 1.25)
        toe = 0.05 * skeleton.unit_px * (1.0 if skeleton.motion.facing >= 0 else -1.0)
        canvas.line([foot, (foot[0] + toe, foot[1])], appearance.shoes, limb)


def _draw_trunk(canvas: Canvas, skeleton: Skeleton, appearance: Appearance) -> None:
    (left, right), (hip_left, hip_right), unit = skeleton.shoulders, skeleton.hips, skeleton.unit_px
    drop = 0.02 * unit
    canvas.line([left, right], appearance.shirt, 0.08 * unit)
    outline = [
        (left[0] - 0.03 * unit, left[1]), (right[0] + 0.03 * unit, right[1]),
        (hip_right[0] + 0.035 * unit, hip_right[1] + drop), (hip_left[0] - 0.035 * unit, hip_left[1] + drop),
    ]  # fmt: skip
    canvas.polygon(outline, appearance.shirt)
    if appearance.stripes:
        for fraction in (0.3, 0.6):
            y = left[1] + fraction * (hip_left[1] - left[1])
            ends = [(hip_left[0] - 0.045 * unit, y), (hip_right[0] + 0.045 * unit, y)]
            canvas.line(ends, shaded(appearance.shirt, 0.6), 0.03 * unit)


def _draw_arms(canvas: Canvas, skeleton: Skeleton, appearance: Appearance) -> None:
    limb = LIMB * skeleton.unit_px
    forearm = appearance.shirt if appearance.long_sleeves else appearance.skin
    for shoulder, elbow, hand in zip(skeleton.shoulders, skeleton.elbows, skeleton.hands, strict=True):
        canvas.line([shoulder, elbow, hand], shaded(appearance.shirt, 0.5), limb * 1.3)
        canvas.line([elbow, hand], shaded(forearm, 0.92), limb)
        canvas.line([shoulder, elbow], shaded(appearance.shirt, 0.85), limb)
        canvas.circle(hand, limb * 0.95, shaded(appearance.skin, 0.55))
        canvas.circle(hand, limb * 0.8, appearance.skin)


def _draw_head(canvas: Canvas, skeleton: Skeleton, appearance: Appearance, time_s: float) -> None:
    centre, radius = skeleton.head, HEAD_RADIUS * skeleton.unit_px
    _draw_back_hair(canvas, centre, radius, appearance)
    canvas.circle(centre, radius * 1.05, shaded(appearance.skin, 0.62))
    canvas.circle(centre, radius, appearance.skin)
    _draw_front_hair(canvas, centre, radius, appearance)
    turn = 0.16 * radius * skeleton.motion.facing
    _draw_eyes(canvas, (centre[0] + turn, centre[1] - 0.08 * radius), radius, time_s + skeleton.unit_px)
    _draw_mouth(canvas, (centre[0] + turn, centre[1] + 0.45 * radius), radius, skeleton.motion.mouth)


def _draw_eyes(canvas: Canvas, centre: Point, radius: float, time_s: float) -> None:
    closed = time_s % 3.1 < 0.12
    for side in (-1, 1):
        x = centre[0] + side * 0.36 * radius
        if closed:
            canvas.line([(x - 0.1 * radius, centre[1]), (x + 0.1 * radius, centre[1])], INK, 0.08 * radius)
        else:
            canvas.ellipse((x, centre[1]), (0.11 * radius, 0.15 * radius), INK)


def _draw_mouth(canvas: Canvas, centre: Point, radius: float, opening: float) -> None:
    if opening < 0.08:
        ends = [(centre[0] - 0.26 * radius, centre[1]), (centre[0] + 0.26 * radius, centre[1])]
        canvas.line(ends, (130, 50, 50), max(0.1 * radius, 1.0))
        return
    radii = ((0.26 + 0.14 * opening) * radius, (0.05 + 0.37 * opening) * radius)
    canvas.ellipse(centre, radii, (96, 14, 24))
    canvas.ellipse((centre[0], centre[1] + 0.55 * radii[1]), (0.6 * radii[0], 0.35 * radii[1]), (226, 96, 100))


def _draw_back_hair(canvas: Canvas, centre: Point, radius: float, appearance: Appearance) -> None:
    x, y = centre
    if appearance.hair_style == "long":
        canvas.line([(x - 0.85 * radius, y), (x - 0.9 * radius, y + radius)], appearance.hair, 0.5 * radius)
        canvas.line([(x + 0.85 * radius, y), (x + 0.9 * radius, y + radius)], appearance.hair, 0.5 * radius)
    elif appearance.hair_style == "bun":
        canvas.circle((x, y - 1.0 * radius), 0.4 * radius, appearance.hair)
    elif appearance.hair_style == "curls":
        for side in (-0.95, -0.5, 0.0, 0.5, 0.95):
            canvas.circle((x + side * radius, y - 0.75 * radius * (1.2 - side * side)), 0.45 * radius, appearance.hair)


def _draw_front_hair(canvas: Canvas, centre: Point, radius: float, appearance: Appearance) -> None:
    x, y = centre
    if appearance.hair_style == "bald":
        return
    if appearance.hair_style == "hat":
        canvas.ellipse((x, y - 0.4 * radius), (1.0 * radius, 0.95 * radius), appearance.drum, (180.0, 360.0))
        canvas.line([(x - 1.15 * radius, y - 0.4 * radius), (x + 1.15 * radius, y - 0.4 * radius)],
                    shaded(appearance.drum, 0.7), 0.16 * radius)  # fmt: skip
        return
    canvas.ellipse((x, y - 0.22 * radius), (1.06 * radius, 0.9 * radius), appearance.hair, (180.0, 360.0))


def _draw_drum(canvas: Canvas, skeleton: Skeleton, appearance: Appearance) -> None:
    """Draws a drum on a strap in front of the trunk and a stick in each hand."""
    unit = skeleton.unit_px
    x = (skeleton.shoulders[0][0] + skeleton.shoulders[1][0]) / 2
    top = skeleton.shoulders[0][1] + 0.23 * unit
    width, height, depth = 0.15 * unit, 0.04 * unit, 0.13 * unit
    for shoulder, side in zip(skeleton.shoulders, (-1, 1), strict=True):
        canvas.line([shoulder, (x + side * width * 0.8, top)], (70, 50, 40), 0.02 * unit)
    canvas.ellipse((x, top + depth), (width, height), shaded(appearance.drum, 0.7))
    canvas.polygon(
        [(x - width, top), (x + width, top), (x + width, top + depth), (x - width, top + depth)], appearance.drum
    )
    canvas.ellipse((x, top), (width, height), (250, 244, 228))
    for hand, side in zip(skeleton.hands, (-1, 1), strict=True):
        tip = (hand[0] - side * 0.09 * unit, hand[1] + 0.055 * unit)
        canvas.line([hand, tip], (120, 80, 40), 0.022 * unit)
        canvas.circle(tip, 0.018 * unit, (120, 80, 40))


def _draw_snack(canvas: Canvas, skeleton: Skeleton, snack: str) -> None:
    """Draws a plate in the lower hand and the snack, if any, in the raised one."""
    unit = skeleton.unit_px
    (x, y), (plate_x, plate_y) = sorted(skeleton.hands, key=lambda hand: hand[1])
    canvas.ellipse((plate_x, plate_y - 0.045 * unit), (0.13 * unit, 0.038 * unit), (250, 250, 250))
    canvas.ellipse((plate_x, plate_y - 0.05 * unit), (0.08 * unit, 0.02 * unit), (206, 210, 220))
    if snack == "apple":
        canvas.circle((x, y - 0.07 * unit), 0.042 * unit, (206, 50, 48))
        canvas.line([(x, y - 0.105 * unit), (x + 0.012 * unit, y - 0.13 * unit)], (80, 110, 50), 0.014 * unit)
    elif snack == "sandwich":
        for drop, colour in ((0.045, (222, 176, 110)), (0.065, (110, 176, 80)), (0.085, (236, 200, 140))):
            ends = [(x - 0.05 * unit, y - drop * unit), (x + 0.05 * unit, y - drop * unit)]
            canvas.line(ends, colour, 0.03 * unit)
    elif snack == "cup":
        canvas.line([(x, y - 0.09 * unit), (x, y)], (236, 236, 240), 0.07 * unit)
        canvas.line([(x, y - 0.1 * unit), (x, y - 0.095 * unit)], (110, 74, 50), 0.05 * unit)

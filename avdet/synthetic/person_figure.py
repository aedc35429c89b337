"""Draws one person: seat, legs, trunk, head, what they hold, arms; all sizes in body heights."""

from __future__ import annotations

from avdet.synthetic.appearance import Appearance, shaded
from avdet.synthetic.body import LIMB, SEAT_HEIGHT, Body
from avdet.synthetic.canvas import Canvas, Point
from avdet.synthetic.face import draw_head


def draw_seat(canvas: Canvas, ground: Point, unit_px: float, look: Appearance, facing: int) -> None:
    """A stool, a little behind the person who may sit on it."""
    x, y = ground[0] - 0.08 * facing * unit_px, ground[1]
    top = y - SEAT_HEIGHT * unit_px
    for side in (-1, 1):
        legs = [(x + side * 0.08 * unit_px, top), (x + side * 0.12 * unit_px, y - 0.01 * unit_px)]
        canvas.line(legs, shaded(look.seat, 0.7), 0.035 * unit_px)
    canvas.line([(x - 0.11 * unit_px, top), (x + 0.11 * unit_px, top)], look.seat, 0.06 * unit_px)


def draw_person(canvas: Canvas, body: Body, look: Appearance, snack: str, time_s: float) -> None:
    _draw_shadow(canvas, body)
    _draw_legs(canvas, body, look)
    _draw_trunk(canvas, body, look)
    draw_head(canvas, body, look, time_s)
    if body.gesture.drum > 0.3:
        _draw_drum(canvas, body, look)
    _draw_arms(canvas, body, look)
    if body.gesture.snack > 0.5:
        _draw_snack(canvas, body, snack)


def _draw_shadow(canvas: Canvas, body: Body) -> None:
    """A darker patch of ground: one solid tone, as paper cut-outs have."""
    x, y = body.ground
    region = canvas.window(x - 0.2 * body.unit_px, y - 0.03 * body.unit_px, x + 0.2 * body.unit_px, y + 4)
    region -= region // 5


def _draw_legs(canvas: Canvas, body: Body, look: Appearance) -> None:
    limb, edge = LIMB * body.unit_px, shaded(look.trousers, 0.72)
    for index, colour in ((0, edge), (1, look.trousers)):
        hip, knee, foot = body.hips[index], body.knees[index], body.feet[index]
        canvas.line([hip, knee, foot], colour, limb * 1.25)
        toe = 0.05 * body.unit_px * (1.0 if body.gesture.facing >= 0 else -1.0)
        canvas.line([foot, (foot[0] + toe, foot[1])], look.shoes, limb)


def _draw_trunk(canvas: Canvas, body: Body, look: Appearance) -> None:
    (left, right), (hip_left, hip_right), unit = body.shoulders, body.hips, body.unit_px
    drop = 0.02 * unit
    canvas.line([left, right], look.shirt, 0.08 * unit)
    outline = [
        (left[0] - 0.03 * unit, left[1]), (right[0] + 0.03 * unit, right[1]),
        (hip_right[0] + 0.035 * unit, hip_right[1] + drop), (hip_left[0] - 0.035 * unit, hip_left[1] + drop),
    ]  # fmt: skip
    canvas.shape(outline, look.shirt)
    if look.stripes:
        for share in (0.3, 0.6):
            y = left[1] + share * (hip_left[1] - left[1])
            ends = [(hip_left[0] - 0.045 * unit, y), (hip_right[0] + 0.045 * unit, y)]
            canvas.line(ends, shaded(look.shirt, 0.6), 0.03 * unit)


def _draw_arms(canvas: Canvas, body: Body, look: Appearance) -> None:
    limb = LIMB * body.unit_px
    forearm = look.shirt if look.long_sleeves else look.skin
    for shoulder, elbow, hand in zip(body.shoulders, body.elbows, body.hands, strict=True):
        canvas.line([shoulder, elbow, hand], shaded(look.shirt, 0.5), limb * 1.3)
        canvas.line([elbow, hand], shaded(forearm, 0.92), limb)
        canvas.line([shoulder, elbow], shaded(look.shirt, 0.85), limb)
        canvas.disc(hand, limb * 0.95, shaded(look.skin, 0.55))
        canvas.disc(hand, limb * 0.8, look.skin)


def _draw_drum(canvas: Canvas, body: Body, look: Appearance) -> None:
    """A drum on a strap before the belly and a stick in each hand."""
    unit = body.unit_px
    x = (body.shoulders[0][0] + body.shoulders[1][0]) / 2
    top = body.shoulders[0][1] + 0.23 * unit
    wide, tall, deep = 0.15 * unit, 0.04 * unit, 0.13 * unit
    for shoulder, side in zip(body.shoulders, (-1, 1), strict=True):
        canvas.line([shoulder, (x + side * wide * 0.8, top)], (70, 50, 40), 0.02 * unit)
    canvas.oval((x, top + deep), (wide, tall), shaded(look.drum, 0.7))
    canvas.shape([(x - wide, top), (x + wide, top), (x + wide, top + deep), (x - wide, top + deep)], look.drum)
    canvas.oval((x, top), (wide, tall), (250, 244, 228))
    for hand, side in zip(body.hands, (-1, 1), strict=True):
        tip = (hand[0] - side * 0.09 * unit, hand[1] + 0.055 * unit)
        canvas.line([hand, tip], (120, 80, 40), 0.022 * unit)
        canvas.disc(tip, 0.018 * unit, (120, 80, 40))


def _draw_snack(canvas: Canvas, body: Body, snack: str) -> None:
    """A plate in the lower hand, and what the raised one holds, if anything."""
    unit = body.unit_px
    (x, y), (plate_x, plate_y) = sorted(body.hands, key=lambda hand: hand[1])
    canvas.oval((plate_x, plate_y - 0.045 * unit), (0.13 * unit, 0.038 * unit), (250, 250, 250))
    canvas.oval((plate_x, plate_y - 0.05 * unit), (0.08 * unit, 0.02 * unit), (206, 210, 220))
    if snack == "apple":
        canvas.disc((x, y - 0.07 * unit), 0.042 * unit, (206, 50, 48))
        canvas.line([(x, y - 0.105 * unit), (x + 0.012 * unit, y - 0.13 * unit)], (80, 110, 50), 0.014 * unit)
    elif snack == "sandwich":
        for drop, colour in ((0.045, (222, 176, 110)), (0.065, (110, 176, 80)), (0.085, (236, 200, 140))):
            ends = [(x - 0.05 * unit, y - drop * unit), (x + 0.05 * unit, y - drop * unit)]
            canvas.line(ends, colour, 0.03 * unit)
    elif snack == "cup":
        canvas.line([(x, y - 0.09 * unit), (x, y)], (236, 236, 240), 0.07 * unit)
        canvas.line([(x, y - 0.1 * unit), (x, y - 0.095 * unit)], (110, 74, 50), 0.05 * unit)

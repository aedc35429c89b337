"""Draws a head: hair, eyes that blink, and a mouth that opens."""

from __future__ import annotations

from avdet.synthetic.appearance import Appearance, shaded
from avdet.synthetic.body import HEAD_RADIUS, Body
from avdet.synthetic.canvas import Canvas, Colour, Point

INK: Colour = (44, 34, 38)


def draw_head(canvas: Canvas, body: Body, look: Appearance, time_s: float) -> None:
    centre, radius = body.head, HEAD_RADIUS * body.unit_px
    _draw_hair_behind(canvas, centre, radius, look)
    canvas.disc(centre, radius * 1.05, shaded(look.skin, 0.62))
    canvas.disc(centre, radius, look.skin)
    _draw_hair_above(canvas, centre, radius, look)
    turn = 0.16 * radius * body.gesture.facing
    _draw_eyes(canvas, (centre[0] + turn, centre[1] - 0.08 * radius), radius, time_s + body.unit_px)
    _draw_mouth(canvas, (centre[0] + turn, centre[1] + 0.45 * radius), radius, body.gesture.mouth)


def _draw_eyes(canvas: Canvas, centre: Point, radius: float, time_s: float) -> None:
    shut = time_s % 3.1 < 0.12
    for side in (-1, 1):
        x = centre[0] + side * 0.36 * radius
        if shut:
            canvas.line([(x - 0.1 * radius, centre[1]), (x + 0.1 * radius, centre[1])], INK, 0.08 * radius)
        else:
            canvas.oval((x, centre[1]), (0.11 * radius, 0.15 * radius), INK)


def _draw_mouth(canvas: Canvas, centre: Point, radius: float, opening: float) -> None:
    if opening < 0.08:
        ends = [(centre[0] - 0.26 * radius, centre[1]), (centre[0] + 0.26 * radius, centre[1])]
        canvas.line(ends, (130, 50, 50), max(0.1 * radius, 1.0))
        return
    radii = ((0.26 + 0.14 * opening) * radius, (0.05 + 0.37 * opening) * radius)
    canvas.oval(centre, radii, (96, 14, 24))
    canvas.oval((centre[0], centre[1] + 0.55 * radii[1]), (0.6 * radii[0], 0.35 * radii[1]), (226, 96, 100))


def _draw_hair_behind(canvas: Canvas, centre: Point, radius: float, look: Appearance) -> None:
    x, y = centre
    if look.hair_style == "long":
        canvas.line([(x - 0.85 * radius, y), (x - 0.9 * radius, y + radius)], look.hair, 0.5 * radius)
        canvas.line([(x + 0.85 * radius, y), (x + 0.9 * radius, y + radius)], look.hair, 0.5 * radius)
    elif look.hair_style == "bun":
        canvas.disc((x, y - 1.0 * radius), 0.4 * radius, look.hair)
    elif look.hair_style == "curls":
        for side in (-0.95, -0.5, 0.0, 0.5, 0.95):
            canvas.disc((x + side * radius, y - 0.75 * radius * (1.2 - side * side)), 0.45 * radius, look.hair)


def _draw_hair_above(canvas: Canvas, centre: Point, radius: float, look: Appearance) -> None:
    x, y = centre
    if look.hair_style == "bald":
        return
    if look.hair_style == "hat":
        canvas.oval((x, y - 0.4 * radius), (1.0 * radius, 0.95 * radius), look.drum, (180.0, 360.0))
        canvas.line([(x - 1.15 * radius, y - 0.4 * radius), (x + 1.15 * radius, y - 0.4 * radius)],
                    shaded(look.drum, 0.7), 0.16 * radius)  # fmt: skip
        return
    canvas.oval((x, y - 0.22 * radius), (1.06 * radius, 0.9 * radius), look.hair, (180.0, 360.0))

"""Places: a room, a park, a stage and a street, drawn once a scene; a few things move in them that mean nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from avdet.synthetic.appearance import shaded
from avdet.synthetic.canvas import Canvas, Colour, Picture
from avdet.synthetic.rng import Dice

MARGIN_PX = 8  # the backdrop reaches this far beyond the frame, for the camera's shake


def draw_backdrop(width_px: int, height_px: int, dice: Dice, place: str | None = None) -> Picture:
    """A still picture, `MARGIN_PX` larger than the frame on every side; of any of PLACES unless one is named."""
    width, height = width_px + 2 * MARGIN_PX, height_px + 2 * MARGIN_PX
    canvas = Canvas(np.zeros((height, width, 3), np.uint8))
    PLACES[place or dice.pick(tuple(PLACES))](canvas, width, height, dice)
    return _weathered(canvas.picture, dice)


def _weathered(picture: Picture, dice: Dice) -> Picture:
    """Soft light from one side and a grain that stays where it is."""
    height, width = picture.shape[:2]
    slope = dice.uniform(-0.16, 0.16)
    pale = 0.5 * picture + 0.5 * dice.uniform(0.75, 1.0) * picture.mean((0, 1))  # so that people stand out
    light = dice.uniform(0.9, 1.05) + slope * np.linspace(-1.0, 1.0, width)[None, :, None]
    grain = np.random.default_rng(dice.integer(0, 2**31)).normal(0.0, 2.0, (height, width, 1))
    return np.clip(pale * light + cv2.blur(grain, (2, 2))[..., None], 0, 255).astype(np.uint8)


def _tint(colours: tuple[Colour, ...], dice: Dice) -> Colour:
    return shaded(dice.pick(colours), dice.uniform(0.85, 1.05))


def _block(canvas: Canvas, x1: float, y1: float, x2: float, y2: float, colour: Colour) -> None:
    canvas.shape([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], colour)


def _room(canvas: Canvas, width: int, height: int, dice: Dice) -> None:
    wall = _tint(((206, 190, 168), (170, 190, 196), (196, 176, 190), (182, 196, 170)), dice)
    floor_y = height * dice.uniform(0.72, 0.8)
    _block(canvas, 0, 0, width, floor_y, wall)
    _block(canvas, 0, floor_y, width, height, _tint(((150, 112, 82), (128, 118, 110), (172, 140, 104)), dice))
    _block(canvas, 0, floor_y - 5, width, floor_y, shaded(wall, 0.75))
    x, y = width * dice.uniform(0.05, 0.6), height * dice.uniform(0.08, 0.2)
    _block(canvas, x, y, x + 84, y + 66, (236, 236, 230))
    _block(canvas, x + 5, y + 5, x + 79, y + 61, _tint(((160, 204, 232), (60, 70, 110), (236, 190, 150)), dice))
    _block(canvas, x + 40, y + 5, x + 44, y + 61, (236, 236, 230))
    x = width * dice.uniform(0.65, 0.88)
    _block(canvas, x, y + 8, x + 44, y + 44, (96, 70, 50))
    _block(canvas, x + 4, y + 12, x + 40, y + 40, _tint(((222, 150, 90), (90, 140, 150), (190, 90, 90)), dice))


def _park(canvas: Canvas, width: int, height: int, dice: Dice) -> None:
    horizon = height * dice.uniform(0.55, 0.68)
    _block(canvas, 0, 0, width, height, _tint(((156, 204, 232), (236, 200, 160), (176, 190, 204)), dice))
    for _ in range(3):
        x = width * dice.uniform(0.0, 1.0)
        canvas.oval((x, horizon), (width * 0.4, height * dice.uniform(0.1, 0.25)), shaded((110, 152, 112), 0.95))
    _block(canvas, 0, horizon, width, height, _tint(((124, 172, 92), (146, 166, 84), (110, 150, 100)), dice))
    for _ in range(dice.integer(2, 4)):
        x, tall = width * dice.uniform(0.02, 0.98), height * dice.uniform(0.22, 0.4)
        canvas.line([(x, horizon + 8), (x, horizon - tall * 0.6)], (104, 76, 54), 8)
        canvas.disc((x, horizon - tall * 0.8), tall * 0.36, _tint(((70, 124, 74), (96, 140, 70), (178, 120, 60)), dice))
    for _ in range(25):
        spot = (width * dice.uniform(0, 1), horizon + (height - horizon) * dice.uniform(0.1, 1))
        canvas.disc(spot, 1.5, dice.pick(((250, 240, 200), (240, 160, 170), (90, 130, 70))))


def _stage(canvas: Canvas, width: int, height: int, dice: Dice) -> None:
    cloth = _tint(((120, 36, 46), (44, 60, 104), (60, 92, 80)), dice)
    floor_y = height * dice.uniform(0.74, 0.82)
    folds = dice.integer(14, 22)
    for fold in range(folds):
        x = width * fold / folds
        _block(canvas, x, 0, x + width / folds + 1, floor_y, shaded(cloth, 1.0 if fold % 2 else 0.8))
    _block(canvas, 0, floor_y, width, height, (134, 96, 66))
    for board in range(1, 4):
        y = floor_y + board * (height - floor_y) / 4
        _block(canvas, 0, y, width, y + 1.5, (110, 78, 54))
    light = width * dice.uniform(0.3, 0.7)
    canvas.oval((light, floor_y + 0.12 * height), (width * 0.42, height * 0.1), (160, 120, 86))


def _street(canvas: Canvas, width: int, height: int, dice: Dice) -> None:
    ground = height * dice.uniform(0.7, 0.78)
    _block(canvas, 0, 0, width, height, _tint(((188, 208, 222), (228, 206, 190), (120, 132, 160)), dice))
    x = -10.0
    while x < width:
        wide, tall = dice.uniform(45, 90), height * dice.uniform(0.35, 0.66)
        colour = _tint(((188, 140, 120), (160, 160, 168), (206, 186, 150), (140, 150, 130)), dice)
        _block(canvas, x, ground - tall, x + wide, ground, colour)
        for row in range(int(tall // 28)):
            for column in range(int(wide // 20)):
                left, top = x + 6 + 20 * column, ground - tall + 8 + 28 * row
                _block(canvas, left, top, left + 10, top + 14, dice.pick(((70, 84, 100), (240, 220, 150))))
        x += wide + dice.uniform(0, 8)
    _block(canvas, 0, ground, width, height, _tint(((136, 136, 140), (150, 144, 134)), dice))
    _block(canvas, 0, ground, width, ground + 4, (176, 176, 176))


PLACES: Mapping[str, Callable[[Canvas, int, int, Dice], None]] = {
    "room": _room, "park": _park, "stage": _stage, "street": _street,
}  # fmt: skip


class Distractor:
    """Something that moves by a rhythm of its own and makes no sound: a balloon, a pendulum, a bird or a lamp."""

    def __init__(self, width_px: int, height_px: int, dice: Dice) -> None:
        self._kind = dice.pick(("balloon", "pendulum", "bird", "lamp", "none"))
        self._width, self._height = width_px, height_px
        self._x, self._y = width_px * dice.uniform(0.1, 0.9), height_px * dice.uniform(0.08, 0.25)
        self._hz, self._colour = dice.uniform(0.4, 1.5), dice.pick(((230, 80, 80), (80, 130, 220), (240, 200, 80)))

    def draw(self, canvas: Canvas, time_s: float) -> None:
        swing = math.sin(2 * math.pi * self._hz * time_s)
        x, y = self._x, self._y
        if self._kind == "balloon":
            x, y = x + 6 * math.sin(time_s), y + 8 * math.sin(0.6 * time_s)
            canvas.line([(x, y), (x + 3 * swing, y + 45)], (90, 90, 90), 1)
            canvas.oval((x, y), (12, 15), self._colour)
        elif self._kind == "pendulum":
            tip = (x + 24 * math.sin(0.5 * swing), y + 40 * math.cos(0.5 * swing))
            canvas.line([(x, y), tip], (70, 60, 50), 2)
            canvas.disc(tip, 7, self._colour)
        elif self._kind == "bird":
            x = (x + 35 * time_s) % (self._width + 40) - 20
            for side in (-1, 1):
                canvas.line([(x, y), (x + side * 10, y - 4 - 6 * swing)], (50, 50, 60), 2)
        elif self._kind == "lamp":
            canvas.disc((x, y), 9, (255, 240, 180) if swing > 0 else shaded(self._colour, 0.6))

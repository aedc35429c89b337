"""Backgrounds (a room, a park, a stage, a street) and a moving distractor object."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from avdet.synthetic.canvas import Canvas, Colour, Frame, shaded
from avdet.synthetic.rng import Rng

MARGIN_PX = 8  # the background extends this far beyond the frame, so that the camera can shake


def draw_background(width_px: int, height_px: int, rng: Rng, kind: str | None = None) -> Frame:
    """Returns a still background, `MARGIN_PX` larger than the frame on every side.

    `kind` is a key of BACKGROUNDS; None draws one at random.
    """
    width, height = width_px + 2 * MARGIN_PX, height_px + 2 * MARGIN_PX
    canvas = Canvas(np.zeros((height, width, 3), np.uint8))
    BACKGROUNDS[kind or rng.choice(tuple(BACKGROUNDS))](canvas, width, height, rng)
    return _with_light_and_grain(canvas.frame, rng)


def _with_light_and_grain(background: Frame, rng: Rng) -> Frame:
    """Adds soft light from one side and static noise, and lowers the contrast."""
    height, width = background.shape[:2]
    slope = rng.uniform(-0.16, 0.16)
    pale = 0.5 * background + 0.5 * rng.uniform(0.75, 1.0) * background.mean((0, 1))  # so that persons stand out
    light = rng.uniform(0.9, 1.05) + slope * np.linspace(-1.0, 1.0, width)[None, :, None]
    grain = np.random.default_rng(rng.integer(0, 2**31)).normal(0.0, 2.0, (height, width, 1))
    return np.clip(pale * light + cv2.blur(grain, (2, 2))[..., None], 0, 255).astype(np.uint8)


def _shade(colours: tuple[Colour, ...], rng: Rng) -> Colour:
    return shaded(rng.choice(colours), rng.uniform(0.85, 1.05))


def _room(canvas: Canvas, width: int, height: int, rng: Rng) -> None:
    wall = _shade(((206, 190, 168), (170, 190, 196), (196, 176, 190), (182, 196, 170)), rng)
    floor_y = height * rng.uniform(0.72, 0.8)
    canvas.rectangle(0, 0, width, floor_y, wall)
    canvas.rectangle(0, floor_y, width, height, _shade(((150, 112, 82), (128, 118, 110), (172, 140, 104)), rng))
    canvas.rectangle(0, floor_y - 5, width, floor_y, shaded(wall, 0.75))
    x, y = width * rng.uniform(0.05, 0.6), height * rng.uniform(0.08, 0.2)
    canvas.rectangle(x, y, x + 84, y + 66, (236, 236, 230))
    canvas.rectangle(x + 5, y + 5, x + 79, y + 61, _shade(((160, 204, 232), (60, 70, 110), (236, 190, 150)), rng))
    canvas.rectangle(x + 40, y + 5, x + 44, y + 61, (236, 236, 230))
    x = width * rng.uniform(0.65, 0.88)
    canvas.rectangle(x, y + 8, x + 44, y + 44, (96, 70, 50))
    canvas.rectangle(x + 4, y + 12, x + 40, y + 40, _shade(((222, 150, 90), (90, 140, 150), (190, 90, 90)), rng))


def _park(canvas: Canvas, width: int, height: int, rng: Rng) -> None:
    horizon = height * rng.uniform(0.55, 0.68)
    canvas.rectangle(0, 0, width, height, _shade(((156, 204, 232), (236, 200, 160), (176, 190, 204)), rng))
    for _ in range(3):
        x = width * rng.uniform(0.0, 1.0)
        canvas.ellipse((x, horizon), (width * 0.4, height * rng.uniform(0.1, 0.25)), shaded((110, 152, 112), 0.95))
    canvas.rectangle(0, horizon, width, height, _shade(((124, 172, 92), (146, 166, 84), (110, 150, 100)), rng))
    for _ in range(rng.integer(2, 4)):
        x, tree_height = width * rng.uniform(0.02, 0.98), height * rng.uniform(0.22, 0.4)
        canvas.line([(x, horizon + 8), (x, horizon - tree_height * 0.6)], (104, 76, 54), 8)
        canvas.circle(
            (x, horizon - tree_height * 0.8),
            tree_height * 0.36,
            _shade(((70, 124, 74), (96, 140, 70), (178, 120, 60)), rng),
        )
    for _ in range(25):
        flower = (width * rng.uniform(0, 1), horizon + (height - horizon) * rng.uniform(0.1, 1))
        canvas.circle(flower, 1.5, rng.choice(((250, 240, 200), (240, 160, 170), (90, 130, 70))))


def _stage(canvas: Canvas, width: int, height: int, rng: Rng) -> None:
    curtain = _shade(((120, 36, 46), (44, 60, 104), (60, 92, 80)), rng)
    floor_y = height * rng.uniform(0.74, 0.82)
    folds = rng.integer(14, 22)
    for fold in range(folds):
        x = width * fold / folds
        canvas.rectangle(x, 0, x + width / folds + 1, floor_y, shaded(curtain, 1.0 if fold % 2 else 0.8))
    canvas.rectangle(0, floor_y, width, height, (134, 96, 66))
    for board in range(1, 4):
        y = floor_y + board * (height - floor_y) / 4
        canvas.rectangle(0, y, width, y + 1.5, (110, 78, 54))
    light = width * rng.uniform(0.3, 0.7)
    canvas.ellipse((light, floor_y + 0.12 * height), (width * 0.42, height * 0.1), (160, 120, 86))


def _street(canvas: Canvas, width: int, height: int, rng: Rng) -> None:
    ground = height * rng.uniform(0.7, 0.78)
    canvas.rectangle(0, 0, width, height, _shade(((188, 208, 222), (228, 206, 190), (120, 132, 160)), rng))
    x = -10.0
    while x < width:
        block_width, block_height = rng.uniform(45, 90), height * rng.uniform(0.35, 0.66)
        colour = _shade(((188, 140, 120), (160, 160, 168), (206, 186, 150), (140, 150, 130)), rng)
        canvas.rectangle(x, ground - block_height, x + block_width, ground, colour)
        for row in range(int(block_height // 28)):
            for column in range(int(block_width // 20)):
                left, top = x + 6 + 20 * column, ground - block_height + 8 + 28 * row
                canvas.rectangle(left, top, left + 10, top + 14, rng.choice(((70, 84, 100), (240, 220, 150))))
        x += block_width + rng.uniform(0, 8)
    canvas.rectangle(0, ground, width, height, _shade(((136, 136, 140), (150, 144, 134)), rng))
    canvas.rectangle(0, ground, width, ground + 4, (176, 176, 176))


BACKGROUNDS: Mapping[str, Callable[[Canvas, int, int, Rng], None]] = {
    "room": _room, "park": _park, "stage": _stage, "street": _street,
}  # fmt: skip


class Distractor:
    """A silent object with a rhythm of its own: a balloon, a pendulum, a bird, a lamp, or none."""

    def __init__(self, width_px: int, height_px: int, rng: Rng) -> None:
        self._kind = rng.choice(("balloon", "pendulum", "bird", "lamp", "none"))
        self._width, self._height = width_px, height_px
        self._x, self._y = width_px * rng.uniform(0.1, 0.9), height_px * rng.uniform(0.08, 0.25)
        self._hz, self._colour = rng.uniform(0.4, 1.5), rng.choice(((230, 80, 80), (80, 130, 220), (240, 200, 80)))

    def draw(self, canvas: Canvas, time_s: float) -> None:
        """Draws the object as it is at `time_s`."""
        swing = math.sin(2 * math.pi * self._hz * time_s)
        x, y = self._x, self._y
        if self._kind == "balloon":
            x, y = x + 6 * math.sin(time_s), y + 8 * math.sin(0.6 * time_s)
            canvas.line([(x, y), (x + 3 * swing, y + 45)], (90, 90, 90), 1)
            canvas.ellipse((x, y), (12, 15), self._colour)
        elif self._kind == "pendulum":
            tip = (x + 24 * math.sin(0.5 * swing), y + 40 * math.cos(0.5 * swing))
            canvas.line([(x, y), tip], (70, 60, 50), 2)
            canvas.circle(tip, 7, self._colour)
        elif self._kind == "bird":
            x = (x + 35 * time_s) % (self._width + 40) - 20
            for side in (-1, 1):
                canvas.line([(x, y), (x + side * 10, y - 4 - 6 * swing)], (50, 50, 60), 2)
        elif self._kind == "lamp":
            canvas.circle((x, y), 9, (255, 240, 180) if swing > 0 else shaded(self._colour, 0.6))

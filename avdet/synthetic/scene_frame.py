"""The frames of a scene: backdrop, distractor and people under a slightly shaking camera, and the boxes they fill."""

from __future__ import annotations

import math

import cv2
import numpy as np

from avdet.synthetic.appearance import dress
from avdet.synthetic.backdrop import MARGIN_PX, Distractor, draw_backdrop
from avdet.synthetic.body import body_at
from avdet.synthetic.canvas import Canvas, Picture, Point
from avdet.synthetic.person_figure import draw_person, draw_seat
from avdet.synthetic.rng import Dice
from avdet.synthetic.scene import Actor, Scene
from avdet.synthetic.synthetic_settings import SampleSettings

Box = tuple[float, float, float, float]


class Camera:
    """Shakes a little: two slow swings a direction, never more than the backdrop's margin (pixels)."""

    def __init__(self, dice: Dice) -> None:
        self._swings = [
            (dice.uniform(0.3, 2.2), dice.uniform(0.15, 0.9), dice.uniform(0.0, 2 * math.pi)) for _ in range(4)
        ]

    def offset(self, time_s: float) -> Point:
        moves = [size * math.sin(2 * math.pi * hz * time_s + phase) for size, hz, phase in self._swings]
        return moves[0] + moves[1], moves[2] + moves[3]


class ScenePicture:
    """Draws a scene at any time. Everything is fixed by the scene's name and seed."""

    def __init__(self, scene: Scene, settings: SampleSettings) -> None:
        dice = Dice("picture", scene.name, scene.seed)
        self.scene = scene
        self._width, self._height = settings.width_px, settings.height_px
        self._camera = Camera(Dice("camera", scene.name, scene.seed))
        self._backdrop = draw_backdrop(self._width, self._height, dice, scene.place)
        self._distractor = Distractor(self._width, self._height, dice)
        self._looks = [dress(dice) for _ in scene.actors]

    def frame(self, time_s: float) -> Picture:
        """RGB uint8 (H, W, 3)."""
        dx, dy = self._camera.offset(time_s)
        centre = (MARGIN_PX + self._width / 2 - 0.5 - dx, MARGIN_PX + self._height / 2 - 0.5 - dy)
        picture = cv2.getRectSubPix(self._backdrop, (self._width, self._height), centre).astype(np.uint8, copy=False)
        canvas = Canvas(picture, (dx, dy))
        self._distractor.draw(canvas, time_s)
        for actor, look in zip(self.scene.actors, self._looks, strict=True):
            act = actor.act_at(time_s)
            body = body_at(actor, time_s, self._width, self._height)
            if actor.seat_facing is not None:
                draw_seat(canvas, body.ground, body.unit_px, look, actor.seat_facing)
            draw_person(canvas, body, look, act.snack, time_s)
        return canvas.picture


def person_box(scene: Scene, actor: Actor, time_s: float, settings: SampleSettings) -> Box:
    """The box x1, y1, x2, y2 of one person as fractions of the frame, cut at its border."""
    dx, dy = Camera(Dice("camera", scene.name, scene.seed)).offset(time_s)
    width, height = settings.width_px, settings.height_px
    x1, y1, x2, y2 = body_at(actor, time_s, width, height).box_px()

    def share(value: float, size: int) -> float:
        return min(max(value / size, 0.0), 1.0)

    return share(x1 + dx, width), share(y1 + dy, height), share(x2 + dx, width), share(y2 + dy, height)

"""Renders a scene: its frames under a slightly shaking camera, the person boxes, and the video file."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from avdet.media.video_writer import VideoWriter
from avdet.synthetic.audio_mix import mix_audio
from avdet.synthetic.background import MARGIN_PX, Distractor, draw_background
from avdet.synthetic.canvas import Canvas, Frame, Point
from avdet.synthetic.person_drawing import draw_person, draw_seat, random_appearance
from avdet.synthetic.person_motion import skeleton_at
from avdet.synthetic.rng import Rng
from avdet.synthetic.scene import Actor, Scene
from avdet.synthetic.synthetic_settings import SampleSettings

Box = tuple[float, float, float, float]
PRESET, CRF = "superfast", 24  # a fast preset: users wait while the set is made on first use


class CameraShake:
    """A slow shake of the camera: two sines per axis, never more than the background's margin."""

    def __init__(self, rng: Rng) -> None:
        self._sines = [(rng.uniform(0.3, 2.2), rng.uniform(0.15, 0.9), rng.uniform(0.0, 2 * math.pi)) for _ in range(4)]

    def offset(self, time_s: float) -> Point:
        """Returns the shift (dx, dy) in pixels."""
        shifts = [amplitude * math.sin(2 * math.pi * hz * time_s + phase) for amplitude, hz, phase in self._sines]
        return shifts[0] + shifts[1], shifts[2] + shifts[3]


class SceneRenderer:
    """Draws a scene at any time. The scene's name and seed determine every pixel."""

    def __init__(self, scene: Scene, settings: SampleSettings) -> None:
        rng = Rng("picture", scene.name, scene.seed)
        self.scene = scene
        self._width, self._height = settings.width_px, settings.height_px
        self._camera = CameraShake(Rng("camera", scene.name, scene.seed))
        self._background = draw_background(self._width, self._height, rng, scene.background)
        self._distractor = Distractor(self._width, self._height, rng)
        self._appearances = [random_appearance(rng) for _ in scene.actors]

    def frame(self, time_s: float) -> Frame:
        """Returns the frame at a time, RGB uint8 (H, W, 3)."""
        dx, dy = self._camera.offset(time_s)
        centre = (MARGIN_PX + self._width / 2 - 0.5 - dx, MARGIN_PX + self._height / 2 - 0.5 - dy)
        frame = cv2.getRectSubPix(self._background, (self._width, self._height), centre).astype(np.uint8, copy=False)
        canvas = Canvas(frame, (dx, dy))
        self._distractor.draw(canvas, time_s)
        for actor, appearance in zip(self.scene.actors, self._appearances, strict=True):
            skeleton = skeleton_at(actor, time_s, self._width, self._height)
            if actor.seat_facing is not None:
                draw_seat(canvas, skeleton.ground, skeleton.unit_px, appearance, actor.seat_facing)
            draw_person(canvas, skeleton, appearance, actor.segment_at(time_s).snack, time_s)
        return canvas.frame


def person_box(scene: Scene, actor: Actor, time_s: float, settings: SampleSettings) -> Box:
    """Returns the person's box x1, y1, x2, y2, normalised to [0, 1] and clipped to the frame."""
    dx, dy = CameraShake(Rng("camera", scene.name, scene.seed)).offset(time_s)
    width, height = settings.width_px, settings.height_px
    x1, y1, x2, y2 = skeleton_at(actor, time_s, width, height).box_px()

    def normalised(value: float, size: int) -> float:
        return min(max(value / size, 0.0), 1.0)

    return (
        normalised(x1 + dx, width), normalised(y1 + dy, height),
        normalised(x2 + dx, width), normalised(y2 + dy, height),
    )  # fmt: skip


def write_scene_video(
    scene: Scene, path: Path, settings: SampleSettings, *, start_s: float = 0.0, end_s: float | None = None
) -> None:
    """Writes the scene from `start_s` to `end_s` (default: its end) as mp4; the file's time starts at 0."""
    end_s = scene.duration_s if end_s is None else end_s
    fps, rate = settings.fps, settings.sample_rate
    renderer = SceneRenderer(scene, settings)
    audio = mix_audio(scene, settings)[round(start_s * rate) : round(end_s * rate)]
    width, height = settings.width_px, settings.height_px
    with VideoWriter(
        path, fps=fps, width=width, height=height, sample_rate=rate, preset=PRESET, crf=CRF, gop=settings.gop
    ) as writer:
        writer.write_audio(audio)
        for index in range(round((end_s - start_s) * fps)):
            writer.write_frame(renderer.frame(start_s + index / fps))

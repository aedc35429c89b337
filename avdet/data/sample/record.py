"""Films a scene, or a stretch of one, into an mp4 file with sound."""

from __future__ import annotations

from pathlib import Path

from avdet.data.sample.picture import ScenePicture
from avdet.data.sample.scene import Scene
from avdet.data.sample.settings import SampleSettings
from avdet.data.sample.soundtrack import soundtrack
from avdet.media.writer import VideoWriter


def record(
    scene: Scene, path: Path, settings: SampleSettings, *, start_s: float = 0.0, end_s: float | None = None
) -> None:
    """Writes the scene between two of its own times (to its end by default); the file's clock starts at 0."""
    end_s = scene.duration_s if end_s is None else end_s
    fps, rate = settings.fps, settings.sample_rate
    picture = ScenePicture(scene, settings)
    sound = soundtrack(scene, settings)[round(start_s * rate) : round(end_s * rate)]
    with VideoWriter(
        path, fps=fps, width=settings.width_px, height=settings.height_px, sample_rate=rate
    ) as writer:  # fmt: skip
        writer.write_audio(sound)
        for index in range(round((end_s - start_s) * fps)):
            writer.write_frame(picture.frame(start_s + index / fps))

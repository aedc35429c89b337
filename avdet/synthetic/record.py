"""Films a scene, or a stretch of one, into an mp4 file with sound."""

from __future__ import annotations

from pathlib import Path

from avdet.media.video_writer import VideoWriter
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_frame import ScenePicture
from avdet.synthetic.soundtrack import soundtrack
from avdet.synthetic.synthetic_settings import SampleSettings

# A fast one: the set is made on first use, while somebody waits.
PRESET, CRF = "superfast", 24


def record(
    scene: Scene, path: Path, settings: SampleSettings, *, start_s: float = 0.0, end_s: float | None = None
) -> None:
    """Writes the scene between two of its own times (to its end by default); the file's clock starts at 0."""
    end_s = scene.duration_s if end_s is None else end_s
    fps, rate = settings.fps, settings.sample_rate
    picture = ScenePicture(scene, settings)
    sound = soundtrack(scene, settings)[round(start_s * rate) : round(end_s * rate)]
    width, height = settings.width_px, settings.height_px
    with VideoWriter(
        path, fps=fps, width=width, height=height, sample_rate=rate, preset=PRESET, crf=CRF, gop=settings.gop
    ) as writer:
        writer.write_audio(sound)
        for index in range(round((end_s - start_s) * fps)):
            writer.write_frame(picture.frame(start_s + index / fps))

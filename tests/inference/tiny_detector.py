"""A small audiovisual action detector with random weights, and videos and boxes for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.config import Config
from avdet.media.video_writer import VideoWriter
from avdet.models.build import build_model
from avdet.people.box_table import COLUMNS


def save_tiny_detector(path: Path, config: Config) -> Path:
    torch.manual_seed(0)
    classes = config.detection_dataset().class_names()
    model = build_model(config.model, num_classes=len(classes), head="roi")
    save_checkpoint(
        path, model_state=model.state_dict(), config=config.model_dump(mode="json"), class_names=classes.label_map
    )
    return path


def write_noise_video(
    path: Path, duration_s: float, *, fps: float = 2.0, with_audio: bool = True, silent: bool = False
) -> Path:
    """Noise frames that differ from second to second, and a tone, or silence, which is encoded eight times faster."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (16, 48, 64, 3), np.uint8)
    sample_rate = 8000 if with_audio else None
    with VideoWriter(path, fps=fps, width=64, height=48, sample_rate=sample_rate, gop=8) as writer:
        for second in range(int(duration_s)):
            for number in range(int(fps)):
                writer.write_frame(frames[(second * 7 + number) % 16])
            if with_audio:
                tone = np.sin(np.arange(8000, dtype=np.float32) * (0.1 + 0.01 * (second % 9)))
                writer.write_audio(np.zeros_like(tone) if silent else tone)
    return path


def two_persons(video: str, times_s: list[float]) -> pd.DataFrame:
    """A table as `ava_eval.read_boxes` returns it; the right person has the lower score."""
    rows = [(video, t, x, 0.1, x + 0.4, 0.9, score, -1) for t in times_s for x, score in ((0.05, 0.9), (0.55, 0.8))]
    return pd.DataFrame(rows, columns=COLUMNS)

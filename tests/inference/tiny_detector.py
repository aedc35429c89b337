"""An action detector with random weights that sees and hears, and a film for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.data.build import build_classes
from avdet.media.video_writer import VideoWriter
from avdet.models.build import build_model
from avdet.settings import Config


def save_tiny_detector(path: Path, config: Config) -> Path:
    torch.manual_seed(0)
    classes = build_classes(config.ava)
    model = build_model(config.model, num_classes=len(classes), head="roi")
    save_checkpoint(
        path, model_state=model.state_dict(), config=config.model_dump(mode="json"), class_names=classes.label_map
    )
    return path


def write_film(path: Path, duration_s: float, *, fps: float = 2.0, sound: bool = True) -> Path:
    """Noise that differs from second to second, and a tone."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (16, 48, 64, 3), np.uint8)
    with VideoWriter(path, fps=fps, width=64, height=48, sample_rate=8000 if sound else None) as writer:
        for second in range(int(duration_s)):
            for number in range(int(fps)):
                writer.write_frame(pictures[(second * 7 + number) % 16])
            if sound:
                writer.write_audio(np.sin(np.arange(8000, dtype=np.float32) * (0.1 + 0.01 * (second % 9))))
    return path


def two_people(video: str, times_s: list[float]) -> pd.DataFrame:
    """As `ava_eval.read_boxes` gives them; the right one is a little less sure."""
    rows = [(video, t, x, 0.1, x + 0.4, 0.9, score, -1) for t in times_s for x, score in ((0.05, 0.9), (0.55, 0.8))]
    return pd.DataFrame(rows, columns=["video", "timestamp", "x1", "y1", "x2", "y2", "score", "person_id"])

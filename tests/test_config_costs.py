"""The headers of configs/ state the multiply-adds of their networks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from avdet.config import load_config
from avdet.datasets.detection import DetectionConfig
from avdet.models.build import build_model
from avdet.models.drop_pathway import AudioState, no_audio

CONFIGS = sorted((Path(__file__).parents[1] / "configs").rglob("*.yaml"))
COST = re.compile(r"# (?:Cost: .*?)?([\d.]+) G multiply-adds per clip and forward pass at 224x224\.")


@pytest.mark.slow
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
@torch.no_grad()
def test_multiply_adds(path: Path) -> None:
    """Of one clip with audio, without the head of a detector, whose cost depends on the number of boxes."""
    config, meta = load_config(path), torch.device("meta")
    model, detects = config.model, isinstance(config.data, DetectionConfig)
    with meta:
        network = build_model(model, num_classes=400, head="roi" if detects else "clip").eval()
        frames = torch.zeros(1, 3, model.clip_frames, 224, 224, dtype=torch.uint8)
        audio = no_audio(meta)
        if model.uses_audio:
            audio = AudioState(torch.zeros(1, 1, model.audio_frames, model.mel_bins), torch.arange(1))
        with FlopCounterMode(display=False) as counter:
            network.backbone(frames, audio)
    stated = COST.search(path.read_text(encoding="utf-8"))
    assert stated is not None
    assert float(stated[1]) == pytest.approx(counter.get_total_flops() / 2e9, abs=0.06 if "." in stated[1] else 0.51)

"""A tiny model config (width 8, one block per stage), random clips of 32 x 32, and random weights."""

from __future__ import annotations

from typing import Any

import torch

from avdet.settings import ModelConfig
from avdet.structures import ClipBatch, PersonBoxes

AUDIO_FRAMES = 32
MEL_BINS = 16


def tiny_config(**changes: Any) -> ModelConfig:  # noqa: ANN401  (any setting)
    settings = {
        "stage_blocks": (1, 1, 1, 1),
        "width": 8,
        "slow_frames": 2,
        "slow_stride": 4,
        "alpha": 2,
        "audio_frames": AUDIO_FRAMES,
        "mel_bins": MEL_BINS,
        "fusion_width": 8,
        "dropout": 0.0,
        "drop_pathway_rate": 0.0,
    }
    return ModelConfig.model_validate({**settings, **changes})


def tiny_batch(
    has_audio: tuple[bool, ...] = (True, True),
    *,
    boxes: int = 2,
    classes: int = 3,
    paired: bool = False,
    size: int = 32,
    frames: int = 4,
    seed: int = 0,
    audio_shape: tuple[int, int] = (AUDIO_FRAMES, MEL_BINS),
) -> ClipBatch:
    """Random clips with `boxes` person boxes each."""
    generator = torch.Generator().manual_seed(seed)
    batch = len(has_audio)
    audio = torch.randn(2, batch, 1, *audio_shape, generator=generator)
    audio = audio * torch.tensor(has_audio)[None, :, None, None, None]
    low = torch.rand(batch * boxes, 2, generator=generator) * size / 2
    return ClipBatch(
        frames=torch.randint(0, 256, (batch, 3, frames, size, size), dtype=torch.uint8, generator=generator),
        audio=audio[0] if any(has_audio) else None,
        has_audio=torch.tensor(has_audio),
        boxes_px=torch.cat([low, low + size / 2], dim=1),
        box_clip=torch.arange(batch).repeat_interleave(boxes),
        labels={"action": torch.randint(0, 2, (batch * boxes, classes), generator=generator).float()},
        clips=tuple((f"clip{i}", 0.0) for i in range(batch)),
        people=(PersonBoxes.from_boxes(torch.zeros(boxes, 4)),) * batch,
        negative_audio=audio[1] if paired and any(has_audio) else None,
    )


def shake(model: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Gives every parameter a random value, zero-initialised norms too, so that every part changes the output."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
            parameter.copy_(1 + 0.3 * noise if parameter.ndim == 1 else noise / parameter[0].numel() ** 0.5)
    return model

"""Clips to batches."""

from __future__ import annotations

from itertools import groupby

import torch
from torch import Tensor

from avdet.structures import Clip, ClipBatch

__all__ = ["collate", "collate_by_size"]


def collate(clips: list[Clip]) -> ClipBatch:
    """Clips of one frame size as one batch; boxes and their labels are concatenated."""
    boxes = [clip.boxes_px for clip in clips]
    counts = torch.tensor([len(b) for b in boxes])
    return ClipBatch(
        frames=torch.stack([clip.frames for clip in clips]),
        audio=_stack_audio([clip.audio for clip in clips]),
        negative_audio=_stack_negatives(clips),
        has_audio=torch.tensor([clip.audio is not None for clip in clips]),
        boxes_px=torch.cat(boxes),
        box_clip=torch.repeat_interleave(torch.arange(len(clips)), counts),
        labels={name: _join([clip.labels[name] for clip in clips]) for name in clips[0].labels},
        clips=tuple((clip.video, clip.time_s) for clip in clips),
        people=tuple(clip.people for clip in clips),
        bad=tuple(bad for clip in clips for bad in clip.bad),
    )


def collate_by_size(clips: list[Clip]) -> list[ClipBatch]:
    """One batch per frame size: test frames keep their shape, so nothing is padded."""

    def size(clip: Clip) -> tuple[int, ...]:
        return tuple(clip.frames.shape)

    return [collate(list(same)) for _, same in groupby(sorted(clips, key=size), key=size)]


def _stack_audio(log_mels: list[Tensor | None]) -> Tensor | None:
    """(B, 1, T, F), zeros for a clip without audio, which `has_audio` masks; None if no clip has audio."""
    template = next((log_mel for log_mel in log_mels if log_mel is not None), None)
    if template is None:
        return None
    return torch.stack([torch.zeros_like(template) if x is None else x for x in log_mels]).unsqueeze(1)


def _stack_negatives(clips: list[Clip]) -> Tensor | None:
    """As `_stack_audio`. A clip without misaligned audio has its own audio there: the AVS loss leaves such a pair out,
    and batch norms see no frames of zeros, which no audio has.
    """
    if all(clip.negative_audio is None for clip in clips):
        return None
    return _stack_audio([clip.audio if clip.negative_audio is None else clip.negative_audio for clip in clips])


def _join(labels: list[Tensor]) -> Tensor:
    """One row per box, or one per clip."""
    return torch.cat(labels) if labels[0].ndim > 1 else torch.stack(labels)

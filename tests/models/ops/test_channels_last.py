"""Reshapes and convolutions that keep channels-last memory."""

from __future__ import annotations

import pytest
import torch

from avdet.models.blocks import ConvNorm, TemporalConv
from avdet.models.ops.channels_last import as_clips, as_frames, channels_last
from avdet.models.visual_pathway import VisualStem


def test_clips_and_frames_are_views_of_one_another() -> None:
    clips = channels_last(torch.randn(2, 3, 4, 5, 6))
    frames = as_frames(clips)
    assert frames.data_ptr() == clips.data_ptr() and frames.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(frames[5], clips[1, :, 1])
    assert torch.equal(as_clips(frames, 4), clips)


def test_converts_dtype_and_layout_at_once() -> None:
    clips = torch.randint(0, 256, (2, 3, 4, 5, 6), dtype=torch.uint8)
    converted = channels_last(clips, torch.float32)
    assert converted.dtype == torch.float32 and converted.is_contiguous(memory_format=torch.channels_last_3d)
    assert torch.equal(converted, clips.float())


@pytest.mark.parametrize("batch", [1, 2])
def test_a_convolution_over_time_keeps_channels_last(batch: int) -> None:
    """Otherwise Slow, to which F->S is concatenated, is converted after every stage."""
    frames = channels_last(torch.randn(batch * 16, 8, 3, 4))
    with torch.no_grad():
        lateral = TemporalConv(8, 16, 5, stride=8).over_time(frames, 16)
    assert lateral.is_contiguous(memory_format=torch.channels_last)


def test_weights_and_outputs_are_channels_last_for_a_batch_of_one() -> None:
    layer = ConvNorm(16, 24, (3, 3))
    assert layer.conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert layer(torch.randn(1, 16, 5, 6)).is_contiguous(memory_format=torch.channels_last)
    assert VisualStem(8, 5).conv.weight.is_contiguous(memory_format=torch.channels_last_3d)

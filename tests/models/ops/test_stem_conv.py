"""conv1 with norm, ReLU and pool1, however it is computed: equal to the plain layers."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from avdet.models.ops.channels_last import as_frames, channels_last
from avdet.models.ops.stem_conv import conv3d_by_pairs
from avdet.models.visual_pathway import VisualStem


@pytest.mark.parametrize("kernel", [1, 5])
def test_conv3d_by_pairs_is_conv3d(kernel: int) -> None:
    torch.manual_seed(0)
    clips = torch.randn(2, 3, 6, 16, 16, dtype=torch.float64)
    stem = VisualStem(8, kernel).double()
    pairs, plain = conv3d_by_pairs(clips, stem.conv), stem.conv(clips)
    by_pairs = pairs.unflatten(1, (2, 8)).permute(0, 2, 3, 1, 4, 5).flatten(2, 3)  # (B, C, T, H, W)
    torch.testing.assert_close(by_pairs, plain)
    grad = torch.randn_like(plain)
    gradient, expected = (torch.autograd.grad(y, stem.conv.weight, grad)[0] for y in (by_pairs, plain))
    torch.testing.assert_close(gradient, expected)
    as_in_models = channels_last(clips, torch.float32)
    assert conv3d_by_pairs(as_in_models, stem.float().conv).is_contiguous(memory_format=torch.channels_last_3d)


@pytest.mark.parametrize("steps", [3, 4])
@pytest.mark.parametrize("dim", [2, 8, 16])  # by taps, by pairs of an even number of frames, plain
def test_stem_is_conv_norm_relu_pool(dim: int, steps: int) -> None:
    torch.manual_seed(1)
    stem = VisualStem(dim, 5).train()
    clips = torch.randn(2, 3, steps, 16, 16)
    x = F.conv3d(clips, stem.conv.weight, stride=(1, 2, 2), padding=(2, 3, 3))
    x = F.max_pool3d(F.relu(F.batch_norm(x, None, None, training=True)), (1, 3, 3), (1, 2, 2), (0, 1, 1))
    torch.testing.assert_close(stem(clips), x)
    assert as_frames(stem(clips)).is_contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = stem(clips)
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), x, rtol=0.02, atol=0.02)

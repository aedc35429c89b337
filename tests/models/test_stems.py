from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from avdet.models.blocks import FEW, as_frames
from avdet.models.stems import VisualStem


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("kernel", [1, 5])
def test_by_taps_it_is_the_same_convolution(kernel: int, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    pictures = torch.randn(2, 3, 6, 16, 16, dtype=torch.float64)
    stem = VisualStem(2, kernel).double()
    by_taps, plain = stem._by_taps(pictures, layout), stem.conv(pictures)
    torch.testing.assert_close(by_taps, plain)
    grad = torch.randn_like(plain)
    for ours, theirs in zip(
        torch.autograd.grad(by_taps, stem.conv.weight, grad),
        torch.autograd.grad(plain, stem.conv.weight, grad),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("kernel", [1, 5])
def test_by_pairs_it_is_the_same_convolution(kernel: int) -> None:
    torch.manual_seed(0)
    pictures = torch.randn(2, 3, 6, 16, 16, dtype=torch.float64)
    stem = VisualStem(8, kernel).double()
    pairs, plain = stem._by_pairs(pictures), stem.conv(pictures)
    by_pairs = pairs.unflatten(1, (2, 8)).permute(0, 2, 3, 1, 4, 5).flatten(2, 3)  # (B, C, T, H, W)
    torch.testing.assert_close(by_pairs, plain)
    grad = torch.randn_like(plain)
    ours, theirs = (torch.autograd.grad(y, stem.conv.weight, grad)[0] for y in (by_pairs, plain))
    torch.testing.assert_close(ours, theirs)
    as_models_see_them = pictures.float().contiguous(memory_format=torch.channels_last_3d)
    assert stem.float()._by_pairs(as_models_see_them).is_contiguous(memory_format=torch.channels_last_3d)


@pytest.mark.parametrize("steps", [3, 4])
@pytest.mark.parametrize("dim", [FEW // 4, FEW, 2 * FEW])  # by taps, by pairs of an even number, as it is
def test_stem_is_conv_norm_relu_pool(dim: int, steps: int) -> None:
    torch.manual_seed(1)
    stem = VisualStem(dim, 5).train()
    pictures = torch.randn(2, 3, steps, 16, 16)
    x = F.conv3d(pictures, stem.conv.weight, stride=(1, 2, 2), padding=(2, 3, 3))
    x = F.max_pool3d(F.relu(F.batch_norm(x, None, None, training=True)), (1, 3, 3), (1, 2, 2), (0, 1, 1))
    torch.testing.assert_close(stem(pictures), x)
    assert as_frames(stem(pictures)).is_contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = stem(pictures)
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), x, rtol=0.02, atol=0.02)

from __future__ import annotations

import torch
from torch.autograd import gradcheck
from torch.nn import functional as F

from avdet.models.blocks import FEW
from avdet.models.stems import VisualStem, sum_taps


def test_few_channels_go_by_taps_and_many_do_not_and_both_are_the_same_convolution() -> None:
    torch.manual_seed(0)
    pictures = torch.randn(2, 3, 6, 16, 16, dtype=torch.float64)
    stem = VisualStem(2, 5).double()
    assert stem.conv.out_channels < FEW
    by_taps, plain = stem._by_taps(pictures), stem.conv(pictures)
    torch.testing.assert_close(by_taps, plain)
    grad = torch.randn_like(plain)
    for ours, theirs in zip(
        torch.autograd.grad(by_taps, stem.conv.weight, grad),
        torch.autograd.grad(plain, stem.conv.weight, grad),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


def test_taps_have_their_numerical_gradient() -> None:
    taps = torch.randn(1, 4, 3, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(sum_taps, taps)


def test_taps_by_hand() -> None:
    """Three taps over three frames: the first sees the frame before, the last the frame after."""
    taps = torch.tensor([[[1.0, 10, 100], [2, 20, 200], [3, 30, 300]]])  # frame x tap: what it gives
    assert sum_taps(taps).tolist() == [[10 + 200, 1 + 20 + 300, 2 + 30]]


def test_stem_is_conv_norm_relu_pool() -> None:
    torch.manual_seed(1)
    for dim in (2, 16):
        stem = VisualStem(dim, 5).train()
        pictures = torch.randn(2, 3, 4, 16, 16)
        x = F.conv3d(pictures, stem.conv.weight, stride=(1, 2, 2), padding=(2, 3, 3))
        x = F.max_pool3d(F.relu(F.batch_norm(x, None, None, training=True)), (1, 3, 3), (1, 2, 2), (0, 1, 1))
        torch.testing.assert_close(stem(pictures), x)

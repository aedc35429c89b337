from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from avdet.models.ops.checkpointed_conv import conv_then_norm


def layers(stride: int = 1) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    torch.manual_seed(0)
    return nn.Conv2d(2, 5, 1, stride, bias=False), nn.BatchNorm2d(5)


def test_gradient_is_the_numerical_one() -> None:
    conv, norm = layers(stride=2)
    conv.double(), norm.double()
    x = torch.randn(3, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    inputs = (x, conv.weight, norm.weight, norm.bias)
    assert gradcheck(lambda x, *_: conv_then_norm(x, conv, norm), inputs, fast_mode=True)


@pytest.mark.parametrize("bf16", [False, True])
def test_is_what_it_replaces(bf16: bool) -> None:
    """Values, gradients and running statistics, over two steps; under autocast too."""
    conv, norm = layers()
    conv2, norm2 = copy.deepcopy((conv, norm))
    for step in range(2):
        x = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(step))
        mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            ours, plain = conv_then_norm(mine, conv, norm), norm2(conv2(theirs))
        assert ours.dtype == plain.dtype
        for y in (ours, plain):
            y.float().square().sum().backward()
        torch.testing.assert_close(ours, plain)
        assert mine.grad is not None and theirs.grad is not None
        assert _near(mine.grad, theirs.grad, bf16)
    torch.testing.assert_close(norm.state_dict(), norm2.state_dict())
    pairs = zip([*conv.parameters(), *norm.parameters()], [*conv2.parameters(), *norm2.parameters()], strict=True)
    for parameter, other in pairs:
        assert parameter.grad is not None and other.grad is not None and parameter.grad.dtype == torch.float32
        assert _near(parameter.grad, other.grad, bf16)


def _near(a: Tensor, b: Tensor, bf16: bool) -> bool:
    return torch.allclose(a, b, rtol=0.05, atol=0.05) if bf16 else torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_keeps_the_input_alone() -> None:
    conv, norm = layers()
    kept: list[torch.Size] = []
    x = torch.randn(3, 2, 8, 8, requires_grad=True)

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor.shape)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        conv_then_norm(x, conv, norm)
    assert max(kept, key=torch.Size.numel) == x.shape

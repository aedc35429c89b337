"""A convolution and batch norm that keep only their input: equal to the plain layers, with less memory."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from avdet.models.ops.checkpointed_conv import checkpointed_conv_bn


def layers(stride: int = 1) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    torch.manual_seed(0)
    return nn.Conv2d(2, 5, 1, stride, bias=False), nn.BatchNorm2d(5)


def test_gradient_is_the_numerical_one() -> None:
    conv, norm = layers(stride=2)
    conv.double(), norm.double()
    x = torch.randn(3, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    inputs = (x, conv.weight, norm.weight, norm.bias)
    assert gradcheck(lambda x, *_: checkpointed_conv_bn(x, conv, norm, conv.stride), inputs, fast_mode=True)


@pytest.mark.parametrize("bf16", [False, True])
def test_equals_convolution_and_norm(bf16: bool) -> None:
    """Outputs, gradients and running statistics over two steps, also under autocast."""
    conv, norm = layers()
    conv2, norm2 = copy.deepcopy((conv, norm))
    for step in range(2):
        x = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(step))
        x1, x2 = x.clone().requires_grad_(), x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            y, expected = checkpointed_conv_bn(x1, conv, norm, conv.stride), norm2(conv2(x2))
        assert y.dtype == expected.dtype
        for output in (y, expected):
            output.float().square().sum().backward()
        torch.testing.assert_close(y, expected)
        assert x1.grad is not None and x2.grad is not None
        assert _close(x1.grad, x2.grad, bf16)
    torch.testing.assert_close(norm.state_dict(), norm2.state_dict())
    pairs = zip([*conv.parameters(), *norm.parameters()], [*conv2.parameters(), *norm2.parameters()], strict=True)
    for parameter, other in pairs:
        assert parameter.grad is not None and other.grad is not None and parameter.grad.dtype == torch.float32
        assert _close(parameter.grad, other.grad, bf16)


def _close(a: Tensor, b: Tensor, bf16: bool) -> bool:
    return torch.allclose(a, b, rtol=0.05, atol=0.05) if bf16 else torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_keeps_only_the_input() -> None:
    conv, norm = layers()
    kept: list[torch.Size] = []
    x = torch.randn(3, 2, 8, 8, requires_grad=True)

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor.shape)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        checkpointed_conv_bn(x, conv, norm, conv.stride)
    assert max(kept, key=torch.Size.numel) == x.shape

"""Convolution, bias, residual and ReLU as one kernel of cuDNN's: each apart reads and writes the pictures again."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def fuses(x: Tensor) -> bool:
    """On NVIDIA's GPUs, where no gradient is asked for (there is none); torch.compile fuses by itself."""
    if torch.compiler.is_compiling() or torch.is_grad_enabled() or not x.is_cuda:
        return False
    return torch.version.hip is None and torch.backends.cudnn.is_available()


def conv_add_relu(x: Tensor, weight: Tensor, bias: Tensor, residual: Tensor | None, conv: nn.Conv2d) -> Tensor:
    """relu(conv(x) + bias + residual) with the stride, padding and dilation of `conv`, in autocast's precision."""
    dtype = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else x.dtype
    x, weight, bias = x.to(dtype), weight.to(dtype), bias.to(dtype)
    assert not isinstance(conv.padding, str)
    stride, padding, dilation = conv.stride, conv.padding, conv.dilation
    if residual is None:
        return torch.cudnn_convolution_relu(x, weight, bias, stride, padding, dilation, 1)
    return torch.cudnn_convolution_add_relu(x, weight, residual.to(dtype), 1.0, bias, stride, padding, dilation, 1)

"""Convolution, bias, residual and ReLU as one kernel: each apart reads and writes the pictures again."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def precision(x: Tensor) -> torch.dtype:
    """Of a convolution of `x`: autocast's, or that of `x`."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def fuses(x: Tensor) -> bool:
    """Where no gradient is asked for (there is none), by cuDNN or oneDNN; torch.compile fuses by itself."""
    if torch.compiler.is_compiling() or torch.is_grad_enabled() or torch.onnx.is_in_onnx_export():
        return False
    if x.is_cuda:
        return torch.version.hip is None and torch.backends.cudnn.is_available()
    if not x.is_cpu or not torch.backends.mkldnn.is_available():
        return False
    only_channels_last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    return only_channels_last and _fuses_on_cpu(precision(x))


def _fuses_on_cpu(dtype: torch.dtype) -> bool:
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32


def conv_add_relu(x: Tensor, weight: Tensor, bias: Tensor, residual: Tensor | None, conv: nn.Conv2d) -> Tensor:
    """relu(conv(x) + bias + residual) with the stride, padding and dilation of `conv`, in autocast's precision."""
    dtype = precision(x)
    x, weight, bias = x.to(dtype), weight.to(dtype), bias.to(dtype)
    residual = None if residual is None else residual.to(dtype)
    assert not isinstance(conv.padding, str)
    stride, padding, dilation = conv.stride, conv.padding, conv.dilation
    if x.is_cpu:
        return _on_cpu(x, weight, bias, residual, padding, stride, dilation)
    if residual is None:
        return torch.cudnn_convolution_relu(x, weight, bias, stride, padding, dilation, 1)
    return torch.cudnn_convolution_add_relu(x, weight, residual, 1.0, bias, stride, padding, dilation, 1)


def _on_cpu(x: Tensor, weight: Tensor, bias: Tensor, residual: Tensor | None, *geometry: tuple[int, ...]) -> Tensor:
    """By the operator that torch.compile puts in the place of these."""
    fused: Tensor
    pointwise = torch.ops.mkldnn._convolution_pointwise
    if residual is None:
        fused = pointwise(x, weight, bias, *geometry, 1, "relu", [], "")
    else:
        fused = pointwise.binary(x, residual, weight, bias, *geometry, 1, "add", 1.0, "relu", [], "")
    return fused

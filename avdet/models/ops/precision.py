"""The dtype in which a convolution is computed under autocast, with an exception for conv1 on CPUs with AMX.

AMX multiplies 32 channels of bfloat16 at once and idles at conv1's three input channels. There conv1 stays in float32.

Where: CPUs, bfloat16 autocast. Gain: not recorded for AMX; without AMX, where conv1 does run in bfloat16, a training
step takes 0.96 of the time that it takes with conv1 in float32.
Test: tests/models/ops/test_precision.py.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import Tensor

__all__ = ["conv1_autocast", "conv_dtype"]

HAS_AMX = torch.cpu._is_amx_tile_supported()


def conv_dtype(x: Tensor) -> torch.dtype:
    """The dtype of a convolution of `x`: autocast's where it is enabled, else that of `x`."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


def conv1_autocast() -> AbstractContextManager[object]:
    """Autocast as it is on the CPU, but disabled where the CPU has AMX."""
    return torch.autocast("cpu", enabled=torch.is_autocast_enabled("cpu") and not HAS_AMX)

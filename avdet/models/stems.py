"""conv1 of the pathways, with the visual pathways' pool1 (paper, table 1)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.ops.channels_last import channels_last, channels_last_weight
from avdet.models.ops.small_channel_bn import BatchNorm
from avdet.models.ops.stem_conv import conv_bn_relu_pool

__all__ = ["AudioStem", "VisualStem"]


class VisualStem(nn.Module):
    """conv1 (k x 7 x 7, stride 1 x 2 x 2), batch norm, ReLU and pool1 (max 1 x 3 x 3, stride 1 x 2 x 2)."""

    def __init__(self, dim_out: int, temporal_kernel: int) -> None:
        super().__init__()
        kernel, padding = (temporal_kernel, 7, 7), (temporal_kernel // 2, 3, 3)
        self.conv = channels_last_weight(nn.Conv3d(3, dim_out, kernel, (1, 2, 2), padding, bias=False))
        self.norm: nn.Module = BatchNorm(dim_out)

    def forward(self, clips: Tensor) -> Tensor:
        """(B, 3, T, H, W) -> (B, C, T, H/4, W/4)"""
        return conv_bn_relu_pool(clips, self.conv, self.norm)


class AudioStem(nn.Module):
    """conv1 of Audio: 9 x 1 (time) and 1 x 9 (frequency) in parallel, summed; batch norm, ReLU; no pooling."""

    def __init__(self, dim_out: int) -> None:
        super().__init__()
        self.time = nn.Conv2d(1, dim_out, (9, 1), padding=(4, 0), bias=False)
        self.frequency = nn.Conv2d(1, dim_out, (1, 9), padding=(0, 4), bias=False)
        self.norm = BatchNorm(dim_out)

    def forward(self, audio: Tensor) -> Tensor:
        """(K, 1, T, F) -> (K, C, T, F)"""
        x = channels_last(self.time(audio) + self.frequency(audio))
        return F.relu_(self.norm(x))

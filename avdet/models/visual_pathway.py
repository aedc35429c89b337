"""Slow and Fast: conv1 to res5 of a visual pathway (paper, 3.1 and table 1; SlowFast, arXiv 1812.03982).

Axes: clips (B, C, T, H, W).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from avdet.models.blocks import VisualStage
from avdet.models.nonlocal_block import NonLocal
from avdet.models.ops.channels_last import channels_last_weight
from avdet.models.ops.small_channel_bn import BatchNorm
from avdet.models.ops.stem_conv import conv_bn_relu_pool

__all__ = ["VisualPathway", "VisualStem"]


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


class VisualPathway(nn.Module):
    """Slow or Fast, from conv1 to res5.

    width: channels after conv1; res2 .. res5 return 4, 8, 16, 32 times as many.
    blocks: residual blocks of res2 .. res5.
    lateral_dims: channels that lateral connections concatenate to the input of res2 .. res5.
    temporal_kernels: of conv1 and res2 .. res5.
    res4_temporal_blocks: how many of res4's first blocks have its temporal kernel (SlowFast's R101: 6 of 23).
    res5_dilation: of res5, whose stride is then 1, for detection; None: stride 2.
    nonlocal_blocks: the blocks of res4 that a non-local block follows.
    """

    def __init__(
        self,
        *,
        width: int,
        blocks: Sequence[int],
        lateral_dims: Sequence[int],
        temporal_kernels: Sequence[int],
        res4_temporal_blocks: int | None = None,
        res5_dilation: int | None = None,
        nonlocal_blocks: Iterable[int] = (),
        nonlocal_softmax: bool = False,
        nonlocal_pool: tuple[int, int, int] = (1, 2, 2),
    ) -> None:
        super().__init__()
        dims_in = [dim * width + lateral for dim, lateral in zip((1, 4, 8, 16), lateral_dims, strict=True)]
        stem, kernel2, kernel3, kernel4, kernel5 = temporal_kernels
        dim4 = 16 * width
        attention = {
            i: NonLocal(dim4, dim4 // 2, softmax=nonlocal_softmax, pool=nonlocal_pool) for i in nonlocal_blocks
        }
        self.conv1 = VisualStem(width, stem)
        self.res2 = VisualStage(blocks[0], dims_in[0], width, temporal_kernel=kernel2)
        self.res3 = VisualStage(blocks[1], dims_in[1], 2 * width, temporal_kernel=kernel3, stride=2)
        self.res4 = VisualStage(
            blocks[2],
            dims_in[2],
            4 * width,
            temporal_kernel=kernel4,
            temporal_blocks=res4_temporal_blocks,
            stride=2,
            nonlocal_after=attention,
        )
        stride, dilation = (2, 1) if res5_dilation is None else (1, res5_dilation)
        self.res5 = VisualStage(
            blocks[3], dims_in[3], 8 * width, temporal_kernel=kernel5, stride=stride, dilation=dilation
        )

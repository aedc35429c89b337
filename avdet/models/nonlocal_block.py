"""Non-local blocks (Wang et al., arXiv 1711.07971). Axes: (B, C, T, H, W)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.ops.channels_last import as_clips, as_frames
from avdet.models.ops.small_channel_bn import BatchNorm

__all__ = ["CrossAttention", "NonLocal"]


class CrossAttention(nn.Module):
    """Attention of each position of x (B, C, T, H, W) to all positions of `source` (B, D, T', H', W').

    Returns (B, C, T, H, W), after a linear layer and a batch norm.
    softmax: affinities are scaled by the inner width and pass a softmax; else they are divided by their number.
    """

    def __init__(self, dim: int, dim_source: int, dim_inner: int, *, softmax: bool) -> None:
        super().__init__()
        self.query = nn.Linear(dim, dim_inner)
        self.key = nn.Linear(dim_source, dim_inner)
        self.value = nn.Linear(dim_source, dim_inner)
        self.out = nn.Linear(dim_inner, dim)
        self.norm = BatchNorm(dim)
        self.softmax = softmax

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        queries, keys = x.flatten(2).transpose(1, 2), source.flatten(2).transpose(1, 2)  # (B, positions, channels)
        attended = self._attend(self.query(queries), self.key(keys), self.value(keys))
        y = self.norm(self.out(attended).transpose(1, 2).unsqueeze(3))  # (B, C, positions, 1)
        return y.reshape(x.shape)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        if self.softmax:
            return F.scaled_dot_product_attention(query, key, value)
        # Without a softmax, key^T value comes first, and no (positions x positions) matrix is needed.
        return query @ (key.transpose(1, 2) @ value) / key.shape[1]


class NonLocal(nn.Module):
    """x + attention(x, max-pooled x). pool: in time, height and width."""

    def __init__(
        self, dim: int, dim_inner: int, *, softmax: bool = False, pool: tuple[int, int, int] = (1, 2, 2)
    ) -> None:
        super().__init__()
        self.pool = pool
        self.attention = CrossAttention(dim, dim, dim_inner, softmax=softmax)

    def forward(self, frames: Tensor, steps: int) -> Tensor:
        """(B*T, C, H, W), with T = `steps`"""
        clips, pooled = as_clips(frames, steps), as_clips(F.max_pool2d(frames, self.pool[1:]), steps)
        if self.pool[0] > 1:
            pooled = F.max_pool3d(pooled, (self.pool[0], 1, 1))
        return frames + as_frames(self.attention(clips, pooled))

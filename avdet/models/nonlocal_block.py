"""Non-local blocks (Wang et al., arXiv 1711.07971). Axes: (B, C, T, H, W)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.blocks import Norm, as_clips, as_frames


class CrossAttention(nn.Module):
    """What each position of (B, C, T, H, W) gathers from all positions of (B, D, T', H', W'), as (B, C, T, H, W).

    softmax: affinities pass a softmax, scaled by the inner width; else they are divided by the number of positions.
    """

    def __init__(self, dim: int, dim_source: int, dim_inner: int, *, softmax: bool) -> None:
        super().__init__()
        self.query = nn.Linear(dim, dim_inner)
        self.key = nn.Linear(dim_source, dim_inner)
        self.value = nn.Linear(dim_source, dim_inner)
        self.out = nn.Linear(dim_inner, dim)
        self.norm = Norm(dim)
        self.softmax = softmax

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        here, there = x.flatten(2).transpose(1, 2), source.flatten(2).transpose(1, 2)  # (B, positions, channels)
        gathered = self._attend(self.query(here), self.key(there), self.value(there))
        y = self.norm(self.out(gathered).transpose(1, 2).unsqueeze(3))  # (B, C, positions, 1)
        return y.reshape(x.shape)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        if self.softmax:
            return F.scaled_dot_product_attention(query, key, value)
        # Without a softmax the product may be taken from the right, and the affinities are never laid out.
        return query @ (key.transpose(1, 2) @ value) / key.shape[1]


class NonLocal(nn.Module):
    """x + what every position gathers from all others, which are max-pooled 1 x 2 x 2 first."""

    def __init__(self, dim: int, dim_inner: int, *, softmax: bool = False) -> None:
        super().__init__()
        self.gather = CrossAttention(dim, dim, dim_inner, softmax=softmax)

    def forward(self, frames: Tensor, steps: int) -> Tensor:
        """(B*T, C, H, W), T being `steps`."""
        clips, pooled = as_clips(frames, steps), as_clips(F.max_pool2d(frames, 2), steps)
        return frames + as_frames(self.gather(clips, pooled))

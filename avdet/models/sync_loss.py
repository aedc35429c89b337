"""Audiovisual synchronisation: do pictures and sound belong to the same moment? (paper, 3.3)"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.drop_pathway import SyncPair
from avdet.models.ops.sync_batch_norm import mean_count

MARGIN = 0.99
MIN_VARIANCE = 0.01
MAX_COSINE = 0.99999


class SyncLoss(nn.Module):
    """The contrastive loss of one junction: pictures near to their own sound, a margin away from the misaligned one.

    Both are averaged over time and space, projected, and normalised to length 1/2, so that distances lie in [0, 1].
    """

    def __init__(self, dim: int, dim_projected: int = 64) -> None:
        super().__init__()
        self.pictures = nn.Linear(dim, dim_projected)
        self.sound = nn.Linear(dim, dim_projected)

    def forward(self, pair: SyncPair | None, valid: Tensor) -> Tensor:
        """The mean over the K pairs that are valid (K,), those of all processes; 0 with a graph where none is.

        Every process calls it, with None where it has no pair.
        """
        if pair is None:
            mean_count(0, valid.device)
            return 0 * self.sound.bias.sum()
        seen = _half_unit(self.pictures(pair.pictures.mean(dim=(2, 3, 4))))
        near = _half_unit(self.sound(pair.aligned.mean(dim=2))) - seen
        far = _half_unit(self.sound(pair.misaligned.mean(dim=2))) - seen
        pull = near.square().sum(dim=1)
        push = (MARGIN - far.norm(dim=1)).clamp(min=0).square()
        return ((pull + push) * valid).sum() / (2 * mean_count(valid.sum(), valid.device))


def _half_unit(x: Tensor) -> Tensor:
    return 0.5 * F.normalize(x, dim=1)


def valid_pairs(aligned: Tensor, misaligned: Tensor) -> Tensor:
    """Which pairs of log-mels (K, 1, T, F) carry timing, (K,) bool: neither is silent and they are not the same."""
    a, b = aligned.flatten(1).float(), misaligned.flatten(1).float()
    loud = (a.var(dim=1) > MIN_VARIANCE) & (b.var(dim=1) > MIN_VARIANCE)
    return loud & (F.cosine_similarity(a, b, dim=1) < MAX_COSINE)

"""AVS, the audiovisual synchronisation loss: are the frames and the audio of the same moment? (paper, 3.3)"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from avdet.distributed import mean_count
from avdet.models.drop_pathway import SyncPair

__all__ = ["SyncLoss", "valid_pairs"]

MARGIN = 0.99
MIN_VARIANCE = 0.01
MAX_COSINE = 0.99999


class SyncLoss(nn.Module):
    """The contrastive loss of one stage: visual features are pulled to the aligned audio, and pushed a margin away from
    the misaligned audio.

    Both are averaged over time and space, projected, and normalised to length 1/2, so that distances lie in [0, 1].
    """

    def __init__(self, dim: int, dim_projected: int = 64) -> None:
        super().__init__()
        self.visual = nn.Linear(dim, dim_projected)
        self.audio = nn.Linear(dim, dim_projected)

    def forward(self, pair: SyncPair | None, valid: Tensor) -> Tensor:
        """The mean over all processes' valid pairs; `valid` is (K,) bool. Without any: 0 with a graph.

        Every process calls it, with None where it has no pair.
        """
        if pair is None:
            mean_count(0, valid.device)
            return 0 * self.audio.bias.sum()
        reference = _half_unit(self.visual(pair.visual.mean(dim=(2, 3, 4))))
        positive = _half_unit(self.audio(pair.aligned.mean(dim=2))) - reference
        negative = _half_unit(self.audio(pair.misaligned.mean(dim=2))) - reference
        pull = positive.square().sum(dim=1)
        push = (MARGIN - negative.norm(dim=1)).clamp(min=0).square()
        return ((pull + push) * valid).sum() / (2 * mean_count(valid.sum(), valid.device))


def _half_unit(x: Tensor) -> Tensor:
    return 0.5 * F.normalize(x, dim=1)


def valid_pairs(aligned: Tensor, misaligned: Tensor) -> Tensor:
    """Which pairs of log-mels (K, 1, T, F) carry timing, (K,) bool: neither is silent, and they are not the same."""
    a, b = aligned.flatten(1).float(), misaligned.flatten(1).float()
    loud = (a.var(dim=1) > MIN_VARIANCE) & (b.var(dim=1) > MIN_VARIANCE)
    return loud & (F.cosine_similarity(a, b, dim=1) < MAX_COSINE)

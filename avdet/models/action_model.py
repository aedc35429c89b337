"""The whole model: a batch of clips in, named losses or scores out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.clip_head import ClipHead
from avdet.models.roi_head import RoIHead
from avdet.models.sound import DropPathway, Sound, silence
from avdet.models.sync_loss import SyncLoss, tellable
from avdet.structures import ClipBatch


class ActionModel(nn.Module):
    """Backbone and head. `drop_pathway`: None in a model that does not hear.

    sync: the synchronisation loss of each junction that has one, `sync_weight` the factor of all of them.
    multilabel: any number of classes at once (sigmoid, binary cross-entropy) or exactly one (softmax).
    """

    def __init__(
        self,
        backbone: nn.Module,
        head: RoIHead | ClipHead,
        drop_pathway: DropPathway | None,
        *,
        sync: Mapping[str, SyncLoss],
        sync_weight: float,
        multilabel: bool,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.drop_pathway = drop_pathway
        self.sync = nn.ModuleDict(sync)
        self.sync_weight = sync_weight
        self.multilabel = multilabel

    def forward(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Losses by name, to be summed: one a class set, "sync_<stage>" for the synchronisation loss."""
        sound = self._hear(batch)
        logits, sound = self._look(batch, sound)
        losses = {name: self._loss(scores, batch.labels[name]) for name, scores in logits.items()}
        return {**losses, **self._sync_losses(batch, sound)}

    @torch.no_grad()
    def predict(self, batch: ClipBatch) -> Tensor:
        """Scores (N, C) of the boxes or (B, C) of the clips, for a model with one class set."""
        (scores,) = self.predict_sets(batch).values()
        return scores

    @torch.no_grad()
    def predict_sets(self, batch: ClipBatch) -> dict[str, Tensor]:
        """As `predict`, by class set."""
        assert not self.training, "predict() is for a model in evaluation mode; call eval() first"
        logits, _ = self._look(batch, self._hear(replace(batch, negative_audio=None)))
        scores = {
            name: (x.float().sigmoid() if self.multilabel else x.float().softmax(-1)) for name, x in logits.items()
        }
        return {name: x.mean(dim=1) if x.ndim == 3 else x for name, x in scores.items()}

    def _hear(self, batch: ClipBatch) -> Sound:
        if self.drop_pathway is None:
            return silence(batch.frames.device)
        misaligned = batch.negative_audio if len(self.sync) else None
        return self.drop_pathway(batch.audio, batch.has_audio, misaligned)

    def _look(self, batch: ClipBatch, sound: Sound) -> tuple[dict[str, Tensor], Sound]:
        features = self.backbone(batch.frames, sound)
        if isinstance(self.head, RoIHead):
            return self.head(features, len(batch), batch.boxes_px, batch.box_clip), features.sound
        return self.head(features, len(batch)), features.sound

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean over boxes (or clips) and classes; 0 with a graph where there is no box."""
        logits = logits.float()
        if logits.ndim == 3:
            logits = logits.mean(dim=1)
        if not len(logits):
            return logits.sum()
        if self.multilabel:
            return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
        return F.cross_entropy(logits, labels)

    def _sync_losses(self, batch: ClipBatch, sound: Sound) -> dict[str, Tensor]:
        losses = {f"sync_{stage}": batch.frames.new_zeros((), dtype=torch.float32) for stage in self.sync}
        if sound.pairs:
            assert batch.audio is not None and batch.negative_audio is not None
            valid = tellable(batch.audio[sound.clips], batch.negative_audio[sound.clips])
            for pair in sound.pairs:
                losses[f"sync_{pair.stage}"] = self.sync_weight * self.sync[pair.stage](pair, valid)
        return losses

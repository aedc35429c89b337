"""The whole model: a batch of clips in, named losses or scores out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from avdet.models.class_loss import ClassLoss
from avdet.models.drop_pathway import AudioState, DropPathway, no_audio
from avdet.models.heads import ClipHead, RoIHead
from avdet.models.sync_loss import SyncLoss, valid_pairs
from avdet.structures import ClipBatch

__all__ = ["ActionModel"]


class ActionModel(nn.Module):
    """Backbone and head. drop_pathway: None in a video-only model.

    sync: the AVS loss of each stage that has one. avs_weight: the factor of all of them.
    class_losses: one per class set; each also turns its set's logits into scores.
    """

    def __init__(
        self,
        backbone: nn.Module,
        head: RoIHead | ClipHead,
        drop_pathway: DropPathway | None,
        *,
        sync: Mapping[str, SyncLoss],
        avs_weight: float,
        class_losses: Mapping[str, ClassLoss],
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.drop_pathway = drop_pathway
        self.sync = nn.ModuleDict(sync)
        self.avs_weight = avs_weight
        self.class_losses = nn.ModuleDict(class_losses)

    def forward(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Losses by name, to be summed: one per class set, and "sync_<stage>" for the AVS losses."""
        logits, audio = self._logits(batch, self.audio_state(batch))
        losses = {name: self._loss(name, x, batch.labels[name]) for name, x in logits.items()}
        return {**losses, **self._sync_losses(batch, audio)}

    @torch.no_grad()
    def predict(self, batch: ClipBatch) -> Tensor:
        """Scores (N, C) of the boxes or (B, C) of the clips, for a model with one class set."""
        (scores,) = self.predict_sets(batch).values()
        return scores

    @torch.no_grad()
    def predict_sets(self, batch: ClipBatch) -> dict[str, Tensor]:
        """As `predict`, by class set."""
        assert not self.training, "predict() is for a model in evaluation mode; call eval() first"
        logits, _ = self._logits(batch, self.audio_state(replace(batch, negative_audio=None)))
        scores = {name: self._class_loss(name).scores(x.float()) for name, x in logits.items()}
        return {name: x.mean(dim=1) if x.ndim == 3 else x for name, x in scores.items()}

    def audio_state(self, batch: ClipBatch) -> AudioState:
        """The clips' audio that enters the network (DropPathway)."""
        if self.drop_pathway is None:
            return no_audio(batch.frames.device)
        misaligned = batch.negative_audio if len(self.sync) else None
        return self.drop_pathway(batch.audio, batch.has_audio, misaligned)

    def _logits(self, batch: ClipBatch, audio: AudioState) -> tuple[dict[str, Tensor], AudioState]:
        features = self.backbone(batch.frames, audio)
        if isinstance(self.head, RoIHead):
            return self.head(features, len(batch), batch.boxes_px, batch.box_clip), features.audio
        return self.head(features, len(batch)), features.audio

    def _loss(self, name: str, logits: Tensor, labels: Tensor) -> Tensor:
        logits = logits.float()
        loss: Tensor = self._class_loss(name)(logits.mean(dim=1) if logits.ndim == 3 else logits, labels)
        return loss

    def _class_loss(self, name: str) -> ClassLoss:
        class_loss = self.class_losses[name]
        assert isinstance(class_loss, ClassLoss)
        return class_loss

    def _sync_losses(self, batch: ClipBatch, audio: AudioState) -> dict[str, Tensor]:
        pairs = {pair.stage: pair for pair in audio.pairs}
        valid = torch.zeros(0, device=batch.frames.device)
        if pairs:
            assert batch.audio is not None and batch.negative_audio is not None
            valid = valid_pairs(batch.audio[audio.clips], batch.negative_audio[audio.clips])
        return {f"sync_{stage}": self.avs_weight * loss(pairs.get(stage), valid) for stage, loss in self.sync.items()}

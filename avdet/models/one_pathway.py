"""One pathway as a network of its own: Slow (SlowFast's baseline), or Audio (the paper's comparison).

Axes: frames (B, 3, alpha*T, H, W), slow (B, C, T, H, W), audio (K, C, T, F) of the K clips with audio.
"""

from __future__ import annotations

from torch import Tensor, nn

from avdet.models.audio_pathway import AudioPathway
from avdet.models.avslowfast import Features, PackPathways
from avdet.models.drop_pathway import AudioState
from avdet.models.visual_pathway import VisualPathway

__all__ = ["AudioOnly", "SlowOnly"]


class SlowOnly(nn.Module):
    """The Slow pathway without lateral connections. pack_pathways: with alpha 1, because there is no Fast."""

    def __init__(self, pack_pathways: PackPathways, slow: VisualPathway) -> None:
        super().__init__()
        self.pack_pathways = pack_pathways
        self.slow = slow

    def forward(self, frames: Tensor, audio: AudioState) -> Features:
        slow, _ = self.pack_pathways(frames)
        for stage in (self.slow.conv1, self.slow.res2, self.slow.res3, self.slow.res4, self.slow.res5):
            slow = stage(slow)
        return Features((slow,), audio)


class AudioOnly(nn.Module):
    """The Audio pathway alone."""

    def __init__(self, audio: AudioPathway) -> None:
        super().__init__()
        self.audio = audio

    def forward(self, frames: Tensor, audio: AudioState) -> Features:
        for stage in (self.audio.conv1, self.audio.res2, self.audio.res3, self.audio.res4, self.audio.res5):
            audio = audio.through(stage)
        return Features((), audio)

"""FeatureExtractor, the Python API: a video in, one vector per window out."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from avdet.data.build import build_clip_extractor
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.collate import collate
from avdet.inference.feature_table import FeatureTable
from avdet.inference.features import pooled_vectors
from avdet.inference.keyframe_reader import AnySource
from avdet.inference.load_network import Network, load_network
from avdet.inference.windows import Windows, read_windows, sliding_windows
from avdet.models.action_model import ActionModel
from avdet.models.inference_model import Precision
from avdet.overlap import StageTimes

__all__ = ["FeatureExtractor"]


class FeatureExtractor:
    """Vectors of windows of a video, by the backbone of a detector or a classifier. Windows are whole frames.

    >>> extractor = FeatureExtractor.from_checkpoint("best.pt")
    >>> extractor("clip.mp4", every_s=1.0).vectors
    """

    def __init__(self, model: ActionModel, extractor: ClipExtractor, *, short_side: int, device: torch.device) -> None:
        self.model = model
        self.extractor = extractor
        self.short_side = short_side
        self.device = device
        model.eval()

    @classmethod
    def from_checkpoint(
        cls, path: str | Path, *, device: str | None = None, precision: Precision = "auto"
    ) -> FeatureExtractor:
        """Loads a checkpoint of train_net or a public one of another code base; see `load_network`."""
        return cls.from_network(load_network(path, device=device, precision=precision))

    @classmethod
    def from_network(cls, network: Network) -> FeatureExtractor:
        """The extractor with a network of any task."""
        short_side, extractor = network.config.data.test_short_side, build_clip_extractor(network.config)
        return cls(network.model, extractor, short_side=short_side, device=network.device)

    def __call__(self, video: AnySource, *, every_s: float | None = None, batch_size: int = 8) -> FeatureTable:
        """Vectors of windows of the clip's span, `every_s` seconds apart (None: one after the other).

        batch_size: windows at a time, which bounds the memory.
        Raises ValueError (DecodeError) for a video that cannot be read.
        """
        windows = self.windows(video, every_s=every_s, batch_size=batch_size)
        vectors = np.concatenate([chunk["vectors"] for _, chunk in self.chunks(windows)])
        return FeatureTable.of_windows(windows, vectors)

    def windows(self, video: AnySource, *, every_s: float | None = None, batch_size: int = 8) -> Windows:
        """The windows of a video."""
        span_s = self.extractor.span_s
        every_s = span_s if every_s is None else every_s
        return sliding_windows(video, span_s, every_s, batch_size, self.extractor.options)

    def chunks(
        self, windows: Windows, *, done: Container[int] = (), times: StageTimes | None = None
    ) -> Iterator[tuple[int, dict[str, NDArray[np.float32]]]]:
        """Yields (number, {"vectors": (n, D)}) of each chunk that is not `done`. A thread decodes the next meanwhile.

        times: how long the stages "decode" and "features" are busy.
        """
        times = times or StageTimes()
        read = read_windows(windows, self.extractor, short_side=self.short_side, done=done, times=times)
        with closing(read):
            for number, clips in read:
                with times("features"):
                    vectors = pooled_vectors(self.model, collate(clips).to(self.device)).cpu().numpy()
                yield number, {"vectors": vectors}

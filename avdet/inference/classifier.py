"""ActionClassifier, the Python API: a video in, the scores of its classes out."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from avdet.data.build import build_clip_extractor
from avdet.data.classification_clips import clip_crops
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.collate import collate
from avdet.data.view_aggregator import Aggregation, ViewAggregator
from avdet.datasets.class_names import ClassNames
from avdet.datasets.classification import ClassificationConfig
from avdet.inference.class_scores import ClassScores
from avdet.inference.keyframe_reader import AnySource
from avdet.inference.load_network import load_network
from avdet.inference.windows import Windows, read_windows, sliding_windows, spread_windows
from avdet.models.action_model import ActionModel
from avdet.models.inference_model import Precision
from avdet.overlap import StageTimes

__all__ = ["ActionClassifier", "TestProtocol", "ViewScores"]

ViewScores = dict[str, NDArray[np.float32]]  # (views, C) by class set; the crops of a clip are consecutive


@dataclass(frozen=True)
class TestProtocol:
    """How a video is scored: clips per video, crops per clip, and how the scores of all are combined."""

    __test__ = False  # for pytest

    num_clips: int
    num_crops: Literal[1, 3]
    aggregation: Aggregation
    short_side: int


class ActionClassifier:
    """Classifies videos, from frames and audio.

    >>> classifier = ActionClassifier.from_checkpoint("runs/folders/checkpoints/best.pt")
    >>> classifier("clip.mp4").top(5)                   # the whole video, by the benchmark's test protocol
    >>> classifier("two_hours.mp4", every_s=1.0)        # a window of the clip's span every second
    """

    def __init__(
        self,
        model: ActionModel,
        classes: Mapping[str, ClassNames],
        extractor: ClipExtractor,
        protocol: TestProtocol,
        *,
        device: torch.device,
    ) -> None:
        self.model = model
        self.classes = classes
        self.extractor = extractor
        self.protocol = protocol
        self.device = device
        model.eval()

    @classmethod
    def from_checkpoint(
        cls, path: str | Path, *, device: str | None = None, precision: Precision = "auto"
    ) -> ActionClassifier:
        """Loads a checkpoint of train_net or a public one of another code base; see `load_network`.

        Raises ValueError for a detector, and for a model that was trained without classes.
        """
        network = load_network(path, task="classification", device=device, precision=precision)
        if not network.classes:
            raise ValueError(
                f"{path} was trained with data.task=none and has no classes; fine-tune it with model.weights, or use "
                "tools/extract_features.py"
            )
        settings = network.config.data
        assert isinstance(settings, ClassificationConfig)
        protocol = TestProtocol(
            settings.test_num_clips, settings.test_num_crops, settings.test_aggregation, settings.test_short_side
        )
        extractor = build_clip_extractor(network.config)
        return cls(network.model, network.classes, extractor, protocol, device=network.device)

    def __call__(self, video: AnySource, *, every_s: float | None = None, batch_size: int = 8) -> ClassScores:
        """Scores of the whole video by the test protocol, as test_net computes them, or of windows `every_s` seconds.

        video: a file, a folder of extracted frames, an array (`ArrayVideo`) or any opened VideoSource.
        batch_size: views (crops of clips) at a time, which bounds the memory.
        Raises ValueError (DecodeError) for a video that cannot be read.
        """
        windows = self.windows(video, every_s=every_s, batch_size=batch_size)
        return self.aggregate(windows, (scores for _, scores in self.chunks(windows)), every_s=every_s)

    def windows(self, video: AnySource, *, every_s: float | None = None, batch_size: int = 8) -> Windows:
        """The clips of a video that are scored."""
        if batch_size < 1:
            raise ValueError(f"the batch size is {batch_size}; it must be 1 or more")
        span_s, clips = self.extractor.span_s, max(1, batch_size // self.protocol.num_crops)
        if every_s is None:
            return spread_windows(video, span_s, self.protocol.num_clips, clips, self.extractor.options)
        return sliding_windows(video, span_s, every_s, clips, self.extractor.options)

    @torch.inference_mode()
    def chunks(
        self, windows: Windows, *, done: Container[int] = (), times: StageTimes | None = None
    ) -> Iterator[tuple[int, ViewScores]]:
        """Yields (number, scores of the views) of each chunk that is not `done`. A thread decodes the next meanwhile.

        times: how long the stages "decode" and "actions" are busy.
        """
        times = times or StageTimes()
        read = read_windows(windows, self.extractor, short_side=self.protocol.short_side, done=done, times=times)
        with closing(read):
            for number, clips in read:
                with times("actions"):
                    views = [view for clip in clips for view in clip_crops(clip, self.protocol.num_crops)]
                    scores = self.model.predict_sets(collate(views).to(self.device))
                    arrays = {name: x.float().cpu().numpy() for name, x in scores.items()}
                yield number, arrays

    def aggregate(
        self, windows: Windows, chunks: Iterable[Mapping[str, NDArray[np.float32]]], *, every_s: float | None
    ) -> ClassScores:
        """Scores of the whole video (`every_s` None) or of each window, from those of all views in order."""
        aggregator = ViewAggregator(self.protocol.aggregation)
        view = 0
        for chunk in chunks:
            for row in range(len(next(iter(chunk.values())))):
                segment = 0 if every_s is None else view // self.protocol.num_crops
                aggregator.add(segment, {name: scores[row].astype(np.float64) for name, scores in chunk.items()})
                view += 1
        by_segment = dict(aggregator.result())
        scores = {name: np.stack([by_segment[i][name] for i in range(len(by_segment))]) for name in self.classes}
        if every_s is None:
            start_s, end_s = (np.array([limit_s]) for limit_s in windows.limits_s)
        else:
            start_s, end_s = windows.start_s, windows.end_s
        return ClassScores(windows.name, start_s, end_s, scores, self.classes)

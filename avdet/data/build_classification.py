"""From a config to the clips and loaders of classification and self-supervised training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avdet.config import Config
from avdet.data.build import (
    TrainLoader,
    build_augmentation,
    build_clip_extractor,
    build_eval_loader,
    build_misaligned_audio,
    build_train_loader,
)
from avdet.data.classification_clips import (
    ClassificationTestClips,
    ClassificationTrainClips,
    ViewBatch,
    collate_views,
)
from avdet.data.collate import collate
from avdet.data.loader import ClipLoader
from avdet.data.sampler import SampleSpec
from avdet.datasets.classification import ClassificationConfig, ClassificationDataset, SegmentSplit
from avdet.structures import ClipBatch

__all__ = [
    "build_classification_loss_loader",
    "build_classification_test_loader",
    "build_classification_train_loader",
]


def build_classification_train_loader(
    config: Config,
    dataset: ClassificationDataset[Any],
    split: SegmentSplit,
    *,
    bad_clips: Path | None = None,
    rank: int = 0,
    world_size: int = 1,
) -> TrainLoader:
    """Training batches of one process, and the sampler that sets their epoch; see `build_detection_train_loader`."""
    return build_train_loader(config, _train_clips(config, dataset, split), bad_clips, rank, world_size)


def build_classification_test_loader(
    config: Config, dataset: ClassificationDataset[Any], split: SegmentSplit, *, rank: int = 0, world_size: int = 1
) -> ClipLoader[ViewBatch]:
    """All test views of one process's segments, in the order of the segments."""
    settings: ClassificationConfig = dataset.config
    clips = ClassificationTestClips(
        split.segments,
        split.files,
        build_clip_extractor(config),
        short_side=settings.test_short_side,
        num_clips=settings.test_num_clips,
        num_crops=settings.test_num_crops,
    )
    num_clips = settings.test_num_clips
    segments = range(rank, len(split.segments), world_size)
    indices = [segment * num_clips + i for segment in segments for i in range(num_clips)]
    clips_per_batch = max(1, config.test.batch_size // settings.test_num_crops)
    return build_eval_loader(config.data, clips, indices, clips_per_batch, collate_views)


def build_classification_loss_loader(
    config: Config, dataset: ClassificationDataset[Any], split: SegmentSplit, *, rank: int = 0, world_size: int = 1
) -> ClipLoader[ClipBatch]:
    """Every segment once, augmented as in training with fixed seeds, to measure a loss on."""
    specs = [SampleSpec(i, seed=i, hard_negative=bool(i % 2)) for i in range(rank, len(split.segments), world_size)]
    clips = _train_clips(config, dataset, split)
    return build_eval_loader(config.data, clips, specs, config.test.batch_size, collate)


def _train_clips(config: Config, dataset: ClassificationDataset[Any], split: SegmentSplit) -> ClassificationTrainClips:
    extractor = build_clip_extractor(config)
    misaligned = build_misaligned_audio(config, sorted(set(split.files.values())), extractor)
    augmentation = build_augmentation(config.data)
    return ClassificationTrainClips(
        split.segments, split.files, extractor, augmentation, task=dataset.config.task, misaligned=misaligned
    )

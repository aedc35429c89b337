"""From a config to clips and loaders: the only file in data/ that knows a config."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import BatchSampler

from ava_eval.protocols import PROTOCOLS
from avdet.config import Config
from avdet.data.audio_negatives import MisalignedAudio
from avdet.data.augmentation import Augmentation
from avdet.data.classification_clips import (
    ClassificationTestClips,
    ClassificationTrainClips,
    ViewBatch,
    collate_views,
)
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.collate import collate, collate_by_size
from avdet.data.detection_clips import DetectionTestClips, DetectionTrainClips
from avdet.data.keyframes import keyframes_to_score, labelled_keyframes
from avdet.data.loader import ClipLoader
from avdet.data.repeat_factor import positive_weights, repeat_factors
from avdet.data.safe_dataset import BadClipLog, ClipSource
from avdet.data.sampler import DistributedEvalSampler, EpochSampler, HardNegativeSchedule, SampleSpec
from avdet.datasets.classification import ClassificationConfig, ClassificationDataset, SegmentSplit
from avdet.datasets.dataset import DataConfig
from avdet.datasets.detection import DetectionDataset
from avdet.datasets.keyframe_split import KeyframeSplit
from avdet.media.logmel import LogMel
from avdet.structures import ClipBatch

__all__ = [
    "build_classification_loss_loader", "build_classification_test_loader", "build_classification_train_loader",
    "build_clip_extractor", "build_detection_test_loader", "build_detection_train_loader", "build_positive_weights",
]  # fmt: skip

B = TypeVar("B")
TrainLoader = tuple[ClipLoader[ClipBatch], EpochSampler]


def build_clip_extractor(config: Config) -> ClipExtractor:
    """How clips are cut for the config's model."""
    model, data = config.model, config.data
    logmel = LogMel(num_frames=model.audio_frames, num_mels=model.mel_bins) if model.uses_audio else None
    stride = model.span_frames // model.clip_frames
    return ClipExtractor(model.span_frames, stride, data.nominal_fps, logmel, data.open_options)


def build_detection_train_loader(
    config: Config,
    dataset: DetectionDataset[Any],
    *,
    bad_clips: Path | None = None,
    rank: int = 0,
    world_size: int = 1,
) -> TrainLoader:
    """Training batches of one process, and the sampler that sets their epoch.

    bad_clips: the file that lists replaced clips; None: no clip is replaced.
    """
    split = dataset.read("train")
    keyframes = labelled_keyframes(split.rows, dataset.class_names(), split.offsets)
    boxes = dataset.person_boxes("train")
    if boxes is not None:
        data = dataset.config
        keyframes = keyframes.with_detected(boxes, min_score=data.min_box_score, negatives=data.negative_boxes)
    extractor = build_clip_extractor(config)
    misaligned = _misaligned_audio(config, [split.videos[video] for video in set(keyframes.videos)], extractor)
    clips = DetectionTrainClips(keyframes, split.videos, extractor, _augmentation(config.data), misaligned)
    threshold = dataset.config.repeat_threshold
    repeats = repeat_factors(keyframes, threshold) if threshold else None
    return _train_loader(config, clips, bad_clips, rank, world_size, repeats)


def build_positive_weights(dataset: DetectionDataset[Any], loader: ClipLoader[ClipBatch]) -> Tensor | None:
    """(C,) weights of the classes' positives by the loader's keyframes; None if all classes weigh the same."""
    assert isinstance(loader.clips, DetectionTrainClips)
    return positive_weights(loader.clips.keyframes) if dataset.config.class_weights == "inverse_sqrt" else None


def build_detection_test_loader(
    config: Config, dataset: DetectionDataset[Any], split: KeyframeSplit, *, rank: int = 0, world_size: int = 1
) -> ClipLoader[list[ClipBatch]]:
    """Every keyframe of the validation split with a detected person, once over all processes."""
    truth = labelled_keyframes(split.rows, dataset.class_names(), split.offsets)
    unlabelled = PROTOCOLS[config.test.protocol].scores_detected_keyframes
    keyframes = keyframes_to_score(truth, dataset, unlabelled=unlabelled)
    extractor, short_side = build_clip_extractor(config), config.data.test_short_side
    clips = DetectionTestClips(keyframes, split.videos, extractor, short_side=short_side)
    indices = DistributedEvalSampler(len(clips), rank=rank, world_size=world_size)
    return _eval_loader(config.data, clips, indices, config.test.batch_size, collate_by_size)


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
    return _train_loader(config, _train_clips(config, dataset, split), bad_clips, rank, world_size)


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
    return _eval_loader(config.data, clips, indices, clips_per_batch, collate_views)


def build_classification_loss_loader(
    config: Config, dataset: ClassificationDataset[Any], split: SegmentSplit, *, rank: int = 0, world_size: int = 1
) -> ClipLoader[ClipBatch]:
    """Every segment once, augmented as in training with fixed seeds, to measure a loss on."""
    specs = [SampleSpec(i, seed=i, hard_negative=bool(i % 2)) for i in range(rank, len(split.segments), world_size)]
    clips = _train_clips(config, dataset, split)
    return _eval_loader(config.data, clips, specs, config.test.batch_size, collate)


def _train_clips(config: Config, dataset: ClassificationDataset[Any], split: SegmentSplit) -> ClassificationTrainClips:
    extractor = build_clip_extractor(config)
    misaligned = _misaligned_audio(config, sorted(set(split.files.values())), extractor)
    augmentation = _augmentation(config.data)
    return ClassificationTrainClips(
        split.segments, split.files, extractor, augmentation, task=dataset.config.task, misaligned=misaligned
    )


def _train_loader(
    config: Config,
    clips: ClipSource[Any],
    bad_clips: Path | None,
    rank: int,
    world_size: int,
    repeats: NDArray[np.float64] | None = None,
) -> TrainLoader:
    data, train = config.data, config.train
    hard = HardNegativeSchedule(data.hard_negative_fraction, train.epochs) if config.model.avs_stages else None
    sampler = EpochSampler(
        len(clips), train.batch_size, seed=config.seed, rank=rank, world_size=world_size, repeats=repeats,
        hard_negatives=hard,
    )  # fmt: skip
    log = None if bad_clips is None else BadClipLog(bad_clips, max_bad_clips=data.max_bad_clips)
    limit_s = data.clip_timeout_s
    loader = ClipLoader(clips, sampler, collate, workers=data.workers, limit_s=limit_s, persistent=True, bad_clips=log)
    return loader, sampler


def _eval_loader(
    data: DataConfig,
    clips: ClipSource[Any],
    indices: Iterable[Any],
    batch_size: int,
    collate_fn: Callable[[list[Any]], B],
) -> ClipLoader[B]:
    batches = BatchSampler(indices, batch_size, drop_last=False)
    return ClipLoader(clips, batches, collate_fn, workers=data.workers, limit_s=data.clip_timeout_s)


def _augmentation(data: DataConfig) -> Augmentation:
    return Augmentation(
        data.train_short_side, data.train_scale, data.train_crop, data.flip, data.colour_jitter, data.pca_lighting
    )


def _misaligned_audio(config: Config, videos: list[Path], extractor: ClipExtractor) -> MisalignedAudio | None:
    return MisalignedAudio(videos, extractor) if config.model.avs_stages else None

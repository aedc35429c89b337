"""From a config to the clips and loaders of detection; only the build files in data/ know a config."""

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
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.collate import collate, collate_by_size
from avdet.data.detection_clips import DetectionTrainClips
from avdet.data.detection_test_clips import DetectionTestClips, keyframe_views
from avdet.data.keyframes import keyframes_to_score, labelled_keyframes
from avdet.data.loader import ClipLoader
from avdet.data.repeat_factor import positive_weights, repeat_factors
from avdet.data.safe_dataset import BadClipLog, ClipSource
from avdet.data.sampler import EpochSampler, HardNegativeSchedule
from avdet.datasets.dataset import DataConfig
from avdet.datasets.detection import DetectionDataset
from avdet.datasets.keyframe_split import KeyframeSplit
from avdet.media.logmel import LogMel
from avdet.structures import ClipBatch

__all__ = [
    "TrainLoader", "build_augmentation", "build_clip_extractor", "build_detection_test_loader",
    "build_detection_train_loader", "build_eval_loader", "build_misaligned_audio", "build_positive_weights",
    "build_train_loader",
]  # fmt: skip

OVERFIT_REPEATS = 20.0  # of each clip per epoch: an epoch of a few clips would be a checkpoint per step

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
    boxes = None if dataset.config.overfit_clips else dataset.person_boxes("train")
    if boxes is not None:
        data = dataset.config
        keyframes = keyframes.with_detected(boxes, min_score=data.min_box_score, negatives=data.negative_boxes)
    extractor = build_clip_extractor(config)
    misaligned = build_misaligned_audio(config, [split.videos[video] for video in set(keyframes.videos)], extractor)
    clips = DetectionTrainClips(keyframes, split.videos, extractor, build_augmentation(config.data), misaligned)
    threshold = dataset.config.repeat_threshold
    repeats = repeat_factors(keyframes, threshold) if threshold else None
    return build_train_loader(config, clips, bad_clips, rank, world_size, repeats)


def build_positive_weights(dataset: DetectionDataset[Any], loader: ClipLoader[ClipBatch]) -> Tensor | None:
    """(C,) weights of the classes' positives by the loader's keyframes; None if all classes weigh the same."""
    assert isinstance(loader.clips, DetectionTrainClips)
    return positive_weights(loader.clips.keyframes) if dataset.config.class_weights == "inverse_sqrt" else None


def build_detection_test_loader(
    config: Config, dataset: DetectionDataset[Any], split: KeyframeSplit, *, rank: int = 0, world_size: int = 1
) -> ClipLoader[list[ClipBatch]]:
    """All views of every keyframe of the validation split with a detected person, once over all processes."""
    truth = labelled_keyframes(split.rows, dataset.class_names(), split.offsets)
    unlabelled = PROTOCOLS[config.test.protocol].scores_detected_keyframes
    keyframes = keyframes_to_score(truth, dataset, unlabelled=unlabelled)
    extractor, data = build_clip_extractor(config), dataset.config
    short_sides = data.test_short_sides or (data.test_short_side,)
    views = keyframe_views(short_sides, flip=data.test_flip, num_clips=data.test_num_clips, span_s=extractor.span_s)
    clips = DetectionTestClips(keyframes, split.videos, extractor, views=views)
    of_rank = range(rank, len(keyframes), world_size)
    indices = [keyframe * len(views) + i for keyframe in of_rank for i in range(len(views))]
    return build_eval_loader(config.data, clips, indices, config.test.batch_size, collate_by_size)


def build_train_loader(
    config: Config,
    clips: ClipSource[Any],
    bad_clips: Path | None,
    rank: int,
    world_size: int,
    repeats: NDArray[np.float64] | None = None,
) -> TrainLoader:
    data, train = config.data, config.train
    repeats = np.full(len(clips), OVERFIT_REPEATS) if data.overfit_clips else repeats
    hard = HardNegativeSchedule(data.hard_negative_fraction, train.epochs) if config.model.avs_stages else None
    sampler = EpochSampler(
        len(clips), train.batch_size, seed=config.seed, rank=rank, world_size=world_size, repeats=repeats,
        hard_negatives=hard,
    )  # fmt: skip
    log = None if bad_clips is None else BadClipLog(bad_clips, max_bad_clips=data.max_bad_clips)
    limit_s = data.clip_timeout_s
    loader = ClipLoader(clips, sampler, collate, workers=data.workers, limit_s=limit_s, persistent=True, bad_clips=log)
    return loader, sampler


def build_eval_loader(
    data: DataConfig,
    clips: ClipSource[Any],
    indices: Iterable[Any],
    batch_size: int,
    collate_fn: Callable[[list[Any]], B],
) -> ClipLoader[B]:
    batches = BatchSampler(indices, batch_size, drop_last=False)
    return ClipLoader(clips, batches, collate_fn, workers=data.workers, limit_s=data.clip_timeout_s)


def build_augmentation(data: DataConfig) -> Augmentation:
    return Augmentation(
        data.train_short_side, data.train_scale, data.train_crop, data.flip, data.colour_jitter, data.pca_lighting
    )


def build_misaligned_audio(config: Config, videos: list[Path], extractor: ClipExtractor) -> MisalignedAudio | None:
    return MisalignedAudio(videos, extractor) if config.model.avs_stages else None

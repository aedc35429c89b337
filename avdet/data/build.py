"""From settings to loaders: the only place in data/ that knows a config."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor
from torch.utils.data import BatchSampler

from ava_eval import read_excluded, read_ground_truth, read_label_map
from avdet.data.audio_negatives import HardNegativeSchedule, MisalignedAudio
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.collate import collate, collate_by_size
from avdet.data.detection_clips import Augmentation, AvaTest, AvaTrain
from avdet.data.loader import ClipLoader
from avdet.data.repeat_factor import positive_weights, repeat_factors
from avdet.data.safe_dataset import BadClipLog, Clips
from avdet.data.sampler import DistributedEvalSampler, EpochSampler
from avdet.datasets.data_settings import AvaData, MediaData
from avdet.datasets.keyframes import (
    ClassNames,
    KeyframeTable,
    detected_keyframes,
    labelled_keyframes,
    refuse_unknown_actions,
    without_excluded,
)
from avdet.datasets.locate import annotation_files
from avdet.datasets.proposals import read_proposals
from avdet.datasets.timestamp_offset import with_timestamp_offset
from avdet.datasets.videos import find_videos_by_name, with_video_file
from avdet.media.logmel import LogMel
from avdet.settings import Config
from avdet.structures import ClipBatch

__all__ = [
    "TestData",
    "build_augmentation",
    "build_classes",
    "build_clip_extractor",
    "build_exclusive",
    "build_positive_weights",
    "build_test_data",
    "build_train_loader",
    "build_training_loader",
    "read_truth",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TestData:
    """A loader of clips with people to judge, and the truth to score the judgement by."""

    loader: ClipLoader[list[ClipBatch]]
    ground_truth: pd.DataFrame
    excluded: pd.DataFrame | None


def build_classes(data: AvaData) -> ClassNames:
    """Those of the label map that are learned and scored."""
    classes = ClassNames.from_label_map(read_label_map(data.annotations / data.label_map))
    return classes.select(data.classes, "data.classes") if data.classes else classes


def build_exclusive(data: AvaData, classes: ClassNames) -> list[list[int]]:
    """The sets of classes of which a person does exactly one, as places in the model's output."""
    return [classes.indices(names, "data.exclusive_groups") for names in data.exclusive_groups]


def build_positive_weights(data: AvaData, loader: ClipLoader[ClipBatch]) -> Tensor | None:
    """(C,) by the rows that the loader's keyframes have of each class; None where all classes weigh the same."""
    assert isinstance(loader.clips, AvaTrain)
    return positive_weights(loader.clips.keyframes) if data.class_weights == "inverse_sqrt" else None


def build_clip_extractor(config: Config) -> ClipExtractor:
    model = config.model
    logmel = LogMel(num_frames=model.audio_frames, num_mels=model.mel_bins) if model.uses_audio else None
    return ClipExtractor(model.span_frames, model.slow_stride // model.alpha, config.data.nominal_fps, logmel)


def build_train_loader(
    config: Config, classes: ClassNames, *, bad_clips: Path | None = None, rank: int = 0, world: int = 1
) -> tuple[ClipLoader[ClipBatch], EpochSampler]:
    """Batches of a process's share, and the sampler that says which epoch they are of.

    bad_clips: the file that lists the clips that had to be replaced; None replaces none.
    """
    data = config.ava
    keyframes, _, _ = read_truth(data, "train", classes)
    if data.train_boxes is not None:
        keyframes = keyframes.with_detected(read_proposals(data.annotations / data.train_boxes))
    movies, extractor = find_videos_by_name(data.videos), build_clip_extractor(config)
    misaligned = hard = None
    if config.model.avs_stages:
        misaligned = MisalignedAudio([movies[video] for video in set(keyframes.videos)], extractor)
        hard = HardNegativeSchedule(data.hard_negative_fraction, config.train.epochs)
    dataset = AvaTrain(keyframes, movies, extractor, build_augmentation(data), misaligned)
    repeats = repeat_factors(keyframes, data.repeat_threshold) if data.repeat_threshold else None
    sampler = EpochSampler(
        len(dataset), config.train.batch_size, seed=config.seed, rank=rank, world=world, repeats=repeats, hard=hard
    )
    return build_training_loader(dataset, sampler, data, bad_clips), sampler


def build_augmentation(data: MediaData) -> Augmentation:
    return Augmentation(
        data.train_short_side, data.train_scale, data.train_crop, data.flip, data.colour_jitter, data.pca_lighting
    )


def build_training_loader(
    clips: Clips[Any], sampler: EpochSampler, data: MediaData, bad_clips: Path | None
) -> ClipLoader[ClipBatch]:
    """bad_clips: the file that lists the clips that had to be replaced; None replaces none."""
    return ClipLoader(
        clips,
        sampler,
        collate,
        workers=data.workers,
        limit_s=data.clip_timeout_s,
        persistent=True,
        bad_clips=None if bad_clips is None else BadClipLog(bad_clips, max_bad_clips=data.max_bad_clips),
    )


def build_test_data(config: Config, classes: ClassNames, *, rank: int = 0, world: int = 1) -> TestData:
    """Every keyframe of the val split that has somebody to judge, each once over all processes."""
    data = config.ava
    truth, ground_truth, excluded = read_truth(data, "val", classes)
    boxes = read_proposals(data.annotations / data.val_boxes)
    keyframes = detected_keyframes(truth, boxes, min_score=data.min_box_score)
    counts = keyframes.first[1:] - keyframes.first[:-1]
    logger.info(
        "val: %d people with score >= %g in %d of %d keyframes",
        counts.sum(), data.min_box_score, (counts > 0).sum(), len(counts),
    )  # fmt: skip
    known = boxes["video"].isin(set(truth.videos)) & (boxes["score"] >= data.min_box_score)
    if elsewhere := int(known.sum() - counts.sum()):
        logger.info("val: %d more stand at times of these movies that are no keyframe and are not judged", elsewhere)
    if not counts.any():
        best = f"the highest score is {boxes['score'].max():.2f}" if len(boxes) else "the file is empty"
        raise ValueError(
            f"{data.annotations / data.val_boxes} has no box with score >= {data.min_box_score:g} on a keyframe of "
            f"{data.val_csv} ({best}); lower data.min_box_score or check the boxes' videos and timestamps"
        )
    dataset = AvaTest(
        keyframes.select(counts > 0),
        find_videos_by_name(data.videos),
        build_clip_extractor(config),
        short_side=data.test_short_side,
    )
    mine = DistributedEvalSampler(len(dataset), rank=rank, world=world)
    loader = ClipLoader(
        dataset,
        BatchSampler(mine, config.test.batch_size, drop_last=False),
        collate_by_size,
        workers=data.workers,
        limit_s=data.clip_timeout_s,
    )
    return TestData(loader, ground_truth, excluded)


def read_truth(
    data: AvaData, split: str, classes: ClassNames
) -> tuple[KeyframeTable, pd.DataFrame, pd.DataFrame | None]:
    """The keyframes whose movie is there, the labels as they stand in the file, the excluded seconds."""
    files = annotation_files(data, split)
    ground_truth = read_ground_truth(files[f"data.{split}_csv"])
    refuse_unknown_actions(ground_truth, read_label_map(files["data.label_map"]), files[f"data.{split}_csv"])
    excluded_file = files.get(f"data.{split}_excluded")
    excluded = read_excluded(excluded_file) if excluded_file else None
    table = labelled_keyframes(without_excluded(ground_truth, excluded), classes)
    movies = find_videos_by_name(data.videos)
    keyframes, coverage = with_video_file(table, movies)
    logger.info("%s: %s; %s keyframes, %s people", split, coverage, f"{len(keyframes):,}", f"{len(keyframes.people):,}")
    if not len(keyframes) or (data.require_all_videos and coverage.missing):
        examples = ", ".join(coverage.missing[:3]) + ", ..." * (len(coverage.missing) > 3)
        way_out = ", or set data.require_all_videos=false" if len(keyframes) else ""
        raise ValueError(f"{split}: {coverage}; {examples} not in {data.videos.absolute()}: add them{way_out}")
    keyframes = with_timestamp_offset(keyframes, movies, data.timestamp_offset, files[f"data.{split}_csv"])
    if keyframes.origin_s:
        logger.info("%s: the movies begin at the tables' second %g", split, keyframes.origin_s)
    return keyframes, ground_truth, excluded

"""From settings to the clips of a classification benchmark and their loaders."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from torch.utils.data import BatchSampler

from avdet.data.audio_negatives import HardNegativeSchedule, MisalignedAudio
from avdet.data.build import build_augmentation, build_clip_extractor, build_training_loader
from avdet.data.classification_clips import ClipTest, ClipTrain, ViewBatch, collate_views
from avdet.data.collate import collate
from avdet.data.detection_clips import Draw
from avdet.data.loader import ClipLoader
from avdet.data.sampler import EpochSampler
from avdet.datasets.charades import charades_classes, read_charades
from avdet.datasets.class_folders import (
    folder_classes,
    hmdb51_classes,
    read_folders,
    read_hmdb51,
    read_ucf101,
    ucf101_classes,
)
from avdet.datasets.data_settings import (
    CharadesData,
    ClipData,
    EpicData,
    FoldersData,
    Hmdb51Data,
    KineticsData,
    Ucf101Data,
)
from avdet.datasets.epic import epic_classes, participants, read_epic
from avdet.datasets.keyframes import ClassNames
from avdet.datasets.kinetics import only_classes, read_kinetics, subset_classes
from avdet.datasets.segments import Segments, class_list, in_both, keep_valid, once_each
from avdet.datasets.video_files import VideoFiles, find_videos, with_video
from avdet.settings import Config
from avdet.structures import ClipBatch

__all__ = [
    "ClipSplit",
    "build_class_sets",
    "build_clip_loss_loader",
    "build_clip_test_loader",
    "build_clip_train_loader",
    "read_annotations",
    "read_split",
    "refuse_shared",
]

logger = logging.getLogger(__name__)
Split = Literal["train", "val"]


@dataclass(frozen=True)
class ClipSplit:
    """The segments of a split whose videos are there, their files, and all that the annotations list."""

    segments: Segments
    files: Mapping[str, Path]
    listed: Segments

    def first(self, count: int) -> ClipSplit:
        few = self.segments.select(np.arange(len(self.segments)) < count)
        return ClipSplit(few, self.files, few)


def build_class_sets(data: ClipData) -> dict[str, ClassNames]:
    """The classes of each set that a model of this benchmark predicts: "action", or EPIC's "verb" and "noun"."""
    if data.task == "rotation":
        return {"rotation": ClassNames((0, 1, 2, 3), ("upright", "left", "upside down", "right"))}
    return {} if data.task == "none" else _benchmark_classes(data)


def _benchmark_classes(data: ClipData) -> dict[str, ClassNames]:
    if isinstance(data, EpicData):
        files = {"verb": data.verb_classes, "noun": data.noun_classes}
        return {name: epic_classes(data.annotations / files[name]) for name in data.predict}
    if isinstance(data, KineticsData):
        classes = class_list(data.annotations / data.label_map)
        return {"action": classes if data.classes is None else subset_classes(data.annotations / data.classes, classes)}
    if isinstance(data, CharadesData):
        return {"action": charades_classes(data.annotations / data.label_map)}
    if isinstance(data, Ucf101Data):
        return {"action": ucf101_classes(data.annotations)}
    if isinstance(data, Hmdb51Data):
        return {"action": hmdb51_classes(data.annotations, data.split)}
    assert isinstance(data, FoldersData)
    return {"action": folder_classes(data.videos / data.train_folder)}


def read_split(data: ClipData, split: Split) -> ClipSplit:
    """What the benchmark's own files say, less what is not there; what is left out is counted and said.

    Raises ValueError where nothing is left, or anything is left out under data.require_all_videos.
    """
    videos = find_videos(data.videos)
    segments, faults = read_faults(data, split, videos)
    listed = segments
    segments, files, missing = with_video(listed, videos)
    faults += missing
    logger.info("%s: %s clips of %s videos", split, f"{len(segments):,}", f"{len(files):,}")
    for fault in faults:
        logger.warning("%s: %s", split, fault)
    if not len(segments) or (data.require_all_videos and faults):
        way_out = ", or set data.require_all_videos=false" if len(segments) else ""
        what = "; ".join(faults) or "the annotations list no clip"
        raise ValueError(f"{split}: {what}; look in {data.videos.absolute()} and mend the data{way_out}")
    return ClipSplit(segments, files, listed)


def refuse_shared(train: ClipSplit, val: ClipSplit) -> None:
    """Raises ValueError for a clip that is learned from and tested."""
    for fault in in_both(train.segments, val.segments, {**train.files, **val.files}):
        raise ValueError(fault)


def _read(
    data: ClipData, split: Split, classes: dict[str, ClassNames], videos: VideoFiles
) -> tuple[Segments, list[str]]:
    if isinstance(data, KineticsData):
        csv = data.annotations / (data.train_csv if split == "train" else data.val_csv)
        everything = class_list(data.annotations / data.label_map)
        segments, faults = read_kinetics(csv, everything, videos)
        return (segments if data.classes is None else only_classes(segments, everything, classes["action"])), faults
    if isinstance(data, CharadesData):
        csv = data.annotations / (data.train_csv if split == "train" else data.val_csv)
        return read_charades(csv, classes["action"])
    if isinstance(data, EpicData):
        return _read_epic(data, split, classes)
    if isinstance(data, Ucf101Data):
        return read_ucf101(data.annotations, data.split, split, classes["action"]), []
    if isinstance(data, Hmdb51Data):
        return read_hmdb51(data.annotations, data.split, split, classes["action"]), []
    assert isinstance(data, FoldersData)
    folder = data.train_folder if split == "train" else data.val_folder
    return read_folders(data.videos, folder, classes["action"])


def _read_epic(data: EpicData, split: Split, classes: dict[str, ClassNames]) -> tuple[Segments, list[str]]:
    held_out = data.val_participants
    csv = data.train_csv if split == "train" or held_out else data.val_csv
    segments, faults = read_epic(data.annotations / csv, classes)
    if held_out:
        theirs = np.isin(participants(segments).astype(str), held_out)
        segments = segments.select(theirs if split == "val" else ~theirs)
    if split == "train":
        named = np.all([segments.labels[name] >= 0 for name in data.predict], axis=0)
        segments, nameless = keep_valid(segments, named, "have no class")
        faults = faults + nameless
    return segments, faults


def build_clip_train_loader(
    config: Config, split: ClipSplit, *, bad_clips: Path | None = None, rank: int = 0, world: int = 1
) -> tuple[ClipLoader[ClipBatch], EpochSampler]:
    """Batches of a process's share, and the sampler that says which epoch they are of.

    bad_clips: the file that lists the clips that had to be replaced; None replaces none.
    """
    data = config.clips
    hard = HardNegativeSchedule(data.hard_negative_fraction, config.train.epochs) if config.model.avs_stages else None
    dataset = clip_train(config, split)
    sampler = EpochSampler(len(dataset), config.train.batch_size, seed=config.seed, rank=rank, world=world, hard=hard)
    return build_training_loader(dataset, sampler, data, bad_clips), sampler


def clip_train(config: Config, split: ClipSplit) -> ClipTrain:
    data, extractor = config.clips, build_clip_extractor(config)
    misaligned = MisalignedAudio(sorted(set(split.files.values())), extractor) if config.model.avs_stages else None
    augmentation = build_augmentation(data)
    return ClipTrain(split.segments, split.files, extractor, augmentation, task=data.task, misaligned=misaligned)


def clip_test(config: Config, split: ClipSplit) -> ClipTest:
    data = config.clips
    return ClipTest(
        split.segments,
        split.files,
        build_clip_extractor(config),
        short_side=data.test_short_side,
        num_clips=data.test_num_clips,
        num_crops=data.test_num_crops,
    )


def build_clip_test_loader(config: Config, clips: ClipTest, *, rank: int = 0, world: int = 1) -> ClipLoader[ViewBatch]:
    """All views of a process's share of the segments, a segment's one after another."""
    count = clips.num_clips
    items = [segment * count + i for segment in range(rank, len(clips.segments), world) for i in range(count)]
    size = max(1, config.test.batch_size // clips.num_crops)
    return ClipLoader(
        clips,
        BatchSampler(items, size, drop_last=False),
        collate_views,
        workers=config.data.workers,
        limit_s=config.data.clip_timeout_s,
    )


def build_clip_loss_loader(config: Config, split: ClipSplit, *, rank: int = 0, world: int = 1) -> ClipLoader[ClipBatch]:
    """Every segment once, cut as in training by a draw that never changes: what a loss is measured on."""
    draws = [Draw(i, seed=i, hard=bool(i % 2)) for i in range(rank, len(split.segments), world)]
    return ClipLoader(
        clip_train(config, split),
        BatchSampler(draws, config.test.batch_size, drop_last=False),  # type: ignore[arg-type]  # any iterable will do
        collate,
        workers=config.data.workers,
        limit_s=config.data.clip_timeout_s,
    )


def read_annotations(data: ClipData, split: Split, videos: VideoFiles) -> Segments:
    """What the benchmark's files list, whether the videos are there or not; `videos` tells trimmed from whole ones."""
    return read_faults(data, split, videos)[0]


def read_faults(data: ClipData, split: Split, videos: VideoFiles) -> tuple[Segments, list[str]]:
    """As `read_annotations`, with a sentence for each kind of row that is left out."""
    segments, faults = _read(data, split, _benchmark_classes(data), videos)
    segments, nameless = keep_valid(segments, segments.videos != "", "name no video")
    segments, again = once_each(segments)
    return segments, faults + nameless + again

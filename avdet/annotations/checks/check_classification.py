"""Checks a classification data set: its files, classes, clips and videos."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avdet.annotations.checks import Finding, counted
from avdet.datasets.class_names import ClassNames
from avdet.datasets.classification import ClassificationDataset
from avdet.datasets.dataset import SPLITS, Split, require_data
from avdet.datasets.segments import Intervals, Segments, find_overlap, unlabelled_segments
from avdet.datasets.video_files import index_videos, match_videos
from avdet.media.video_reader import DecodeError
from avdet.media.video_source import OpenOptions, early_end_s, open_video

__all__ = ["check_classification"]

FEW_CLIPS = 20  # a class with fewer training clips is hardly learned
END_TOLERANCE_S = 0.5  # a clip may end this long after its video


def check_classification(dataset: ClassificationDataset[Any]) -> Iterator[Finding]:
    """Yields all findings. A file that cannot be read ends the check with an error."""
    try:
        require_data(dataset)
        classes = dataset.class_sets()
        videos = index_videos(dataset.config.videos)
        annotated = {split: dataset.annotated(split, videos) for split in SPLITS}
        dataset.load_metric_lists()
    except ValueError as error:
        yield Finding("error", "files", str(error))
        return
    with_file: dict[Split, Segments] = {}
    paths: dict[str, Path] = {}
    for split, (segments, faults) in annotated.items():
        with_file[split], split_paths, missing = match_videos(segments, videos)
        paths |= split_paths
        yield Finding("fact", split, f"{len(segments):,} clips are listed")
        yield from (Finding("warning", split, fault) for fault in faults + missing)
        if not len(segments):
            yield Finding("error", split, "the annotations list no clip")
        elif not len(with_file[split]):
            yield Finding("error", split, f"no listed clip has its video in {dataset.config.videos.absolute()}")
    yield from (Finding("warning", "val", fault) for fault in unlabelled_segments(with_file["val"]))
    for name, names in classes.items():
        yield from _check_classes(name, names, with_file["train"])
    overlap = find_overlap(with_file["train"], with_file["val"], paths)
    if overlap is not None:
        yield Finding("error", "splits", overlap)
    durations_s = yield from _check_videos(paths, dataset.config.open_options)
    for split in SPLITS:
        yield from _check_ends(split, with_file[split], durations_s)


def _check_classes(name: str, classes: ClassNames, train: Segments) -> Iterator[Finding]:
    yield Finding("fact", name, counted(len(classes), "class"))
    if len(classes) == 1:
        message = "a single class cannot be learned; check whether the class folders are one level deeper"
        yield Finding("warning", name, message)
    if name not in train.labels:
        return
    labels = train.labels[name]
    counts = labels.sum(axis=0) if labels.ndim > 1 else np.bincount(labels[labels >= 0], minlength=len(classes))
    rare = [f"{classes.names[i]} ({counts[i]})" for i in np.argsort(counts, kind="stable") if counts[i] < FEW_CLIPS]
    if rare:
        examples = f"{', '.join(rare[:3])}{', ...' * (len(rare) > 3)}"
        message = f"{len(rare)} of {len(classes)} classes have fewer than {FEW_CLIPS} training clips: {examples}"
        yield Finding("warning", name, message)


def _check_videos(paths: Mapping[str, Path], options: OpenOptions) -> Generator[Finding, None, dict[str, float]]:
    """Opens every video once; returns the duration in seconds of each that can be read."""
    durations_s: dict[str, float] = {}
    without_audio, unreadable, truncated = 0, [], []
    for name, path in paths.items():
        try:
            with open_video(path, options=options) as video:
                durations_s[name] = video.info.duration_s
                without_audio += not video.info.has_audio
                end_s = early_end_s(video)
                if end_s is not None:
                    truncated.append(f"{path} after {end_s:.1f} of {durations_s[name]:.1f} s")
        except DecodeError as error:
            unreadable.append(str(error))
    if unreadable:
        yield Finding("error", "videos", f"{len(unreadable):,} of {len(paths):,} cannot be read: {unreadable[0]}")
    if truncated:
        yield Finding("warning", "videos", f"{len(truncated):,} of {len(paths):,} are truncated: {truncated[0]}")
    yield Finding("fact", "audio", f"{len(durations_s) - without_audio:,} of {len(durations_s):,} videos have audio")
    return durations_s


def _check_ends(split: str, segments: Segments, durations_s: Mapping[str, float]) -> Iterator[Finding]:
    """Finds clips and actions after the end of their video."""
    ends_s = np.array([durations_s.get(video, np.inf) for video in segments.videos])
    begins_late = segments.start_s >= ends_s
    ends_late = ~begins_late & np.isfinite(segments.end_s) & (segments.end_s > ends_s + END_TOLERANCE_S)
    if begins_late.any():
        message = f"{_fraction_of_clips(begins_late)} begin after their video's end: {segments.ids[begins_late][0]}"
        yield Finding("error", split, message)
    if segments.intervals is not None:
        yield from _check_intervals(split, segments, segments.intervals, ends_s)
    if ends_late.any():
        message = f"{_fraction_of_clips(ends_late)} end after their video's end: {segments.ids[ends_late][0]}"
        yield Finding("warning", split, message)


def _check_intervals(
    split: str, segments: Segments, intervals: Intervals, ends_s: NDArray[np.float64]
) -> Iterator[Finding]:
    counts = np.diff(intervals.first)
    begins_late = intervals.start_s >= np.repeat(ends_s, counts)
    if begins_late.any():
        count, first = f"{begins_late.sum():,} of {len(begins_late):,}", np.repeat(segments.ids, counts)[begins_late][0]
        yield Finding("error", split, f"{count} actions begin after their video's end (first: in {first})")


def _fraction_of_clips(selected: NDArray[np.bool_]) -> str:
    return f"{selected.sum():,} of {len(selected):,} clips"

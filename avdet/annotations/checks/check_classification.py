"""Is a set of whole clips what training needs? Every answer with a count, examples and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avdet.annotations.checks.finding import Finding, counted
from avdet.datasets.class_names import ClassNames
from avdet.datasets.classification import ClassificationDataset
from avdet.datasets.dataset import Split, require_data
from avdet.datasets.segments import Intervals, Segments, find_overlap, unlabelled_segments
from avdet.datasets.video_files import index_videos, match_videos
from avdet.media.reader import DecodeError
from avdet.media.video_source import early_end_s, open_video

__all__ = ["check_classification"]

FEW_CLIPS = 20  # a class with fewer training clips learns next to nothing
EARLY_S = 0.5
SPLITS: tuple[Split, Split] = ("train", "val")


def check_classification(dataset: ClassificationDataset[Any]) -> Iterator[Finding]:
    """All findings, errors and facts alike; a file that cannot be read at all ends the check with its error."""
    try:
        require_data(dataset)
        classes = dataset.class_sets()
        videos = index_videos(dataset.config.videos)
        annotated = {split: dataset.annotated(split, videos) for split in SPLITS}
        dataset.load_metric_lists()
    except ValueError as error:
        yield Finding("error", "files", str(error))
        return
    found: dict[str, Segments] = {}
    files: dict[str, Path] = {}
    for split, (segments, faults) in annotated.items():
        found[split], here, missing = match_videos(segments, videos)
        files |= here
        yield Finding("fact", split, f"{len(segments):,} clips are listed")
        yield from (Finding("warning", split, fault) for fault in faults + missing)
        if not len(segments):
            yield Finding("error", split, "the annotations list no clip")
        elif not len(found[split]):
            yield Finding("error", split, f"no listed clip has its video in {dataset.config.videos.absolute()}")
    yield from (Finding("warning", "val", fault) for fault in unlabelled_segments(found["val"]))
    for name, names in classes.items():
        yield from _about_classes(name, names, found["train"])
    overlap = find_overlap(found["train"], found["val"], files)
    if overlap is not None:
        yield Finding("error", "splits", overlap)
    yield from _about_files(found, files)


def _about_classes(name: str, classes: ClassNames, train: Segments) -> Iterator[Finding]:
    yield Finding("fact", name, counted(len(classes), "class"))
    if len(classes) == 1:
        yield Finding(
            "warning", name, "with one class alone nothing is learned; is a folder too many above the classes?"
        )
    if name not in train.labels:
        return
    labels = train.labels[name]
    counts = labels.sum(axis=0) if labels.ndim > 1 else np.bincount(labels[labels >= 0], minlength=len(classes))
    rare = [f"{classes.names[i]} ({counts[i]})" for i in np.argsort(counts, kind="stable") if counts[i] < FEW_CLIPS]
    if rare:
        yield Finding(
            "warning", name, f"{len(rare)} of {len(classes)} classes have under {FEW_CLIPS} training clips: "
            f"{', '.join(rare[:3])}{', ...' * (len(rare) > 3)}",
        )  # fmt: skip


def _about_files(found: Mapping[str, Segments], files: Mapping[str, Path]) -> Iterator[Finding]:
    """Opens every video once."""
    durations_s: dict[str, float] = {}
    silent, broken, cut = 0, [], []
    for name, path in files.items():
        try:
            with open_video(path) as video:
                durations_s[name] = video.info.duration_s
                silent += not video.info.has_audio
                end_s = early_end_s(video)
                if end_s is not None:
                    cut.append(f"{path} after {end_s:.1f} of {durations_s[name]:.1f} s")
        except DecodeError as error:
            broken.append(str(error))
    if broken:
        yield Finding("error", "videos", f"{len(broken):,} of {len(files):,} cannot be read: {broken[0]}")
    if cut:
        yield Finding("warning", "videos", f"{len(cut):,} of {len(files):,} break off before their end: {cut[0]}")
    yield Finding("fact", "sound", f"{len(durations_s) - silent:,} of {len(durations_s):,} videos have sound")
    for split, segments in found.items():
        ends_s = np.array([durations_s.get(video, np.inf) for video in segments.videos])
        late = segments.start_s >= ends_s
        early = ~late & np.isfinite(segments.end_s) & (segments.end_s > ends_s + EARLY_S)
        if late.any():
            yield Finding("error", split, f"{_counted(late)} begin after their video's end: {segments.ids[late][0]}")
        if segments.intervals is not None:
            yield from _about_intervals(split, segments, segments.intervals, ends_s)
        if early.any():
            yield Finding("warning", split, f"{_counted(early)} end after their video's end: {segments.ids[early][0]}")


def _about_intervals(
    split: str, segments: Segments, intervals: Intervals, ends_s: NDArray[np.float64]
) -> Iterator[Finding]:
    counts = np.diff(intervals.first)
    late = intervals.start_s >= np.repeat(ends_s, counts)
    if late.any():
        first = np.repeat(segments.ids, counts)[late][0]
        yield Finding(
            "error", split, f"{late.sum():,} of {len(late):,} actions begin after their video's end (first: in {first})"
        )


def _counted(rows: NDArray[np.bool_]) -> str:
    return f"{rows.sum():,} of {len(rows):,} clips"

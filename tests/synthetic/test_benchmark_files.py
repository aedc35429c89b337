"""All benchmarks' files describe the same action segments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.datasets.charades import read_charades, read_charades_classes
from avdet.datasets.class_names import read_class_list
from avdet.datasets.epic import participants, read_epic, read_epic_classes
from avdet.datasets.hmdb51 import read_hmdb51, read_hmdb51_classes
from avdet.datasets.kinetics import read_kinetics, select_classes, subset_classes
from avdet.datasets.ucf101 import read_ucf101, read_ucf101_classes
from avdet.datasets.video_files import index_videos, match_videos
from avdet.synthetic.benchmark_files import AUDIO_DEPENDENT_CLASSES, SampleVideo, action_name, clock_time
from avdet.synthetic.make_clip_sample import plan_videos
from tests.synthetic.tiny import TINY_CLIP_SAMPLE


@pytest.fixture(scope="module")
def train() -> list[SampleVideo]:
    return [video for video in plan_videos(TINY_CLIP_SAMPLE.scenes, 0) if video.split == "train"]


def test_kinetics_and_epic_have_the_same_segments(clip_sample: Path, train: list[SampleVideo]) -> None:
    files = clip_sample / "annotations"
    segments = [segment for video in train for segment in video.segments]
    expected = [action_name(segment) for segment in segments]
    names = read_class_list(files / "kinetics/label_map.txt")
    videos = index_videos(clip_sample / "videos")
    kinetics, kinetics_errors = read_kinetics(files / "kinetics/kinetics_train.csv", names, videos)
    verbs = read_epic_classes(files / "epic/EPIC_100_verb_classes.csv")
    nouns = read_epic_classes(files / "epic/EPIC_100_noun_classes.csv")
    epic, epic_errors = read_epic(files / "epic/EPIC_100_train.csv", {"verb": verbs, "noun": nouns})
    assert not kinetics_errors and not epic_errors and len(segments) == len(kinetics) == len(epic)
    assert [names.names[i] for i in kinetics.labels["action"]] == expected
    assert [verbs.names[i] for i in epic.labels["verb"]] == expected
    assert kinetics.start_s.tolist() == epic.start_s.tolist() == [segment.start_s for segment in segments]
    assert match_videos(kinetics, videos)[2] == match_videos(epic, videos)[2] == []
    subset = subset_classes(files / "kinetics/kinetics_sounds_classes.txt", names)
    assert set(subset.names) == set(AUDIO_DEPENDENT_CLASSES)
    assert len(select_classes(kinetics, names, subset)) == sum(name in AUDIO_DEPENDENT_CLASSES for name in expected)
    assert "P90" not in set(participants(epic))


def test_charades_has_the_times_of_every_action(clip_sample: Path, train: list[SampleVideo]) -> None:
    folder = clip_sample / "annotations/charades"
    classes = read_charades_classes(folder / "Charades_v1_classes.txt")
    segments, errors = read_charades(folder / "Charades_v1_train.csv", classes)
    assert segments.ids.tolist() == [video.name for video in train] and not errors
    for index, video in enumerate(train):
        for segment in video.segments:
            middle_s = (segment.start_s + segment.end_s) / 2
            labels = segments.labels_at(index, middle_s, middle_s + 0.01)["action"]
            actions = {classes.names[i] for i in np.flatnonzero(labels)}
            assert ("hand clap" in actions) == (segment.gesture == "clap" and segment.audible)
            assert ("listen (e.g., to music)" in actions) == video.scene.music_at(middle_s)


def test_each_trimmed_clip_is_tested_in_one_of_three_splits(clip_sample: Path) -> None:
    ucf, hmdb = clip_sample / "annotations/ucf101", clip_sample / "annotations/hmdb51"
    classes, videos = read_ucf101_classes(ucf), index_videos(clip_sample / "clips")
    test_clips = []
    for split in (1, 2, 3):
        train, val = (read_ucf101(ucf, split, part, classes) for part in ("train", "val"))
        assert not set(train.videos) & set(val.videos) and match_videos(train, videos)[2] == []
        hmdb_val = read_hmdb51(hmdb, split, "val", read_hmdb51_classes(hmdb, split))
        assert set(hmdb_val.videos) == set(val.videos)
        test_clips += val.videos.tolist()
    assert len(test_clips) == len(set(test_clips)) == len(list((clip_sample / "clips").rglob("*.mp4")))


def test_clock_time_has_hours_minutes_and_hundredths() -> None:
    assert clock_time(3662.5) == "01:01:02.50"

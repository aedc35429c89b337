"""The classification form of the sample world: every act is told alike in all the benchmarks' files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.datasets.charades import charades_classes, read_charades
from avdet.datasets.class_folders import hmdb51_classes, read_hmdb51, read_ucf101, ucf101_classes
from avdet.datasets.epic import epic_classes, participants, read_epic
from avdet.datasets.kinetics import only_classes, read_kinetics, subset_classes
from avdet.datasets.segments import class_list
from avdet.datasets.video_files import find_videos, with_video
from avdet.media.reader import VideoReader
from avdet.synthetic.benchmark_files import NAMES, SOUND_DEFINED, clock
from avdet.synthetic.make_clip_sample import is_clip_sample, make_clip_sample, write_takes
from tests.synthetic.tiny_clips import TINY


def test_the_files_agree_with_one_another(clip_sample: Path) -> None:
    files = clip_sample / "annotations"
    takes = write_takes(TINY.world, 0)
    acts = [(take, act) for take in takes if take.split == "train" for act in take.acts]
    names = class_list(files / "kinetics/label_map.txt")
    videos = find_videos(clip_sample / "videos")
    kinetics, faults = read_kinetics(files / "kinetics/kinetics_train.csv", names, videos)
    verbs = epic_classes(files / "epic/EPIC_100_verb_classes.csv")
    nouns = epic_classes(files / "epic/EPIC_100_noun_classes.csv")
    epic, more = read_epic(files / "epic/EPIC_100_train.csv", {"verb": verbs, "noun": nouns})
    assert not faults and not more and len(acts) == len(kinetics) == len(epic)
    assert [names.names[i] for i in kinetics.labels["action"]] == [NAMES[act.look, act.heard] for _, act in acts]
    assert [verbs.names[i] for i in epic.labels["verb"]] == [NAMES[act.look, act.heard] for _, act in acts]
    assert kinetics.start_s.tolist() == epic.start_s.tolist() == [act.start_s for _, act in acts]
    assert with_video(kinetics, videos)[2] == with_video(epic, videos)[2] == []
    sounds = subset_classes(files / "kinetics/kinetics_sounds_classes.txt", names)
    assert set(sounds.names) == set(SOUND_DEFINED)
    assert len(only_classes(kinetics, names, sounds)) == sum(NAMES[a.look, a.heard] in SOUND_DEFINED for _, a in acts)
    assert "P90" not in set(participants(epic))


def test_charades_has_the_times_of_every_action(clip_sample: Path) -> None:
    folder = clip_sample / "annotations/charades"
    classes = charades_classes(folder / "Charades_v1_classes.txt")
    segments, faults = read_charades(folder / "Charades_v1_train.csv", classes)
    takes = [take for take in write_takes(TINY.world, 0) if take.split == "train"]
    assert segments.ids.tolist() == [take.name for take in takes] and not faults
    for index, take in enumerate(takes):
        for act in take.acts:
            middle_s = (act.start_s + act.end_s) / 2
            there = segments.labels_at(index, middle_s, middle_s + 0.01)["action"]
            told = {classes.names[i] for i in np.flatnonzero(there)}
            assert ("hand clap" in told) == (act.look == "clap" and act.heard)
            assert ("listen (e.g., to music)" in told) == take.scene.music_at(middle_s)


def test_three_splits_of_trimmed_clips(clip_sample: Path) -> None:
    ucf, hmdb = clip_sample / "annotations/ucf101", clip_sample / "annotations/hmdb51"
    classes, videos = ucf101_classes(ucf), find_videos(clip_sample / "clips")
    tested = []
    for split in (1, 2, 3):
        train, val = (read_ucf101(ucf, split, part, classes) for part in ("train", "val"))
        assert not set(train.videos) & set(val.videos) and with_video(train, videos)[2] == []
        same = read_hmdb51(hmdb, split, "val", hmdb51_classes(hmdb, split))
        assert set(same.videos) == set(val.videos)
        tested += val.videos.tolist()
    assert len(tested) == len(set(tested)) == len(list((clip_sample / "clips").rglob("*.mp4")))


def test_a_clip_is_the_stretch_of_its_video(clip_sample: Path) -> None:
    take = write_takes(TINY.world, 0)[0]
    name, act = take.clip_names()[1]
    with (
        VideoReader(clip_sample / "clips" / f"{name}.mp4") as clip,
        VideoReader(clip_sample / "videos" / f"{take.name}.mp4") as video,
    ):
        assert clip.info.duration_s == pytest.approx(act.end_s - act.start_s, abs=0.1)
        pair = clip.frames([0.51])[0], video.frames([act.start_s + 0.51])[0]
    assert np.abs(pair[0].astype(int) - pair[1].astype(int)).mean() < 6


def test_the_set_is_known_again_and_made_alike(clip_sample: Path, tmp_path: Path) -> None:
    assert is_clip_sample(clip_sample, settings=TINY)
    assert not is_clip_sample(clip_sample) and not is_clip_sample(clip_sample, seed=1, settings=TINY)
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(ValueError, match=r"holds files but no clip_sample\.json"):
        make_clip_sample(tmp_path, settings=TINY)
    assert clock(3662.5) == "01:01:02.50"

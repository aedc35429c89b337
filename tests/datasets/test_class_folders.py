from __future__ import annotations

from pathlib import Path

import pytest

from avdet.datasets.class_folders import ClassFolders, ClassFoldersConfig, read_class_folders, read_folder_names
from avdet.datasets.dataset import require_data
from avdet.datasets.video_files import find_video, index_videos
from tests.datasets.text_file import write_file


def test_the_first_folder_below_a_split_is_the_class(tmp_path: Path) -> None:
    for name in ("train/jump/a.mp4", "train/run/deep/b.mkv", "train/run/notes.txt", "val/run/c.mp4"):
        write_file(tmp_path, name)
    classes = read_folder_names(tmp_path / "train")
    assert classes.names == ("jump", "run")
    train, train_faults = read_class_folders(tmp_path, Path("train"), classes)
    val, val_faults = read_class_folders(tmp_path, Path("val"), classes)
    assert train.videos.tolist() == ["train/jump/a", "train/run/deep/b"] and train.labels["action"].tolist() == [0, 1]
    assert val.labels["action"].tolist() == [1]
    assert find_video(index_videos(tmp_path), "val/run/c") == tmp_path / "val/run/c.mp4"
    notes = f"(.txt; first: {tmp_path / 'train/run/notes.txt'})"
    assert train_faults == [f"1 files in {tmp_path / 'train'} do not have a video's name {notes}; skipped"]
    assert val_faults == [f"1 of 2 classes have no video in {tmp_path / 'val'}, such as jump"]


def test_files_outside_the_class_folders(tmp_path: Path) -> None:
    for name in ("train/jump/a.mp4", "train/run/b.mkv", "val/run/c.mp4", "val/e.mp4", "val/.git/x"):
        write_file(tmp_path, name)
    _, faults = read_class_folders(tmp_path, Path("val"), read_folder_names(tmp_path / "train"))
    assert faults[-1] == f"1 videos lie outside the class folders, such as {tmp_path / 'val/e.mp4'}; skipped"
    assert read_folder_names(tmp_path / "val").names == ("run",)


def test_ambiguous_videos_and_unknown_classes_are_refused(tmp_path: Path) -> None:
    for name in ("train/run/b.mkv", "val/run/c.mp4", "val/run/c.avi"):
        write_file(tmp_path, name)
    classes = read_folder_names(tmp_path / "train")
    with pytest.raises(ValueError, match=r"run/c: c\.avi and c\.mp4 differ only in their suffix"):
        read_class_folders(tmp_path, Path("val"), classes)
    write_file(tmp_path, "val/swim/d.mp4")
    with pytest.raises(ValueError, match="class 'swim', which training does not have"):
        read_class_folders(tmp_path, Path("val"), classes)
    with pytest.raises(ValueError, match="has no class folder"):
        read_folder_names(tmp_path / "missing")


def test_the_sample_in_class_folders(clip_sample: Path) -> None:
    folder = clip_sample / "folders"
    data = ClassFolders(ClassFoldersConfig(videos=folder, annotations=folder))
    require_data(data)
    train = data.read("train")
    names = sorted(path.name for path in (folder / "train").iterdir())
    assert data.class_sets()["action"].names == tuple(names)
    assert len(train.segments) == len(list((folder / "train").rglob("*.mp4"))) == len(train.annotated)
    assert {train.files[video].parent.name for video in train.segments.videos} == set(names)


def test_val_is_drawn_where_there_is_no_val_folder(tmp_path: Path) -> None:
    for name in ("jump/1_a", "jump/2_b", "jump/2_c", "run/1_d", "run/2_e", "swim/1_f"):
        write_file(tmp_path, f"train/{name}.mp4")
    data = ClassFolders(ClassFoldersConfig(videos=tmp_path, annotations=tmp_path))
    train, val = data.read("train").segments, data.read("val").segments
    assert sorted([*train.ids, *val.ids]) == sorted(data.annotated("train", {})[0].ids.tolist() + val.ids.tolist())
    assert set(val.labels["action"].tolist()) == {0, 1} and set(train.labels["action"].tolist()) == {0, 1, 2}
    config = ClassFoldersConfig(videos=tmp_path, annotations=tmp_path, group_by=r"/(\d)_")
    assert {name.split("/")[2][0] for name in ClassFolders(config).read("val").segments.ids} == {"2"}

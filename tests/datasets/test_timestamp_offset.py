import shutil
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
import torch

from ava_eval import read_ground_truth
from avdet.config import Config
from avdet.data.build import build_detection_test_loader
from avdet.data.detection_test_clips import DetectionTestClips
from avdet.datasets.ava import Ava, AvaConfig
from avdet.datasets.timestamp_offset import VideoOffsets, add_trimmed, find_timestamp_offset, first_outside
from tests.media.make_videos import write_video


def keyframes(rows: list[tuple[str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["video", "timestamp"])


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """a lasts 4 s, b 2 s."""
    folder = tmp_path_factory.mktemp("videos")
    return {name: write_video(folder / f"{name}.mp4", num_frames=n, fps=10) for name, n in (("a", 40), ("b", 20))}


@pytest.mark.parametrize(
    ("rows", "setting", "offset_s"),
    [
        ([("a", 0.0), ("a", 4.0), ("b", 1.5)], "auto", 0.0),
        ([("a", 902.0), ("b", 901.0)], "auto", 900.0),
        ([("a", 1325.0), ("b", 1323.5)], 1322.0, 1322.0),
    ],
)
def test_offset(
    videos: dict[str, Path], rows: list[tuple[str, float]], setting: float | Literal["auto"], offset_s: float
) -> None:
    assert find_timestamp_offset(keyframes(rows), videos, setting, Path("train.csv")) == VideoOffsets(offset_s)


@pytest.mark.parametrize(
    ("rows", "setting", "message"),
    [
        (
            [("a", 3.0), ("b", 3.0)],
            "auto",
            r"train\.csv has a label for b at 3 s, .*b\.mp4 lasts 2\.0 s \(1 of 2 videos",
        ),
        ([("a", 902.0), ("b", 903.0)], "auto", r"b at 903 s, .* lasts 2\.0 s from 900 s \(1 of 2 .*timestamp_offset"),
        ([("a", 3.0), ("b", 1.0)], 2.0, r"label for b at 1 s"),
    ],
)
def test_labels_outside_their_video_are_named(
    videos: dict[str, Path], rows: list[tuple[str, float]], setting: float | Literal["auto"], message: str
) -> None:
    """A truncated video is not mistaken for one with another offset."""
    with pytest.raises(ValueError, match=message):
        find_timestamp_offset(keyframes(rows), videos, setting, Path("train.csv"))


def test_the_first_time_outside_each_video() -> None:
    table = keyframes([("a", 1.0), ("a", 5.0), ("a", 6.0), ("b", 0.5)])
    assert first_outside(table, {"a": 4.0, "b": 2.0}, VideoOffsets()) == {"a": 5.0}
    assert first_outside(table, {"a": 9.0, "b": 2.0}, VideoOffsets(1.0)) == {"b": 0.5}
    assert first_outside(table, {"a": 4.0, "b": 2.0}, VideoOffsets(0.0, {"a": 2.0})) == {"a": 1.0}


def test_a_data_set_with_offset_900_gives_the_same_clips(tiny_config: Config, tmp_path: Path) -> None:
    assert isinstance(tiny_config.data, AvaConfig)
    data = tiny_config.data
    shutil.copy(data.annotations / data.label_map, tmp_path)
    for name in (data.val_csv, data.val_boxes):
        rows = [line.split(",") for line in (data.annotations / name).read_text().splitlines()]
        later = [[video, str(900 + float(time_s)), *rest] for video, time_s, *rest in rows]
        (tmp_path / name).write_text("".join(",".join(row) + "\n" for row in later))
    shifted = Ava(data.model_copy(update={"annotations": tmp_path, "val_excluded": None}))
    original = Ava(data.model_copy(update={"val_excluded": None}))
    splits = [dataset.read("val") for dataset in (original, shifted)]
    clips = [
        build_detection_test_loader(tiny_config, dataset, split).clips
        for dataset, split in zip((original, shifted), splits, strict=True)
    ]
    assert isinstance(clips[0], DetectionTestClips) and isinstance(clips[1], DetectionTestClips)
    clip, shifted_clip = clips[0][1], clips[1][1]
    assert shifted_clip.time_s == clip.time_s + 900 and torch.equal(clip.frames, shifted_clip.frames)
    assert set(splits[1].ground_truth["timestamp"]) == set(read_ground_truth(tmp_path / data.val_csv)["timestamp"])


def test_each_video_has_its_own_offset(videos: dict[str, Path], tmp_path: Path) -> None:
    table = keyframes([("a", 101.0), ("b", 250.5)])
    (tmp_path / "offsets.csv").write_text("video,offset\na.mp4,100\nb,250\n")
    offsets = find_timestamp_offset(table, videos, tmp_path / "offsets.csv", Path("train.csv"))
    assert offsets == VideoOffsets(0.0, {"a": 100.0, "b": 250.0})
    assert (offsets.of("a"), offsets.of("c")) == (100.0, 0.0)
    (tmp_path / "offsets.csv").write_text("a,\n")
    with pytest.raises(ValueError, match="has no offset for 'a'; write video,offset with seconds"):
        find_timestamp_offset(table, videos, tmp_path / "offsets.csv", Path("train.csv"))


def test_clips_named_with_start_and_end(videos: dict[str, Path], tmp_path: Path) -> None:
    """As AVA-Kinetics' clips; the tables name the whole video."""
    paths = {
        f"{name}_{start}": tmp_path / f"{name}_{start}.mp4"
        for name, start in (("a", "000100_000104"), ("b", "0250_0252"))
    }
    for path, source in zip(paths.values(), videos.values(), strict=True):
        path.symlink_to(source)
    found = add_trimmed(paths, ["a", "b", "c"])
    assert found == {**paths, "a": paths["a_000100_000104"], "b": paths["b_0250_0252"]}
    offsets = find_timestamp_offset(keyframes([("a", 101.0), ("b", 250.5)]), found, "auto", Path("train.csv"))
    assert (offsets.of("a"), offsets.of("b")) == (100.0, 250.0)
    assert find_timestamp_offset(keyframes([("a", 1.0)]), found, "auto", Path("train.csv")) == VideoOffsets()


def test_a_start_is_subtracted_once(videos: dict[str, Path], tmp_path: Path) -> None:
    """Times of a clip fit both clocks: the clip's name decides."""
    path = tmp_path / "b_0001_0003.mp4"
    path.symlink_to(videos["b"])
    found = add_trimmed({path.stem: path}, ["b"])
    for name, offset_s in (("b", 1.0), (path.stem, 0.0)):
        assert find_timestamp_offset(keyframes([(name, 1.5)]), found, "auto", Path("train.csv")).of(name) == offset_s


def test_offsets_in_a_column_of_any_table(videos: dict[str, Path], tmp_path: Path) -> None:
    path, table = tmp_path / "train.csv", keyframes([("a", 101.0)])
    path.write_text("video,timestamp,origin\na,101,100\na,102,100\n")
    assert find_timestamp_offset(table, videos, path, path) == VideoOffsets(0.0, {"a": 100.0})
    path.write_text("video,timestamp,origin\na,101,100\na,102,90\n")
    with pytest.raises(ValueError, match="has two offsets for 'a'"):
        find_timestamp_offset(table, videos, path, path)
    path.write_text("a,101,100\n")
    with pytest.raises(ValueError, match="has 3 columns without names"):
        find_timestamp_offset(table, videos, path, path)

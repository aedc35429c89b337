import shutil
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
import torch

from ava_eval import read_ground_truth
from avdet.data.build import build_classes, build_test_data
from avdet.data.detection_clips import AvaTest
from avdet.datasets.keyframes import ClassNames, KeyframeTable, labelled_keyframes
from avdet.datasets.timestamp_offset import outside, with_timestamp_offset
from avdet.settings import Config
from tests.media.make_videos import write_video

CLASSES = ClassNames((1,), ("stand",))


def keyframes(rows: list[tuple[str, float]]) -> KeyframeTable:
    table = pd.DataFrame(rows, columns=["video", "timestamp"])
    return labelled_keyframes(table.assign(x1=0.1, y1=0.1, x2=0.5, y2=0.5, action_id=1, person_id=0), CLASSES)


@pytest.fixture(scope="module")
def movies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """a lasts 4 s, b 2 s."""
    folder = tmp_path_factory.mktemp("movies")
    return {name: write_video(folder / f"{name}.mp4", num_frames=n, fps=10) for name, n in (("a", 40), ("b", 20))}


@pytest.mark.parametrize(
    ("rows", "asked", "origin_s"),
    [
        ([("a", 0.0), ("a", 4.0), ("b", 1.5)], "auto", 0.0),
        ([("a", 902.0), ("b", 901.0)], "auto", 900.0),
        ([("a", 1325.0), ("b", 1323.5)], 1322.0, 1322.0),
    ],
)
def test_origin(
    movies: dict[str, Path], rows: list[tuple[str, float]], asked: float | Literal["auto"], origin_s: float
) -> None:
    table = with_timestamp_offset(keyframes(rows), movies, asked, Path("train.csv"))
    assert table.origin_s == origin_s
    assert table[0].time_s == rows[0][1] and table[0].video_s == rows[0][1] - origin_s
    assert table.select(table.times_s == rows[0][1]).origin_s == origin_s


@pytest.mark.parametrize(
    ("rows", "asked", "sentence"),
    [
        ([("a", 3.0), ("b", 3.0)], "auto", r"train\.csv labels b at 3 s, .*b\.mp4 lasts 2\.0 s \(1 of 2 movies"),
        ([("a", 902.0), ("b", 903.0)], "auto", r"b at 903 s, .* lasts 2\.0 s from 900 s on \(1 of 2 .*time_origin"),
        ([("a", 3.0), ("b", 1.0)], 2.0, r"labels b at 1 s"),
    ],
)
def test_movies_that_do_not_fit_are_named(
    movies: dict[str, Path], rows: list[tuple[str, float]], asked: float | Literal["auto"], sentence: str
) -> None:
    """A movie that is cut short does not pass for one that was cut at another second."""
    with pytest.raises(ValueError, match=sentence):
        with_timestamp_offset(keyframes(rows), movies, asked, Path("train.csv"))


def test_outside_gives_each_movies_first_second() -> None:
    table = keyframes([("a", 1.0), ("a", 5.0), ("a", 6.0), ("b", 0.5)])
    assert outside(table, {"a": 4.0, "b": 2.0}, 0.0) == {"a": 5.0}
    assert outside(table, {"a": 9.0, "b": 2.0}, 1.0) == {"b": 0.5}


def test_a_set_cut_at_900_gives_the_same_clips_under_its_own_times(tiny_config: Config, tmp_path: Path) -> None:
    data = tiny_config.ava
    shutil.copy(data.annotations / data.label_map, tmp_path)
    for name in (data.val_csv, data.val_boxes):
        rows = [line.split(",") for line in (data.annotations / name).read_text().splitlines()]
        moved = [[video, str(900 + float(time_s)), *rest] for video, time_s, *rest in rows]
        (tmp_path / name).write_text("".join(",".join(row) + "\n" for row in moved))
    cut = data.model_copy(update={"annotations": tmp_path, "val_excluded": None})
    whole = data.model_copy(update={"val_excluded": None})
    classes = build_classes(data)
    one, other = (build_test_data(tiny_config.model_copy(update={"data": d}), classes) for d in (whole, cut))
    assert isinstance(one.loader.clips, AvaTest) and isinstance(other.loader.clips, AvaTest)
    clip, same = one.loader.clips[1], other.loader.clips[1]
    assert same.time_s == clip.time_s + 900 and torch.equal(clip.frames, same.frames)
    assert set(other.ground_truth["timestamp"]) == set(read_ground_truth(tmp_path / data.val_csv)["timestamp"])

from __future__ import annotations

from pathlib import Path

import pytest

from avdet.media.media_file import frame_times
from avdet.people.yolo_labels import read_yolo_labels
from tests.inference.tiny_detector import write_noise_video

PERSON = "0 0.5 0.5 0.25 0.5 0.9 7\n"
BALL = "32 0.1 0.1 0.1 0.1 0.8\n"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise_video(tmp_path_factory.mktemp("videos") / "clip.mp4", 3, fps=8)


def test_boxes_are_those_of_the_frames_nearest_to_the_keyframes(video: Path, tmp_path: Path) -> None:
    times_s = frame_times(video)
    for frame in range(1, len(times_s) + 1):
        (tmp_path / f"clip_{frame}.txt").write_text(PERSON + BALL)
    table = read_yolo_labels(tmp_path, {"clip": video}, class_number=0, rate=1.0)
    assert table["video"].tolist() == ["clip", "clip"]
    assert table["timestamp"].tolist() == pytest.approx([1.0, 2.0], abs=0.5 / 8)
    assert set(table["timestamp"]) <= set(times_s)
    assert table[["x1", "y1", "x2", "y2"]].iloc[0].tolist() == [0.375, 0.25, 0.625, 0.75]
    assert table[["score", "person_id"]].iloc[0].tolist() == [0.9, 7]
    balls = read_yolo_labels(tmp_path, {"clip": video}, class_number=32, rate=1.0)
    assert balls["x1"].tolist() == pytest.approx([0.05, 0.05]) and balls["person_id"].tolist() == [-1, -1]


def test_the_first_frame_has_number_1(video: Path, tmp_path: Path) -> None:
    """Of a single labelled frame, 9, that is within half a second of the keyframe at 1 s."""
    (tmp_path / "clip_00009.txt").write_text("0 0.5 0.5 0.2 0.2\n\n")
    (tmp_path / "classes.txt").write_text("person\n")
    table = read_yolo_labels(tmp_path, {"clip": video}, class_number=0, rate=1.0)
    assert table["timestamp"].tolist() == [frame_times(video)[8]] and table["score"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("other_8.txt", PERSON, r"has no file clip_1.txt, _2.txt, ..; give the folder of YOLO's labels"),
        ("clip_8.txt", BALL, r"no box of class 0; give its number or name with --person-class"),
        ("clip_9999.txt", PERSON, r"is of frame 9999, but .* has \d+ frames, counted from 1"),
        ("clip_0.txt", PERSON, r"is of frame 0, but .* has \d+ frames, counted from 1"),
        ("clip_8.txt", "0 320 240 100 200\n", r"line 1: '0 320 240 100 200' is not class, centre x, .* normalised"),
        ("clip_8.txt", "0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2\n", r"is not class, centre x"),
        ("clip_8.txt", "person 0.1 0.1 0.2 0.1\n", r"is not class, centre x"),
    ],
)
def test_other_files_are_explained(name: str, content: str, message: str, video: Path, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        read_yolo_labels(tmp_path, {"clip": video}, class_number=0, rate=1.0)

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from avdet.media.reader import DecodeError, VideoReader
from avdet.people.box_table_detector import TableBoxes
from avdet.people.find_persons import detect_persons_at, find_persons, keyframe_times
from tests.media.make_videos import write_broken_download, write_video
from tests.people.scenes import HEIGHT, WIDTH, BrightBoxes, drawn


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s at 10 fps: one box goes right by 2 pixels a frame, one stands and is gone from 2.5 s on."""
    frames = [
        drawn((4 + 2 * k, 20, 34 + 2 * k, 100), *([(126, 10, 156, 60)] if k < 25 else []), seed=k) for k in range(40)
    ]
    return write_video(tmp_path_factory.mktemp("movies") / "walk.mp4", fps=10, frames=frames, num_frames=40)


def test_keyframes_are_whole_seconds_and_a_short_video_has_one() -> None:
    assert keyframe_times(4.0) == [1.0, 2.0, 3.0]
    assert keyframe_times(4.2, rate=0.5) == [2.0, 4.0]
    assert keyframe_times(1.0, rate=4) == [0.25, 0.5, 0.75]
    assert keyframe_times(0.6) == [0.3]
    with pytest.raises(ValueError, match="a number above 0"):
        keyframe_times(4.0, rate=0)


def test_boxes_are_where_and_when_the_people_are(movie: Path) -> None:
    detector = BrightBoxes()
    heard: list[tuple[int, int]] = []
    table = find_persons(movie, detector, rate=2, batch_size=3, on_picture=lambda *done: heard.append(done))
    assert detector.batch_sizes == [3, 3, 1] and heard == [(3, 7), (6, 7), (7, 7)]
    assert set(table["video"]) == {"walk"}
    assert sorted(set(table["timestamp"])) == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    stander, walker = (table[table["person_id"] == person] for person in table["person_id"][:2])
    assert walker["x1"].to_numpy() * WIDTH == pytest.approx(4 + 20 * walker["timestamp"].to_numpy(), abs=1.5)
    assert stander["timestamp"].tolist() == [0.5, 1.0, 1.5, 2.0]
    assert stander[["x1", "y1", "x2", "y2"]].to_numpy() * np.tile([WIDTH, HEIGHT], 2) == pytest.approx(
        np.tile([126.0, 10, 156, 60], (4, 1)), abs=1.5
    )


def test_nobody_is_looked_for_behind_the_last_picture(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = write_broken_download(tmp_path / "broken.mp4")
    times: list[tuple[int, int]] = []
    find_persons(broken, BrightBoxes(), rate=2, on_picture=lambda *done: times.append(done))
    assert 4 <= times[-1][1] <= 6
    assert "broken.mp4 is cut short: it says it lasts 6.0 s, but its pictures end at 2." in caplog.text


def test_sound_may_outlast_the_pictures(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sound = np.zeros(int(16_000 * 6.8), np.float32)
    film = write_video(tmp_path / "film.mp4", fps=10, num_frames=60, waveform=sound)
    times: list[tuple[int, int]] = []
    find_persons(film, BrightBoxes(), on_picture=lambda *done: times.append(done))
    assert times[-1] == (6, 6) and "cut short" not in caplog.text


def test_times_may_count_from_elsewhere(movie: Path) -> None:
    here = find_persons(movie, BrightBoxes(), times_s=[3.0, 1.0])
    there = find_persons(movie, BrightBoxes(), times_s=[901.0, 903.0], origin_s=900.0)
    pd.testing.assert_frame_equal(there.assign(timestamp=there["timestamp"] - 900), here)
    assert find_persons(movie, BrightBoxes(), origin_s=900.0)["timestamp"].min() == 901.0


def test_unsure_boxes_are_left_out(movie: Path) -> None:
    assert find_persons(movie, BrightBoxes(), min_score=0.95).empty
    assert [len(one) for one in detect_persons_at(movie, BrightBoxes(), [1.0, 3.0], min_score=0.85)] == [2, 1]


def test_a_table_needs_no_pixels(movie: Path) -> None:
    table = find_persons(movie, BrightBoxes())
    pd.testing.assert_frame_equal(find_persons(movie, TableBoxes(table)), table, check_exact=True)


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(DecodeError, match=r"a\.mp4"):
        find_persons(tmp_path / "a.mp4", BrightBoxes())


def test_a_folder_of_frames_is_a_video_too(movie: Path, tmp_path: Path) -> None:
    """At 30 pictures a second; its name is the whole of the folder's name."""
    folder = tmp_path / "walk.v2"
    folder.mkdir()
    with VideoReader(movie) as reader:
        for number, frame in enumerate(reader.frames([k / 30 for k in range(120)]), start=1):
            cv2.imwrite(str(folder / f"{number:06d}.jpg"), frame[..., ::-1])
    expected = find_persons(movie, BrightBoxes())
    found = find_persons(folder, BrightBoxes())
    assert set(found["video"]) == {"walk.v2"}
    assert found["timestamp"].tolist() == expected["timestamp"].tolist()
    assert found["x1"].to_numpy() == pytest.approx(expected["x1"].to_numpy(), abs=0.02)


def test_a_table_is_asked_at_its_own_times(movie: Path) -> None:
    assert find_persons(movie, table_at(0.5, 1.0, 1.2512345))["timestamp"].tolist() == [0.5, 1.0, 1.2512345]


def test_times_that_are_not_of_the_video_are_said(movie: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert find_persons(movie, table_at(1.0, 902.0))["timestamp"].tolist() == [1.0, 902.0]
    assert "the table has somebody at 902 s, but the video ends at 4.0 s" in caplog.text
    caplog.clear()
    find_persons(movie, table_at(901.0, 902.0), origin_s=900.0)
    assert not caplog.text


def table_at(*times_s: float) -> TableBoxes:
    rows = [("walk", time_s, 0.1, 0.1, 0.4, 0.9, 0.9, -1) for time_s in times_s]
    return TableBoxes(pd.DataFrame(rows, columns=["video", "timestamp", "x1", "y1", "x2", "y2", "score", "person_id"]))

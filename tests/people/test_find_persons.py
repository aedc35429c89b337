from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from avdet.media.video_reader import DecodeError, VideoReader
from avdet.people.box_table import COLUMNS
from avdet.people.box_table_detector import BoxTableDetector
from avdet.people.find_persons import detect_persons_at, find_persons, keyframe_times
from tests.media.make_videos import write_broken_download, write_video
from tests.people.scenes import HEIGHT, WIDTH, BrightBoxDetector, draw_frame


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s at 10 fps: one box moves right by 2 pixels per frame, one is still and disappears at 2.5 s."""
    frames = [
        draw_frame((4 + 2 * k, 20, 34 + 2 * k, 100), *([(126, 10, 156, 60)] if k < 25 else []), seed=k)
        for k in range(40)
    ]
    return write_video(tmp_path_factory.mktemp("videos") / "walk.mp4", fps=10, frames=frames, num_frames=40)


def test_keyframe_times_are_whole_seconds_or_the_middle() -> None:
    assert keyframe_times(4.0) == [1.0, 2.0, 3.0]
    assert keyframe_times(4.2, rate=0.5) == [2.0, 4.0]
    assert keyframe_times(1.0, rate=4) == [0.25, 0.5, 0.75]
    assert keyframe_times(0.6) == [0.3]
    with pytest.raises(ValueError, match="a finite number above 0"):
        keyframe_times(4.0, rate=0)


def test_boxes_follow_the_persons(video: Path) -> None:
    detector = BrightBoxDetector()
    progress: list[tuple[int, int]] = []
    table = find_persons(video, detector, rate=2, batch_size=3, on_progress=lambda *done: progress.append(done))
    assert detector.batch_sizes == [3, 3, 1] and progress == [(3, 7), (6, 7), (7, 7)]
    assert set(table["video"]) == {"walk"}
    assert sorted(set(table["timestamp"])) == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    still, moving = (table[table["person_id"] == person] for person in table["person_id"][:2])
    assert moving["x1"].to_numpy() * WIDTH == pytest.approx(4 + 20 * moving["timestamp"].to_numpy(), abs=1.5)
    assert still["timestamp"].tolist() == [0.5, 1.0, 1.5, 2.0]
    assert still[["x1", "y1", "x2", "y2"]].to_numpy() * np.tile([WIDTH, HEIGHT], 2) == pytest.approx(
        np.tile([126.0, 10, 156, 60], (4, 1)), abs=1.5
    )


def test_keyframes_end_with_the_frames_of_a_truncated_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = write_broken_download(tmp_path / "broken.mp4")
    progress: list[tuple[int, int]] = []
    find_persons(broken, BrightBoxDetector(), rate=2, on_progress=lambda *done: progress.append(done))
    assert 4 <= progress[-1][1] <= 6
    assert "broken.mp4 is truncated: its header gives 6.0 s, but its frames end at 2." in caplog.text


def test_audio_may_last_longer_than_the_frames(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    audio = np.zeros(int(16_000 * 6.8), np.float32)
    video = write_video(tmp_path / "video.mp4", fps=10, num_frames=60, waveform=audio)
    progress: list[tuple[int, int]] = []
    find_persons(video, BrightBoxDetector(), on_progress=lambda *done: progress.append(done))
    assert progress[-1] == (6, 6) and "truncated" not in caplog.text


def test_timestamps_may_have_another_origin(video: Path) -> None:
    from_0 = find_persons(video, BrightBoxDetector(), times_s=[3.0, 1.0])
    from_900 = find_persons(video, BrightBoxDetector(), times_s=[901.0, 903.0], origin_s=900.0)
    pd.testing.assert_frame_equal(from_900.assign(timestamp=from_900["timestamp"] - 900), from_0)
    assert find_persons(video, BrightBoxDetector(), origin_s=900.0)["timestamp"].min() == 901.0


def test_boxes_below_min_score_are_dropped(video: Path) -> None:
    assert find_persons(video, BrightBoxDetector(), min_score=0.95).empty
    assert [len(one) for one in detect_persons_at(video, BrightBoxDetector(), [1.0, 3.0], min_score=0.85)] == [2, 1]


def test_a_box_table_gives_its_own_boxes(video: Path) -> None:
    table = find_persons(video, BrightBoxDetector())
    pd.testing.assert_frame_equal(find_persons(video, BoxTableDetector(table)), table, check_exact=True)


def test_a_file_that_is_not_a_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(DecodeError, match=r"a\.mp4"):
        find_persons(tmp_path / "a.mp4", BrightBoxDetector())


def test_a_folder_of_frames_is_a_video_too(video: Path, tmp_path: Path) -> None:
    """At 30 fps; the video is named by the full name of the folder."""
    folder = tmp_path / "walk.v2"
    folder.mkdir()
    with VideoReader(video) as reader:
        for number, frame in enumerate(reader.frames([k / 30 for k in range(120)]), start=1):
            cv2.imwrite(str(folder / f"{number:06d}.jpg"), frame[..., ::-1])
    expected = find_persons(video, BrightBoxDetector())
    found = find_persons(folder, BrightBoxDetector())
    assert set(found["video"]) == {"walk.v2"}
    assert found["timestamp"].tolist() == expected["timestamp"].tolist()
    assert found["x1"].to_numpy() == pytest.approx(expected["x1"].to_numpy(), abs=0.02)


def test_a_box_table_has_its_own_keyframe_times(video: Path) -> None:
    assert find_persons(video, table_at(0.5, 1.0, 1.2512345))["timestamp"].tolist() == [0.5, 1.0, 1.2512345]


def test_times_past_the_end_are_reported(video: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert find_persons(video, table_at(1.0, 902.0))["timestamp"].tolist() == [1.0, 902.0]
    assert "the table has boxes at 902 s, but the video ends at 4.0 s" in caplog.text
    caplog.clear()
    find_persons(video, table_at(901.0, 902.0), origin_s=900.0)
    assert not caplog.text


def table_at(*times_s: float) -> BoxTableDetector:
    rows = [("walk", time_s, 0.1, 0.1, 0.4, 0.9, 0.9, -1) for time_s in times_s]
    return BoxTableDetector(pd.DataFrame(rows, columns=COLUMNS))

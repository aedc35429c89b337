from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from avdet.annotations.importers.rows import ROW_COLUMNS, clean_rows
from avdet.annotations.importers.video_index import VideoIndex
from avdet.media.media_file import frame_times
from tests.media.make_videos import write_video

SOURCE = Path("a.xml")


def record(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A valid record with some of its values changed."""
    box = {"x1": 0.1, "y1": 0.1, "x2": 0.2, "y2": 0.2}
    return {"video": "a", "timestamp": 1.0, **box, "action": "sit", "person_id": 0, **changes}


@pytest.mark.parametrize("names", [("a/3.mp4", "b/3.mp4"), ("3.left", "3.right"), ("3", "C:\\a\\3.AVI", "b\\3.mp4")])
def test_two_videos_do_not_become_one(names: tuple[str, ...]) -> None:
    videos = VideoIndex({"3": Path("3.mp4")})
    *first, last = names
    assert {videos.find(name, SOURCE) for name in first} == {"3"}
    with pytest.raises(ValueError, match="would both be 3 of --videos"):
        videos.find(last, SOURCE)


def test_one_video_may_have_several_names() -> None:
    videos = VideoIndex({"3": Path("3.mp4"), "3.left": Path("3.left.mp4")})
    names = ["3", "3.mp4", "3.avi", "a/3.mp4", "/home/a/3.mkv", "3.left", "a/3.left", "3.left.mp4"]
    assert [videos.find(name, SOURCE) for name in names] == ["3"] * 5 + ["3.left"] * 3


def test_frames_of_a_variable_rate_have_their_own_times(tmp_path: Path) -> None:
    times_s = [0.0, 0.1, 0.2, 0.5, 0.6, 1.0]
    path = write_video(tmp_path / "vfr.mp4", times_s=times_s)
    assert frame_times(path) == pytest.approx(times_s, abs=1e-4)
    videos = VideoIndex({"vfr": path})
    assert [videos.frame_time("vfr", frame, SOURCE) for frame in range(6)] == pytest.approx(times_s, abs=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"action": "2.5"}, r"'2\.5' is not the name of an action \(video a at 1\.0 s\)"),
        ({"action": "7"}, "is not the name of an action"),
        ({"person_id": 2.7}, r"a\.xml: the person id 2\.7 is not valid; write a whole number"),
        ({"person_id": -2}, "the person id -2 is not valid"),
        ({"timestamp": -5}, "video a at -5 s has a label; times are seconds"),
        ({"x1": 0.3}, r"a\.xml: video a at 1\.0 s has a box whose first corner is not the upper left"),
    ],
)
def test_invalid_rows_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clean_rows(pd.DataFrame([record(**changes)], columns=ROW_COLUMNS), SOURCE, Counter())


def test_boxes_are_clipped_to_the_frame_and_omitted_without_area() -> None:
    omitted: Counter[str] = Counter()
    records = [record(x1=-0.005), record(x1=-0.2), record(x1=1.1, x2=1.2)]
    table = clean_rows(pd.DataFrame(records, columns=ROW_COLUMNS), SOURCE, omitted)
    assert table["x1"].tolist() == [0.0, 0.0]
    assert +omitted == {"box parts outside the frame": 2, "rows without a box in the frame": 1}

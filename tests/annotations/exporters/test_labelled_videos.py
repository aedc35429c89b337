"""Tables become boxes on frames: worked out by hand for videos of 20 frames at 10 fps."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS
from avdet.annotations.exporters.labelled_videos import FrameBox, LabelledVideo, labelled_videos, tracks_of
from avdet.annotations.importers.video_index import VideoIndex
from tests.media.make_videos import write_video

NAN = float("nan")
BOX = (0.0, 0.0, 0.5, 0.5)


@pytest.fixture
def videos(tmp_path: Path) -> VideoIndex:
    write_video(tmp_path / "garden.mp4", num_frames=20, fps=10)
    return VideoIndex({"garden": tmp_path / "garden.mp4"})


def table(*rows: tuple[float, tuple[float, ...], int, object]) -> pd.DataFrame:
    records = [["garden", time_s, *box, person, action] for time_s, box, person, action in rows]
    return pd.DataFrame(records, columns=[*KEYFRAME_COLUMNS, *BOX_COLUMNS, "person_id", "action"])


def read(content: pd.DataFrame, videos: VideoIndex, offset_s: float = 0.0) -> tuple[list[FrameBox], Counter[str]]:
    omitted: Counter[str] = Counter()
    found = labelled_videos(content, videos, offset_s, Path("a.csv"), omitted)
    return [box for video in found for box in video.boxes], +omitted


def test_rows_of_one_box_become_its_actions_on_the_nearest_frame(videos: VideoIndex) -> None:
    rows = table((901.96, BOX, 3, "talk"), (900.51, BOX, 3, "talk"), (900.51, BOX, 3, "sit"), (900.51, BOX, 3, NAN))
    boxes, omitted = read(rows, videos, offset_s=900.0)
    assert [(box.frame, box.actions) for box in boxes] == [(5, ("sit", "talk")), (19, ("talk",))]
    assert boxes[0].time_s == pytest.approx(0.51) and boxes[0].box == BOX
    assert omitted == {}


def test_a_box_without_an_action_stays(videos: VideoIndex) -> None:
    assert [box.actions for box in read(table((0.5, BOX, 3, NAN)), videos)[0]] == [()]


def test_what_is_left_out_is_counted(videos: VideoIndex) -> None:
    nothing, flat = (NAN,) * 4, (0.5, 0.0, 0.5, 0.5)
    content = table((0.5, BOX, 3, "sit"), (2.1, BOX, 3, "sit"), (0.6, flat, 3, "sit"), (0.7, nothing, -1, NAN))
    boxes, omitted = read(content, videos)
    assert [box.frame for box in boxes] == [5]
    assert omitted == {
        "boxes before the start or after the end of their video": 1,
        "rows without a box in the frame": 1,
        "keyframes without a person": 1,
    }


def test_a_second_box_of_a_person_on_a_frame_loses_its_id(videos: VideoIndex) -> None:
    boxes, omitted = read(table((0.5, BOX, 3, "sit"), (0.5, (0.5, 0.5, 1.0, 1.0), 3, "sit")), videos)
    assert [box.person_id for box in boxes] == [3, -1]
    assert omitted == {"person ids of second boxes on one frame": 1}


def test_a_video_that_is_not_there_is_named(videos: VideoIndex) -> None:
    with pytest.raises(ValueError, match="refers to the video 'attic'"):
        read(table((0.5, BOX, 3, "sit")).assign(video="attic"), videos)


def test_boxes_without_an_id_are_tracks_with_new_numbers(video: LabelledVideo) -> None:
    assert {number: [box.frame for box in boxes] for number, boxes in tracks_of(video.boxes).items()} == {
        3: [5, 6, 19],
        4: [6],
    }

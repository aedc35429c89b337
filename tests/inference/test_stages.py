from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.inference.stages import InferenceSettings, boxes_of_video, keyframe_images, require_boxes_of, source_name
from avdet.media.array_video import ArrayVideo
from tests.inference.tiny_detector import two_persons
from tests.media.make_videos import write_broken_download


def test_chunks_of_a_part_of_a_video() -> None:
    video = ArrayVideo(np.zeros((100, 4, 4, 3), np.uint8), fps=10.0)
    assert InferenceSettings(start_s=3.0, end_s=5.0).chunks(video, None) == [(3.0, 4.0, 5.0)]
    half_seconds = InferenceSettings(start_s=8.5, chunk_size=1, keyframe_rate=2.0)
    assert half_seconds.chunks(video, None) == [(8.5,), (9.0,), (9.5,)]
    assert InferenceSettings(start_s=3.25, end_s=3.75).chunks(video, None) == [(3.5,)]
    with pytest.raises(ValueError, match=r"array ends at 10.0 s; the start, 10 s, must be earlier"):
        InferenceSettings(start_s=10.0).chunks(video, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keyframe_rate": 0.0}, "above 0"),
        ({"keyframe_rate": float("nan")}, "above 0"),
        ({"start_s": 5.0, "end_s": 4.0}, "the end later than the start"),
        ({"start_s": -1.0}, "the start must be 0 or more"),
        ({"chunk_size": 0}, "1 or more"),
    ],
)
def test_invalid_settings(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InferenceSettings(**arguments)  # type: ignore[arg-type]


def test_boxes_after_the_frames_of_a_truncated_file_are_left_out(tmp_path: Path) -> None:
    broken = write_broken_download(tmp_path / "broken.mp4")
    boxes = two_persons("broken", [1.0, 2.0, 3.0, 4.0, 5.0])
    assert InferenceSettings().chunks(broken, boxes_of_video(boxes, broken)) == [(1.0, 2.0)]
    with pytest.raises(ValueError, match=r"boxes at 9 s of .* which ends at 6\.0 s"):
        InferenceSettings().chunks(broken, boxes_of_video(two_persons("broken", [9.0]), broken))


def test_boxes_past_the_end_are_left_out_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    video = write_broken_download(tmp_path / "v.mp4")
    boxes = two_persons("v.mp4", [1.0, 8.0, 9.0])
    assert InferenceSettings().chunks(video, boxes_of_video(boxes, video)) == [(1.0,)]
    assert "v ends at 6.0 s: the boxes of 2 of 3 keyframes are past it and left out, the first at 8 s" in caplog.text


def test_a_video_without_boxes_has_one_keyframe_without_persons(tmp_path: Path) -> None:
    video = write_broken_download(tmp_path / "v.mp4")
    boxes = two_persons("other", [1.0])
    (times_s,) = InferenceSettings(start_s=1.0, end_s=2.0).chunks(video, boxes_of_video(boxes, video))
    assert times_s == (1.5,)
    require_boxes_of(boxes, [video, tmp_path / "other.mp4"])
    with pytest.raises(ValueError, match="there are no boxes of 'v', but of other"):
        require_boxes_of(boxes, [video])


def test_boxes_determine_the_keyframes() -> None:
    video = ArrayVideo(np.zeros((100, 4, 4, 3), np.uint8), fps=10.0, name="v")
    boxes = two_persons("v", [7.3, 1.0, 4.0])
    boxes.loc[boxes["timestamp"] == 4.0, "score"] = 0.5
    settings = InferenceSettings(start_s=0.5, end_s=8.0)
    assert settings.chunks(video, boxes_of_video(boxes, video)) == [(1.0, 7.3)]
    assert InferenceSettings(start_s=2.0, end_s=7.0).chunks(video, boxes_of_video(boxes, video)) == [(4.5,)]
    with pytest.raises(ValueError, match=r"the table of boxes has two boxes of person 4 in 'v' at 1 s"):
        boxes_of_video(two_persons("v", [1.0]).assign(person_id=4), video)
    with pytest.raises(ValueError, match=r"the table of boxes has the row .*, a box in pixels"):
        boxes_of_video(two_persons("v", [1.0]).assign(x2=50.0), video)


def test_keyframe_images_are_decoded_only_if_needed(tmp_path: Path) -> None:
    video = ArrayVideo(np.arange(4, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3), fps=1.0, name="v")
    images = keyframe_images(video, [1.5, 3.0])
    assert [(image.video, image.time_s, int(image.rgb[0, 0, 0])) for image in images] == [("v", 1.5, 1), ("v", 3.0, 3)]
    (image,) = keyframe_images(tmp_path / "missing.mp4", [2.0], needs_frames=False)
    assert (image.video, image.time_s) == (source_name(tmp_path / "missing.mp4"), 2.0) == ("missing", 2.0)

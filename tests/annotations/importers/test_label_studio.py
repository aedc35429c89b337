"""Label Studio's export of a region as its front end writes it; frames and boxes worked out by hand."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from avdet.annotations.importers.video_index import VideoIndex
from tests.annotations.importers.label_files import read

START = {"frame": 1, "enabled": True, "rotation": 0, "x": 10, "y": 20, "width": 20, "height": 60, "time": 0.1}


def keyframe(frame: int, *, enabled: bool = True, **changes: float) -> dict[str, Any]:
    return {**START, "frame": frame, "enabled": enabled, **changes}


def region(*sequence: dict[str, Any], labels: tuple[str, ...] = ("wave",), frames: int = 20) -> dict[str, Any]:
    value = {"framesCount": frames, "duration": 2.0, "sequence": list(sequence), "labels": list(labels)}
    return {"id": "abc", "type": "videorectangle", "from_name": "box", "to_name": "video", "value": value}


def task(*results: dict[str, Any], video: str = "/data/upload/3/1a2b3c4d-garden.mp4") -> dict[str, Any]:
    return {"id": 5, "annotations": [{"id": 9, "result": list(results)}], "data": {"video": video}}


def rows(content: object, videos: VideoIndex, folder: Path, omitted: Counter[str] | None = None) -> list[list[Any]]:
    (folder / "a.json").write_text(json.dumps(content))
    table = read(folder / "a.json", videos, omitted)
    assert set(table["video"]) == {"garden"}
    return table.drop(columns=["video", "person_id"]).round(6).to_numpy().tolist()


def test_boxes_move_linearly_from_frame_1_to_the_keyframe_that_ends_them(videos: VideoIndex, tmp_path: Path) -> None:
    content = [task(region(START, keyframe(5, enabled=False, x=50), keyframe(19, y=0)))]
    assert rows(content, videos, tmp_path) == [
        [0.0, 0.1, 0.2, 0.3, 0.8, "wave"],
        [0.1, 0.2, 0.2, 0.4, 0.8, "wave"],
        [0.2, 0.3, 0.2, 0.5, 0.8, "wave"],
        [0.3, 0.4, 0.2, 0.6, 0.8, "wave"],
        [0.4, 0.5, 0.2, 0.7, 0.8, "wave"],
        [1.8, 0.1, 0.0, 0.3, 0.6, "wave"],
        [1.9, 0.1, 0.0, 0.3, 0.6, "wave"],
    ]


def test_a_keyframe_that_is_not_enabled_is_a_box_on_one_frame(videos: VideoIndex, tmp_path: Path) -> None:
    content = [task(region(keyframe(3, enabled=False), keyframe(7, enabled=False, x=50)))]
    assert rows(content, videos, tmp_path) == [[0.2, 0.1, 0.2, 0.3, 0.8, "wave"], [0.6, 0.5, 0.2, 0.7, 0.8, "wave"]]


def test_the_box_turns_about_its_upper_left_corner(videos: VideoIndex, tmp_path: Path) -> None:
    """16 x 12 pixels at (32, 12) of 64 x 48, turned clockwise by a right angle: 12 x 16 to the left and below."""
    turned = keyframe(20, x=50, y=25, width=25, height=25, rotation=90)
    assert rows([task(region(turned))], videos, tmp_path) == [[1.9, 20 / 64, 0.25, 0.5, 0.583333, "wave"]]


@pytest.mark.parametrize(
    "video", ["garden", "s3://a/garden.mp4", "/data/local-files/?d=clips/garden.mp4", "https://a.b/c/garden.mp4?x=1"]
)
def test_videos_are_found_by_name_path_or_url(videos: VideoIndex, tmp_path: Path, video: str) -> None:
    assert rows([task(region(keyframe(20)), video=video)], videos, tmp_path)[0][0] == 1.9


def test_choices_of_a_region_replace_its_label(videos: VideoIndex, tmp_path: Path) -> None:
    base = {"id": "abc", "to_name": "video"}
    choices = {**base, "type": "choices", "from_name": "pose", "value": {"choices": ["sit", "talk"]}}
    name = {**base, "type": "textarea", "from_name": "person", "value": {"text": ["Ann"]}}
    timeline = {"id": "x", "type": "timelinelabels", "value": {"ranges": [], "timelinelabels": ["sit"]}}
    omitted: Counter[str] = Counter()
    content = task(region(keyframe(20)), choices, name, timeline)
    assert [row[-1] for row in rows([content], videos, tmp_path, omitted)] == ["sit", "talk"]
    assert +omitted == {"results of type timelinelabels without a box": 1}


def test_a_count_of_frames_at_another_rate_is_reported(videos: VideoIndex, tmp_path: Path) -> None:
    """Label Studio counted 48 frames in 2 s, at its own 24 fps; the file has 20 at 10 fps. Frame 25 begins at 1 s."""
    content = [task(region(keyframe(25), keyframe(25, enabled=False), frames=48))]
    assert rows(content, videos, tmp_path)[0][0] == 1.0


def test_json_min_is_read(videos: VideoIndex, tmp_path: Path) -> None:
    content = [{"id": 1, "video": "garden.mp4", "box": [region(keyframe(20))["value"]], "annotator": 1}]
    assert rows(content, videos, tmp_path) == [[1.9, 0.1, 0.2, 0.3, 0.8, "wave"]]

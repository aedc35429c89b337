import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from avdet.annotations.importers.rows import VideoIndex
from tests.annotations.importers.label_files import (
    EXPECTED,
    coco,
    coco_with_file_names,
    read,
    youtube_vis_of_every_fifth_frame,
)

COCO = json.dumps(coco())


def test_crowds_are_omitted(videos: VideoIndex, tmp_path: Path) -> None:
    content = coco()
    content["annotations"].append({**content["annotations"][0], "iscrowd": 1})
    (tmp_path / "a.json").write_text(json.dumps(content))
    omitted: Counter[str] = Counter()
    assert read(tmp_path / "a.json", videos, omitted).to_numpy().tolist() == EXPECTED
    assert +omitted == {"crowd annotations": 1, "box parts outside the frame": 1}


@pytest.mark.parametrize("size", [{"height": 0}, {"width": None}, {"width": 0, "height": 0}])
def test_a_missing_size_is_read_from_the_video(videos: VideoIndex, tmp_path: Path, size: dict[str, Any]) -> None:
    content = coco()
    content["videos"][0] |= size
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read(tmp_path / "a.json", videos).to_numpy().tolist() == EXPECTED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps({**coco(), "videos": []}), "no section videos"),
        (COCO.replace("frame_index", "number"), "image 5 has no frame number; add a frame_index"),
        (
            json.dumps(youtube_vis_of_every_fifth_frame()).replace('"kitchen one/00000.jpg", ', ""),
            "annotation 1 has 3 boxes, but its video lists 2 frames",
        ),
        (
            json.dumps(coco_with_file_names('[{"frame_id": 0}, {"frame_id": 1}, {"frame_id": 2}]')),
            r"image 5 has frame number 1, but the file name kitchen one/00005\.jpg",
        ),
        (COCO.replace("[16, 12, 16, 36]", "[16, 12, 16]"), r"annotation 1: its box is \[16, 12"),
        (COCO.replace('"category_id": 4', '"category_id": 9'), "annotation 3 has a video or category that"),
    ],
)
def test_invalid_files_are_refused(videos: VideoIndex, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.json", videos)

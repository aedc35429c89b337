import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from avdet.annotations.importers.video_index import VideoIndex
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
        (json.dumps({**coco(), "videos": []}), "the image '', whose name has no frame number"),
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


def test_an_images_own_size_comes_before_the_videos(videos: VideoIndex, tmp_path: Path) -> None:
    content = coco()
    for image in content["images"]:
        image |= {"width": 128, "height": 96}
    for annotation in content["annotations"]:
        annotation["bbox"] = [2 * value for value in annotation["bbox"]]
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read(tmp_path / "a.json", videos).to_numpy().tolist() == EXPECTED


def test_attributes_of_cvat_and_datumaro_are_read(videos: VideoIndex, tmp_path: Path) -> None:
    """Without a section `videos`, the images name the video; tracks are an attribute."""
    content = coco()
    del content["videos"]
    content["images"] = [{"id": frame, "file_name": f"kitchen one_{frame:06d}.PNG"} for frame in (5, 10)]
    for annotation, value in zip(content["annotations"], ("stand", "talk", "wave"), strict=True):
        attributes = {
            "occluded": False,
            "track_id": annotation.pop("track_id"),
            "does": value,
            "eats": False,
            "kg": 7.5,
        }
        annotation |= {"category_id": 1, "attributes": attributes}
    (tmp_path / "a.json").write_text(json.dumps(content))
    notes: dict[str, None] = {}
    assert read(tmp_path / "a.json", videos, notes=notes).to_numpy().tolist() == EXPECTED
    assert list(notes)[1:] == [
        "a.json: actions from does, eats; identity from track_id; not read: occluded (state of the box; 3 values), kg "
        "(numbers; 3 values), labels stand (3)"
    ]


def test_an_image_without_a_box_is_a_keyframe(videos: VideoIndex, tmp_path: Path) -> None:
    content = coco()
    content["images"].append(content["images"][0] | {"id": 99, "frame_index": 15, "file_name": "0015.jpg"})
    (tmp_path / "a.json").write_text(json.dumps(content))
    rows = read(tmp_path / "a.json", videos)
    assert rows.iloc[-1][["video", "timestamp", "action", "person_id"]].tolist() == ["kitchen one", 1.5, "", -1]
    assert rows.iloc[:-1].to_numpy().tolist() == EXPECTED

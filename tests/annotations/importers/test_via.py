import json
from collections import Counter
from pathlib import Path

import pytest

from avdet.annotations.importers.video_index import VideoIndex
from tests.annotations.importers.label_files import EXPECTED, read, via

PROJECT = json.dumps(via())


def test_circles_segments_and_boxes_without_an_action_are_omitted(videos: VideoIndex, tmp_path: Path) -> None:
    project = via()
    project["metadata"]["circle"] = {"vid": "1", "z": [0.5], "xy": [3, 16, 12, 16], "av": {"1": "1"}}
    project["metadata"]["idle"] = {"vid": "1", "z": [0.5], "xy": [2, 16, 12, 16, 36], "av": {}}
    (tmp_path / "a.json").write_text(json.dumps(project))
    omitted: Counter[str] = Counter()
    assert read(tmp_path / "a.json", videos, omitted).to_numpy().tolist() == EXPECTED
    assert +omitted == {
        "regions other than rectangles at a single time": 1,
        "boxes without an action": 1,
        "temporal segments without a box": 1,
        "box parts outside the frame": 1,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps({**via(), "view": {}}), "names no file for its view 1"),
        (PROJECT.replace("[2, 16, 12, 16, 36]", "[2, 16, 12]"), "region 1_a: the rectangle is"),
        (PROJECT.replace("[0.5]", '["now"]'), r"region 1_a: the time is \['now'\]"),
        (PROJECT.replace('"1": "1,2"', '"1": "1,9"'), "region 1_a has the option '9', which its attribute does not"),
    ],
)
def test_invalid_projects_are_refused(videos: VideoIndex, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.json", videos)


def test_rectangles_on_images_are_those_of_frames(videos: VideoIndex, tmp_path: Path) -> None:
    """Frames are counted from 1 where the smallest number is 1."""
    project = via()
    project["file"] = {
        key: {"fname": f"garden_{frame:06d}.jpg", "type": 2} for key, frame in (("7", 1), ("8", 11), ("9", 20))
    }
    project["view"] = {"1": {"fid_list": ["7"]}, "2": {"fid_list": ["8"]}}
    box = {"z": [], "xy": [2, 16, 12, 16, 36]}
    project["metadata"] = {"a": {"vid": "1", "av": {"1": "1"}, **box}, "b": {"vid": "2", "av": {"1": "1,3"}, **box}}
    (tmp_path / "a.json").write_text(json.dumps(project))
    table = read(tmp_path / "a.json", videos)
    empty = table.loc[table["action"] == "", ["video", "timestamp", "action"]].to_numpy().tolist()
    rows = table.loc[table["action"] != "", ["video", "timestamp", "x1", "y2", "action"]].to_numpy().tolist()
    assert rows == [
        ["garden", 0.0, 0.25, 1.0, "stand"], ["garden", 1.0, 0.25, 1.0, "stand"], ["garden", 1.0, 0.25, 1.0, "wave"]
    ]  # fmt: skip
    assert empty == [["garden", 1.9, ""]]


def via_csv(header: str) -> str:
    """The same regions as VIA's CSV export writes them."""
    project = via()
    lines = ["# Exported using VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)", header]
    lines.append("# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata")
    for key, region in project["metadata"].items():
        cells = [
            json.dumps(cell).replace('"', '""')
            for cell in (["kitchen one.mp4"], region["z"], region["xy"], region["av"])
        ]
        lines.append(f'"{key}","{cells[0]}",0,"{cells[1]}","{cells[2]}","{cells[3]}"')
    return "\n".join(lines) + "\n"


def test_the_csv_export_names_videos_by_their_address(videos: VideoIndex, tmp_path: Path) -> None:
    text = via_csv(f"# ATTRIBUTE = {json.dumps(via()['attribute'])}")
    (tmp_path / "a.csv").write_text(text.replace("kitchen one.mp4", "file:///clips/kitchen%20one.mp4"))
    assert read(tmp_path / "a.csv", videos).to_numpy().tolist() == EXPECTED


def test_the_csv_export_is_read_with_its_names(videos: VideoIndex, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(via_csv(f"# ATTRIBUTE = {json.dumps(via()['attribute'])}"))
    assert read(tmp_path / "a.csv", videos).to_numpy().tolist() == EXPECTED
    (tmp_path / "a.csv").write_text(via_csv('# ATTRIBUTES = {"1":"action","2":"person"}'))
    with pytest.raises(
        ValueError, match=r"region 1_a: the value '1,2' is an option's id: .*; give the project \(JSON\)"
    ):
        read(tmp_path / "a.csv", videos)

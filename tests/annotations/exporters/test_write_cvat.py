import json
from pathlib import Path
from xml.etree import ElementTree

from avdet.annotations.exporters.labelled_videos import LabelledVideo
from avdet.annotations.exporters.write_cvat import write_cvat
from tests.annotations.exporters.conftest import ACTIONS


def test_a_track_is_outside_after_each_box_that_does_not_continue(video: LabelledVideo, tmp_path: Path) -> None:
    """Frames 5 and 6 follow one another; frame 19 is the last of the video."""
    path, _ = write_cvat([video], ACTIONS, tmp_path)
    root = ElementTree.parse(path).getroot()
    assert path.name == "kitchen one.xml" and root.findtext("meta/task/source") == "kitchen one.mp4"
    assert [track.get("id") for track in root.iterfind("track")] == ["3", "4"]
    boxes = root.findall("track[@id='3']/box")
    assert [(box.get("frame"), box.get("outside")) for box in boxes] == [
        ("5", "0"), ("6", "0"), ("7", "1"), ("19", "0"),
    ]  # fmt: skip
    assert [boxes[0].get(side) for side in ("xtl", "ytl", "xbr", "ybr")] == ["16.00", "12.00", "32.00", "48.00"]
    assert [[attribute.text for attribute in box] for box in (boxes[0], boxes[3])] == [
        ["true", "false"],
        ["true", "true"],
    ]


def test_the_labels_of_the_task_are_those_of_the_file(video: LabelledVideo, tmp_path: Path) -> None:
    path, labels = write_cvat([video], ACTIONS, tmp_path)
    (label,) = json.loads(labels.read_text())
    assert label["name"] == "person" and [one["name"] for one in label["attributes"]] == list(ACTIONS)
    assert all(one["input_type"] == "checkbox" and one["mutable"] for one in label["attributes"])
    defined = ElementTree.parse(path).getroot().iterfind("meta/task/labels/label/attributes/attribute")
    assert [one.findtext("name") for one in defined] == list(ACTIONS)

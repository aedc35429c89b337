import json
from pathlib import Path
from xml.etree import ElementTree

from avdet.annotations.exporters.labelled_videos import LabelledVideo
from avdet.annotations.exporters.write_label_studio import write_label_studio
from tests.annotations.exporters.conftest import ACTIONS


def test_a_person_has_a_region_per_set_of_actions(video: LabelledVideo, tmp_path: Path) -> None:
    """Frames count from 1. `enabled` is false on the last frame of each run of frames."""
    tasks, _ = write_label_studio([video], ACTIONS, tmp_path)
    (task,) = json.loads(tasks.read_text())
    results = task["annotations"][0]["result"]
    sequences = {one["id"]: one["value"]["sequence"] for one in results if one["type"] == "videorectangle"}
    frames = {key: [(one["frame"], one["enabled"]) for one in sequence] for key, sequence in sequences.items()}
    assert frames == {
        "kitchen one_3_0": [(6, True), (7, False)],
        "kitchen one_3_1": [(20, False)],
        "kitchen one_4_0": [(7, False)],
    }
    first = sequences["kitchen one_3_0"][0]
    assert [first[name] for name in ("x", "y", "width", "height", "time")] == [25.0, 25.0, 25.0, 75.0, 0.5]
    choices = {one["id"]: one["value"]["choices"] for one in results if one["type"] == "choices"}
    assert choices == {"kitchen one_3_0": ["sit"], "kitchen one_3_1": list(ACTIONS)}
    assert [one["value"]["text"] for one in results if one["type"] == "textarea"] == [["3"], ["3"], ["4"]]


def test_the_video_is_a_file_of_the_local_storage_with_its_rate(video: LabelledVideo, tmp_path: Path) -> None:
    tasks, _ = write_label_studio([video], ACTIONS, tmp_path)
    assert json.loads(tasks.read_text())[0]["data"] == {
        "video": "/data/local-files/?d=videos/kitchen%20one.mp4",
        "fps": 10.0,
    }


def test_the_config_has_a_control_for_each_result(video: LabelledVideo, tmp_path: Path) -> None:
    tasks, config = write_label_studio([video], ACTIONS, tmp_path)
    view = ElementTree.parse(config).getroot()
    results = json.loads(tasks.read_text())[0]["annotations"][0]["result"]
    assert {(one["from_name"], one["type"]) for one in results} <= {(tag.get("name"), tag.tag.lower()) for tag in view}
    assert [choice.get("value") for choice in view.iterfind("Choices/Choice")] == list(ACTIONS)

import json
from pathlib import Path

from avdet.annotations.exporters.labelled_videos import LabelledVideo
from avdet.annotations.exporters.write_via import write_via
from tests.annotations.exporters.conftest import ACTIONS


def test_boxes_are_rectangles_at_times(video: LabelledVideo, tmp_path: Path) -> None:
    (path,) = write_via([video], ACTIONS, tmp_path)
    project = json.loads(path.read_text())
    assert list(project["attribute"]["1"]["options"].values()) == list(ACTIONS)
    assert [(region["z"], region["xy"], region["av"]) for region in project["metadata"].values()] == [
        ([0.5], [2, 16.0, 12.0, 16.0, 36.0], {"1": "0", "2": "3"}),
        ([0.6], [2, 32.0, 12.0, 16.0, 36.0], {"1": "0", "2": "3"}),
        ([0.6], [2, 0.0, 0.0, 32.0, 24.0], {"1": ""}),
        ([1.9], [2, 32.0, 12.0, 16.0, 36.0], {"1": "0,1", "2": "3"}),
    ]
    assert project["file"]["1"]["src"] == (Path.cwd() / "videos/kitchen one.mp4").as_uri()
    assert project["view"]["1"]["fid_list"] == ["1"] and project["project"]["vid_list"] == ["1"]

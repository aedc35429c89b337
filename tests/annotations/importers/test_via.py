import json
from collections import Counter
from pathlib import Path

import pytest

from avdet.annotations.importers.rows import VideoIndex
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

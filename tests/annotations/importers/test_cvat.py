from collections import Counter
from pathlib import Path

import pytest

from avdet.annotations.importers.rows import VideoIndex
from tests.annotations.importers.label_files import CVAT, EXPECTED, read


def test_polygons_and_boxes_without_an_action_are_omitted(videos: VideoIndex, tmp_path: Path) -> None:
    polygon = '<polygon frame="3" outside="0" points="1,1;2,2;3,1"/><polygon frame="4" outside="1" points="1,1"/>'
    idle = '<box frame="3" xtl="0" ytl="0" xbr="9" ybr="9"><attribute name="eat">false</attribute></box>'
    (tmp_path / "a.xml").write_text(CVAT.replace('label="wave">', f'label="wave">{polygon}{idle}'))
    omitted: Counter[str] = Counter()
    assert read(tmp_path / "a.xml", videos, omitted).to_numpy().tolist() == EXPECTED
    assert +omitted == {"shapes other than boxes": 1, "boxes without an action": 1, "box parts outside the frame": 1}


def test_a_rotated_box_becomes_the_upright_one_around_it(videos: VideoIndex, tmp_path: Path) -> None:
    """16 x 36 pixels at (24, 30), rotated by a right angle, are 36 x 16."""
    (tmp_path / "a.xml").write_text(CVAT.replace('frame="5"', 'rotation="90.00" frame="5"'))
    box = read(tmp_path / "a.xml", videos)[["x1", "y1", "x2", "y2"]].to_numpy()[0].tolist()
    assert box == pytest.approx([6 / 64, 22 / 48, 42 / 64, 38 / 48])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotations>", "is not valid XML"),
        (CVAT.replace("utf-8", "utf-99"), "is not valid XML"),
        ("<html></html>", "not in the format CVAT for video 1.1"),
        (CVAT.replace("kitchen one", "cellar"), "the video 'cellar.mp4', which is not in --videos"),
        (CVAT.replace('frame="5"', 'frame="50"'), "frame 50 of kitchen one, which has 20"),
        (CVAT.replace('frame="5"', 'frame="5.5"'), r"frame 5\.5 of kitchen one"),
        (CVAT.replace('xbr="32.0"', ""), r"track 0: the box on frame 5 is \['16\.0', '12\.0', None"),
        (CVAT.replace('frame="5"', 'frame="5" rotation="left"'), "its rotation is"),
    ],
)
def test_invalid_files_are_refused(videos: VideoIndex, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.xml", videos)

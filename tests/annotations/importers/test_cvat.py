from collections import Counter
from pathlib import Path

import pytest

from avdet.annotations.importers.video_index import VideoIndex
from tests.annotations.importers.label_files import CVAT, EXPECTED, read


def test_polygons_and_boxes_without_an_action_are_omitted(videos: VideoIndex, tmp_path: Path) -> None:
    polygon = '<polygon frame="3" outside="0" points="1,1;2,2;3,1"/><polygon frame="4" outside="1" points="1,1"/>'
    idle = '<box frame="3" xtl="0" ytl="0" xbr="9" ybr="9"><attribute name="eat">false</attribute></box>'
    track = f'<track id="7" label="person">{polygon}{idle}</track>'
    (tmp_path / "a.xml").write_text(CVAT.replace("</annotations>", f"{track}</annotations>"))
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


DEFINITIONS = """<labels><label><name>goat</name><attributes>
<attribute><name>animal</name><input_type>select</input_type><values>graze\nrest</values></attribute>
<attribute><name>name id</name><input_type>text</input_type><values></values></attribute>
<attribute><name>weight</name><input_type>number</input_type><values>1;90;1</values></attribute>
</attributes></label></labels>"""


def test_an_attribute_with_options_is_no_identity(videos: VideoIndex, tmp_path: Path) -> None:
    attributes = "".join(
        f'<attribute name="{name}">{value}</attribute>'
        for name, value in {"animal": "graze", "name id": "Bella", "weight": "12"}.items()
    )
    box = f'<box frame="5" xtl="16" ytl="12" xbr="32" ybr="48">{attributes}</box>'
    text = (
        f'{CVAT[: CVAT.index("<track")]}<track id="4" label="goat">{box}{box.replace("5", "9")}</track></annotations>'
    )
    (tmp_path / "a.xml").write_text(text.replace("</id>", f"</id>{DEFINITIONS}"))
    omitted, notes = Counter[str](), dict[str, None]()
    table = read(tmp_path / "a.xml", videos, omitted, notes=notes)
    assert table[["action", "person_id"]].to_numpy().tolist() == [["graze", 0]] * 2
    assert list(notes) == [
        "a.xml: actions from animal; identity from name id; not read: weight (numbers; 2 values), labels goat (2); "
        "options, so no identity without --identity: animal"
    ]
    assert +omitted == {"keyframe gaps (frames without a box between two boxes of a track)": 1}


def test_images_without_a_box_are_keyframes(videos: VideoIndex, tmp_path: Path) -> None:
    box = '<box label="wave" xtl="16" ytl="12" xbr="32" ybr="48"/>'
    size = 'width="64" height="48"'
    images = f'<image id="0" name="garden_5.jpg" {size}>{box}</image><image id="1" name="garden_0.jpg" {size}/>'
    (tmp_path / "a.xml").write_text(f"<annotations>{images}</annotations>")
    rows = read(tmp_path / "a.xml", videos)
    assert rows[["timestamp", "action"]].to_numpy().tolist() == [[0.0, ""], [0.5, "wave"]]


@pytest.mark.parametrize(
    ("image", "time_s"), [("frame_000005", 0.5), ("kitchen one_5.jpg", 0.5), ("garden/00005.png", 0.5)]
)
def test_images_of_a_video_are_its_frames(videos: VideoIndex, tmp_path: Path, image: str, time_s: float) -> None:
    """The image is twice as large as the video, so that (32, 24) is its (16, 12)."""
    box = '<box label="wave" xtl="32" ytl="24" xbr="64" ybr="96"><attribute name="track">3</attribute></box>'
    text = f'<image id="0" name="{image}" width="128" height="96">{box}</image><image id="1" name="{image}0"/>'
    (tmp_path / "a.xml").write_text(
        f"{CVAT[: CVAT.index('<track')]}{text.replace(image + '0', 'frame_000010')}</annotations>"
    )
    omitted: Counter[str] = Counter()
    video = "garden" if image.startswith("garden") else "kitchen one"
    assert read(tmp_path / "a.xml", videos, omitted).to_numpy().tolist() == [
        [video, time_s, 0.25, 0.25, 0.5, 1.0, "wave", 3]
    ]
    assert +omitted == {"images without a box": 1}

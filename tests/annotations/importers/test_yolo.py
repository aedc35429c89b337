"""YOLO's files of each tool. The box (16, 12) to (32, 48) of 64 x 48 pixels is 0.375 0.625 0.25 0.75."""

from collections import Counter
from pathlib import Path

import pytest

from avdet.annotations.importers.video_index import VideoIndex
from tests.annotations.importers.label_files import read

BOX = "0.375 0.625 0.25 0.75"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "person", "time_s"),
    [
        ({"classes.txt": "stand\nwave\n", "garden_6.txt": f"1 {BOX}\n", "garden_0.txt": ""}, -1, 0.6),
        ({"data.yaml": "names: [stand, wave]", "labels/train/garden_000006.txt": f"1 {BOX}"}, -1, 0.6),
        ({"data.yaml": "names: {0: a, 1: wave}", "labels/garden_mp4-6_jpg.rf.0a1b.txt": f"1 {BOX} 0.9"}, -1, 0.6),
        ({"classes.txt": "stand\nwave\n", "labels/garden_6.txt": f"1 {BOX} 0.9 4\n"}, 4, 0.6),
        ({"obj.names": "stand\nwave\n", "obj_train_data/garden/frame_000006.txt": f"1 {BOX}\n"}, -1, 0.6),
        ({"classes.txt": "stand\nwave\n", "garden_20.txt": f"1 {BOX}\n"}, -1, 1.9),
    ],
)
def test_folders_of_each_tool(
    videos: VideoIndex, tmp_path: Path, files: dict[str, str], person: int, time_s: float
) -> None:
    rows = read(write(tmp_path / "set", files), videos, keep_empty=False).to_numpy().tolist()
    assert rows == [["garden", time_s, 0.25, 0.25, 0.5, 1.0, "wave", person]]


def test_polygons_are_counted_and_images_without_a_box_are_keyframes(videos: VideoIndex, tmp_path: Path) -> None:
    polygon = "0 0.1 0.1 0.2 0.2 0.3 0.1 0.1 0.1"
    files = {"classes.txt": "stand", "garden_3.txt": f"0 {BOX}\n{polygon}\n", "garden_4.txt": ""}
    omitted: Counter[str] = Counter()
    files["street_0001.txt"] = ""  # a background of no video
    rows = read(write(tmp_path / "set", files), videos, omitted)
    assert rows[["timestamp", "action", "person_id"]].to_numpy().tolist() == [[0.3, "stand", -1], [0.4, "", -1]]
    assert +omitted == {"shapes other than boxes": 1, "images without a box": 1}
    omitted.clear()
    assert len(read(tmp_path / "set", videos, omitted, keep_empty=False)) == 1
    assert omitted["images without a box"] == 2


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"garden_1.txt": f"0 {BOX}"}, "has the class 0, which has no name; put classes.txt"),
        ({"garden_1.txt": f"0 {BOX}", "data.yaml": "names: 3"}, "data.yaml has no list of class names"),
        ({"classes.txt": "a", "cellar_1.txt": f"0 {BOX}"}, "names no video of --videos"),
    ],
)
def test_invalid_folders_are_refused(videos: VideoIndex, tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(write(tmp_path / "set", files), videos)

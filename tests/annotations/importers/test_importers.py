"""Two people in a video of 20 frames at 10 fps, 64 x 48 pixels, as each tool would have written them."""

import gzip
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ava_eval import read_ground_truth, read_label_map
from avdet.annotations.importers.read_labels import read_annotations
from avdet.annotations.importers.rows import Videos, joined, shared_people, to_rows
from avdet.annotations.importers.split_videos import split_videos, thin_out, write_data_set
from avdet.cli import import_annotations
from avdet.media.media_file import frame_times
from tests.media.make_videos import write_video

CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<meta><task><id>1</id><name>t</name><original_size><width>64</width><height>48</height></original_size>
<source>kitchen one.mp4</source></task></meta>
<track id="0" label="person" source="manual">
 <box frame="5" outside="0" occluded="0" keyframe="1" xtl="16.0" ytl="12.0" xbr="32.0" ybr="48.0">
  <attribute name="pose">stand</attribute><attribute name="talk">true</attribute>
  <attribute name="eat">false</attribute></box>
 <box frame="6" outside="1" occluded="0" keyframe="1" xtl="16.0" ytl="12.0" xbr="32.0" ybr="48.0">
  <attribute name="pose">stand</attribute></box>
</track>
<track id="3" label="wave"><box frame="10" outside="0" xtl="-4" ytl="0" xbr="32" ybr="24"/></track>
</annotations>"""
EXPECTED = [
    ["kitchen one", 0.5, 0.25, 0.25, 0.5, 1.0, "stand", 0],
    ["kitchen one", 0.5, 0.25, 0.25, 0.5, 1.0, "talk", 0],
    ["kitchen one", 1.0, 0.0, 0.0, 0.5, 0.5, "wave", 3],
]


def via3() -> dict[str, Any]:
    options = {"1": "stand", "2": "talk", "3": "wave"}
    return {
        "project": {"pid": "x", "vid_list": ["1"]},
        "attribute": {
            "1": {"aname": "action", "type": 2, "options": options, "anchor_id": "FILE1_Z1_XY1"},
            "2": {"aname": "person", "type": 1, "options": {}, "anchor_id": "FILE1_Z1_XY1"},
        },
        "file": {"7": {"fid": "7", "fname": "kitchen one.mp4", "type": 4}},
        "view": {"1": {"fid_list": ["7"]}},
        "metadata": {
            "1_a": {"vid": "1", "flg": 0, "z": [0.5], "xy": [2, 16, 12, 16, 36], "av": {"1": "1,2", "2": "0"}},
            "1_b": {"vid": "1", "flg": 0, "z": [1.0], "xy": [2, -4, 0, 36, 24], "av": {"1": "3", "2": "P3"}},
            "1_c": {"vid": "1", "flg": 0, "z": [0.0, 1.5], "xy": [], "av": {"1": "1"}},
        },
    }


def coco() -> dict[str, Any]:
    return {
        "videos": [{"id": 1, "name": "kitchen one", "width": 64, "height": 48}],
        "images": [{"id": 5, "video_id": 1, "frame_index": 5}, {"id": 10, "video_id": 1, "frame_index": 10}],
        "categories": [{"id": 1, "name": "stand"}, {"id": 2, "name": "talk"}, {"id": 4, "name": "wave"}],
        "annotations": [
            {"id": 1, "image_id": 5, "category_id": 1, "track_id": 0, "bbox": [16, 12, 16, 36]},
            {"id": 2, "image_id": 5, "category_id": 2, "track_id": 0, "bbox": [16, 12, 16, 36]},
            {"id": 3, "image_id": 10, "category_id": 4, "track_id": 3, "bbox": [-4, 0, 36, 24]},
        ],
    }


def youtube_vis() -> dict[str, Any]:
    content = coco()
    stand, talk = [None] * 5 + [[16, 12, 16, 36]], [None] * 5 + [[16, 12, 16, 36]] + [None] * 14
    content["annotations"] = [
        {"id": 1, "video_id": 1, "category_id": 1, "instance_id": 0, "bboxes": stand},
        {"id": 2, "video_id": 1, "category_id": 2, "instance_id": 0, "bboxes": talk},
        {"id": 3, "video_id": 1, "category_id": 4, "instance_id": 3, "bboxes": [None] * 10 + [[-4, 0, 36, 24]]},
    ]
    del content["images"]
    return content


def named(numbers: str, *, first: int = 0) -> dict[str, Any]:
    """Frames 0, 5 and 10, whose pictures are named by number: 00000.jpg, 00005.jpg, 00010.jpg. numbers: images' own."""
    content = coco()
    content["images"] = [
        {"id": frame, "video_id": 1, "file_name": f"kitchen one/{frame + first:05d}.jpg", **own}
        for frame, own in zip((0, 5, 10), json.loads(numbers), strict=True)
    ]
    return content


def youtube_vis_of_every_fifth_frame() -> dict[str, Any]:
    content = youtube_vis()
    content["videos"][0]["file_names"] = [f"kitchen one/{frame:05d}.jpg" for frame in (0, 5, 10)]
    for annotation in content["annotations"]:
        annotation["bboxes"] = [None, *annotation["bboxes"][5::5], None, None][:3]
    return content


SHARES = """Video,Time,xmin,ymin,xmax,ymax,Label,Track
kitchen one.mp4,0.5,0.25,0.25,0.5,1.0,stand,0
kitchen one.mp4,0.5,0.25,0.25,0.5,1.0,talk,0
kitchen one.mp4,1,0,0,0.5,0.5,wave,3
"""
PIXELS = "video\tframe\tx1\ty1\tx2\ty2\taction\tperson\r\n" + "".join(
    f"kitchen one\t{row}\r\n"
    for row in ("5\t16\t12\t32\t48\t1\t0", "5\t16\t12\t32\t48\t2\t0", "10\t0\t0\t32\t24\t4\t3")
)
AVA = "kitchen one,0000.5,0.25,0.25,0.5,1,1,0\nkitchen one,0.5,0.25,0.25,0.5,1,2,0\nkitchen one,1.0,0,0,0.5,0.5,4,3\n"
FORMS = {
    "cvat.xml": CVAT,
    "via.json": json.dumps(via3()),
    "coco.json": json.dumps(coco()),
    "ytvis.json": json.dumps(youtube_vis()),
    "fifths.json": json.dumps(youtube_vis_of_every_fifth_frame()),
    "from0.json": json.dumps(named('[{"frame_id": 0}, {"frame_id": 5}, {"frame_id": 10}]')),
    "from1.json": json.dumps(named('[{"frame_id": 1}, {"frame_id": 6}, {"frame_id": 11}]', first=1)),
    "mixed.json": json.dumps(named('[{"frame_id": 0}, {"frame_id": 5}, {"frame_id": 10}]', first=1)),
    "index.json": json.dumps(named('[{"frame_index": 0}, {"frame_index": 5}, {"frame_index": 10}]', first=7)),
    "shares.csv": SHARES,
    "pixels.tsv": PIXELS,
    "ava.csv": AVA,
}


def read(path: Path, videos: Videos, names: dict[int, str], left_out: Counter[str]) -> pd.DataFrame:
    return joined([read_annotations(path, videos, names, left_out)], left_out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "kitchen one.mp4", num_frames=20, fps=10)
    write_video(folder / "garden.mp4", num_frames=20, fps=10)
    return folder


@pytest.fixture
def videos(folder: Path) -> Videos:
    return Videos({path.stem: path for path in folder.iterdir()})


@pytest.mark.parametrize("name", FORMS)
def test_every_form_says_the_same(videos: Videos, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(FORMS[name], newline="")
    table = read(path, videos, {1: "stand", 2: "talk", 4: "wave"}, Counter())
    assert table.to_numpy().tolist() == EXPECTED


def polygons_and_idle_boxes() -> str:
    polygon = '<polygon frame="3" outside="0" points="1,1;2,2;3,1"/><polygon frame="4" outside="1" points="1,1"/>'
    idle = '<box frame="3" xtl="0" ytl="0" xbr="9" ybr="9"><attribute name="eat">false</attribute></box>'
    return CVAT.replace('label="wave">', f'label="wave">{polygon}{idle}')


def circles_and_idle_boxes() -> str:
    circle = {"vid": "1", "z": [0.5], "xy": [3, 16, 12, 16], "av": {"1": "1"}}
    idle = {"vid": "1", "z": [0.5], "xy": [2, 16, 12, 16, 36], "av": {}}
    project = via3()
    return json.dumps({**project, "metadata": {**project["metadata"], "circle": circle, "idle": idle}})


def crowds() -> str:
    content = coco()
    content["annotations"].append({**content["annotations"][0], "iscrowd": 1})
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        (
            polygons_and_idle_boxes(),
            {"shapes that are no box": 1, "boxes without an action": 1, "parts of boxes outside their frame": 1},
        ),
        (
            circles_and_idle_boxes(),
            {
                "regions that are no rectangle at one time": 1,
                "boxes without an action": 1,
                "segments of time without a box": 1,
                "parts of boxes outside their frame": 1,
            },
        ),
        (crowds(), {"crowds": 1, "parts of boxes outside their frame": 1}),
        (
            SHARES + "kitchen one,0.5,0,0,1,1,,3\nkitchen one,0.5,0.25,0.25,0.5,1,talk,\n",
            {"rows without an action": 1, "repeated rows": 1},
        ),
    ],
)
def test_what_gives_no_row_is_counted(videos: Videos, tmp_path: Path, text: str, left_out: dict[str, int]) -> None:
    (tmp_path / "a").write_text(text)
    counts: Counter[str] = Counter()
    assert read(tmp_path / "a", videos, {}, counts).to_numpy().tolist() == EXPECTED
    assert +counts == left_out


@pytest.mark.parametrize(
    ("header", "people", "ids"),
    [
        ("person", ["7", "P", "", "P"], [0, 1, -1, 1]),
        ("person", ["Ann", "Bob", "-1", "Ann"], [0, 1, -1, 0]),
        ("person", ["NA", "4", "nan", "None"], [-1, 4, -1, -1]),
        ("track", ["P7", "P3", "", "P3"], [7, 3, -1, 3]),
        ("track", ["A1", "B1", "", "B1"], [0, 1, -1, 1]),
        ("person", ["2.0", "5.0", "-1.0", "2.0"], [2, 5, -1, 2]),
        ("person", ["5000000000", "3", "3", "3"], [1, 0, 0, 0]),
        ("id", ["2", "5", "5", "5"], [2, 5, 5, 5]),
        ("id", ["1", "2", "3", "4"], [-1] * 4),
        ("id,person", ["1,8", "2,8", "3,9", "4,9"], [8, 8, 9, 9]),
    ],
)
def test_people_are_numbered(videos: Videos, tmp_path: Path, header: str, people: list[str], ids: list[int]) -> None:
    rows = "".join(f"garden,{second},0,0,1,1,sit,{who}\n" for second, who in enumerate(people))
    (tmp_path / "a.csv").write_text(f"video,time,x1,y1,x2,y2,action,{header}\n{rows}")
    assert read(tmp_path / "a.csv", videos, {}, Counter())["person_id"].tolist() == ids


def test_people_are_numbered_over_all_files(videos: Videos, tmp_path: Path) -> None:
    """Ann and Bob are two, though each is the first of a file; whom both files name is one."""
    tables: list[pd.DataFrame] = []
    for name, people in {"a.csv": ["Ann", "Cy"], "b.csv": ["Bob", "Cy"]}.items():
        rows = "".join(f"garden,{second}.{len(tables)},0,0,1,1,None,{who}\n" for second, who in enumerate(people))
        (tmp_path / name).write_text(f"video,time,x1,y1,x2,y2,action,person\n{rows}")
        tables.append(read_annotations(tmp_path / name, videos, {}, Counter()))
    table = joined(tables, Counter())
    assert table["person_id"].tolist() == [0, 1, 2, 2] and set(table["action"]) == {"None"}
    assert shared_people(tables) == ["garden"] and shared_people(tables[:1]) == []


def test_two_in_one_box_stay_two_and_nobody_is_one_of_them(videos: Videos, tmp_path: Path) -> None:
    tables: list[pd.DataFrame] = []
    for people in (["Ann", "Bob"], ["", "Ann"]):
        rows = "".join(f"garden,1,0,0,1,1,sit,{who}\n" for who in people)
        (tmp_path / "a.csv").write_text(f"video,time,x1,y1,x2,y2,action,person\n{rows}")
        tables.append(read_annotations(tmp_path / "a.csv", videos, {}, Counter()))
    left_out: Counter[str] = Counter()
    assert joined(tables[::-1], left_out)["person_id"].tolist() == [0, 1] and left_out["repeated rows"] == 2


def test_a_turned_box_becomes_the_upright_one_around_it(videos: Videos, tmp_path: Path) -> None:
    """Of 16 x 36 at (24, 30), turned by a right angle: 36 x 16 there."""
    (tmp_path / "a.xml").write_text(CVAT.replace('frame="5"', 'rotation="90.00" frame="5"'))
    box = read(tmp_path / "a.xml", videos, {}, Counter())[["x1", "y1", "x2", "y2"]].to_numpy()[0].tolist()
    assert box == pytest.approx([6 / 64, 22 / 48, 42 / 64, 38 / 48])


def test_ids_of_actions_may_be_written_as_floats(videos: Videos, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("garden,0.5,0,0,1,1,2.0,0\n")
    assert read(tmp_path / "a.csv", videos, {2: "sit"}, Counter())["action"].tolist() == ["sit"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_gzip_is_known_by_its_bytes(videos: Videos, tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "labels.csv.gz"
    path.write_bytes(pack(SHARES.encode()))
    assert read(path, videos, {}, Counter()).to_numpy().tolist() == EXPECTED


def test_what_cvat_packs(videos: Videos, tmp_path: Path) -> None:
    path = tmp_path / "task.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("annotations.xml", CVAT)
        archive.writestr("images/1.jpg", "")
    assert read(path, videos, {}, Counter()).to_numpy().tolist() == EXPECTED
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.json", "{}")
    with pytest.raises(ValueError, match="holds 2 annotation files; unpack it"):
        read(path, videos, {}, Counter())


@pytest.mark.parametrize("size", [{"height": 0}, {"width": None}, {"width": 0, "height": 0}])
def test_a_size_that_coco_leaves_out_is_the_videos_own(videos: Videos, tmp_path: Path, size: dict[str, Any]) -> None:
    content = coco()
    content["videos"][0] |= size
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read(tmp_path / "a.json", videos, {}, Counter()).to_numpy().tolist() == EXPECTED


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.xml", "<annotations>", "no readable XML"),
        ("a.xml", "<html></html>", "CVAT for video 1.1"),
        ("a.xml", CVAT.replace("kitchen one", "cellar"), "the video 'cellar.mp4', which is not in --videos"),
        ("a.xml", CVAT.replace('frame="5"', 'frame="50"'), "frame 50 of kitchen one, which has 20"),
        ("a.json", "{", "no readable JSON"),
        ("a.json", "{}", "neither a VIA 3 project nor COCO"),
        ("a.json", json.dumps({**via3(), "view": {}}), "names no file for its view 1"),
        ("a.json", json.dumps({**coco(), "videos": []}), "no section videos"),
        ("a.json", FORMS["coco.json"].replace("frame_index", "number"), "does not say which frame it is"),
        (
            "a.json",
            FORMS["fifths.json"].replace('"kitchen one/00000.jpg", ', ""),
            "annotation 1 has 3 boxes, but its video lists 2 pictures",
        ),
        (
            "a.json",
            json.dumps(named('[{"frame_id": 0}, {"frame_id": 1}, {"frame_id": 2}]')),
            r"image 5 is frame 1 by its number, but its name is kitchen one/00005\.jpg",
        ),
        ("a.json", FORMS["coco.json"].replace('"bbox"', '"box"'), "lacks 'bbox'"),
        ("a.json", '{"annotations": "é"}'.encode("latin-1"), r"a\.json is no readable JSON .*as UTF-8"),
        (
            "a.json",
            FORMS["coco.json"].replace("[16, 12, 16, 36]", "[16, 12, 16]"),
            r"annotation 1: its box is \[16, 12",
        ),
        (
            "a.json",
            FORMS["coco.json"].replace('"category_id": 4', '"category_id": 9'),
            "annotation 3 has no video or no",
        ),
        ("a.json", json.dumps({**coco(), "annotations": [7]}), r"a\.json holds something else than its form demands"),
        ("a.json", FORMS["via.json"].replace("[2, 16, 12, 16, 36]", "[2, 16, 12]"), "region 1_a: the rectangle is"),
        ("a.json", FORMS["via.json"].replace("[0.5]", '["now"]'), r"region 1_a: the time is \['now'\]"),
        ("a.xml", CVAT.replace('xbr="32.0"', ""), r"track 0: the box on frame 5 is \['16\.0', '12\.0', None"),
        ("a.xml", CVAT.replace('frame="5"', 'frame="5" rotation="left"'), "its rotation is"),
        ("a.xml", CVAT.replace('frame="5"', 'frame="5.5"'), r"frame 5\.5 of kitchen one"),
        ("a.xml", CVAT.replace("utf-8", "utf-99"), "no readable XML"),
        ("a.csv", PIXELS.replace("\t10\t", "\t9.5\t"), r"line 4 has a box on frame 9\.5 of kitchen one"),
        ("a.csv", gzip.compress(SHARES.encode())[:40], "is an archive that cannot be read"),
        ("a.csv", SHARES.replace("xmax", "width"), "has no column x2"),
        ("a.csv", SHARES.replace("0.25,0.25", "left,0.25"), "line 2: a time or box is no finite number"),
        ("a.csv", SHARES.replace("0,0,0.5", "0,0,inf"), "line 4: a time or box is no finite number"),
        ("a.csv", SHARES.replace("\n", "\n\n").replace("0,0,0.5", "nan,0,0.5"), "line 7: a time or box is no finite"),
        (
            "a.csv",
            SHARES.replace("0,0,0.5,0.5", "0,0,32,24"),
            r"line 2: the box 0\.25,.* but that of line 4, 0,0,32,24,",
        ),
        ("a.csv", AVA.replace(",4,3", ",5,3"), "the action id 5, whose name nobody knows"),
        ("a.csv", "", "is empty; give a table with a row a person and action"),
        ("a.csv", ",,\n", "is empty"),
    ],
)
def test_what_is_wrong_is_said(videos: Videos, tmp_path: Path, name: str, text: str | bytes, sentence: str) -> None:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=sentence):
        read(path, videos, {1: "stand", 2: "talk", 4: "wave"}, Counter())


@pytest.mark.parametrize("names", [("a/3.mp4", "b/3.mp4"), ("3.left", "3.right"), ("3", "C:\\a\\3.AVI", "b\\3.mp4")])
def test_two_films_do_not_become_one(names: tuple[str, ...]) -> None:
    videos = Videos({"3": Path("3.mp4")})
    *first, last = names
    assert {videos.name_of(name, Path("a.csv")) for name in first} == {"3"}
    with pytest.raises(ValueError, match="both would be 3 of --videos"):
        videos.name_of(last, Path("a.csv"))


def test_one_film_may_be_named_in_several_ways() -> None:
    videos = Videos({"3": Path("3.mp4"), "3.left": Path("3.left.mp4")})
    names = ["3", "3.mp4", "3.avi", "a/3.mp4", "/home/a/3.mkv", "3.left", "a/3.left", "3.left.mp4"]
    assert [videos.name_of(name, Path("a.csv")) for name in names] == ["3"] * 5 + ["3.left"] * 3


def test_frames_of_a_variable_rate_have_their_own_times(tmp_path: Path) -> None:
    times_s = [0.0, 0.1, 0.2, 0.5, 0.6, 1.0]
    path = write_video(tmp_path / "vfr.mp4", times_s=times_s)
    assert frame_times(path) == pytest.approx(times_s, abs=1e-4)


def test_thinned_keyframes_are_apart() -> None:
    table = pd.DataFrame({"video": ["a"] * 5 + ["b"], "timestamp": [0.2, 0.7, 1.2, 1.3, 2.2, 0.0]})
    assert thin_out(table, 1.0)["timestamp"].tolist() == [0.2, 1.2, 2.2, 0.0]


def test_splits() -> None:
    names = [f"v{k}" for k in range(10)]
    val = split_videos(names, 0.2, seed=1)
    assert len(val) == 2 and val < set(names) and val == split_videos(names[::-1], 0.2, seed=1)
    assert len(split_videos(names[:2], 0.01, seed=0)) == len(split_videos(names[:2], 0.99, seed=0)) == 1
    with pytest.raises(ValueError, match="one video cannot"):
        split_videos(["a"], 0.5, seed=0)


def test_the_command_makes_a_data_set(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.xml").write_text(CVAT)
    (tmp_path / "b.csv").write_text(SHARES.replace("kitchen one", "garden"))
    out = tmp_path / "set"
    files = [str(tmp_path / name) for name in ("a.xml", "b.csv")]
    assert import_annotations.main([*files, "--videos", str(folder), "--output", str(out)]) == 0
    assert (
        "2 videos (1 for val), 4 keyframes, 6 rows, 3 classes: stand (2), talk (2), wave (2)" in capsys.readouterr().out
    )
    assert read_label_map(out / "classes.txt") == {1: "stand", 2: "talk", 3: "wave"}
    parts = [read_ground_truth(out / f"{split}.csv") for split in ("train", "val")]
    assert [len(part) for part in parts] == [3, 3]
    assert {*parts[0]["video"]} | {*parts[1]["video"]} == {"garden", "kitchen one"}
    with pytest.raises(SystemExit) as stop:
        import_annotations.main([files[0], "--videos", str(tmp_path / "nowhere"), "--output", str(out)])
    assert stop.value.code == 2 and "is no folder" in capsys.readouterr().err


def test_a_table_may_have_a_header_alone(videos: Videos, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(SHARES.splitlines()[0])
    assert read(tmp_path / "a.csv", videos, {}, Counter()).empty


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("kitchen one,0.5,0,0,1,1,3: jump,0", "'3: jump' is no name of an action"),
        ("kitchen one,0.5,0,0,1,1,2.5,0", "'2.5' is no name of an action"),
        ("kitchen one,0.5,0,0,1,1,sit,2.7", "a person is 2.7; write a whole number"),
        ("kitchen one,0.5,0,0,1,1,sit,-2", "a person is -2; write a whole number"),
        ("kitchen one,-5,0,0,1,1,sit,0", "a label at second -5"),
        ("kitchen one,inf,0,0,1,1,sit,0", "line 2: a time or box is no finite number"),
    ],
)
def test_rows_that_cannot_be_are_named(videos: Videos, tmp_path: Path, row: str, sentence: str) -> None:
    (tmp_path / "a.csv").write_text(f"video,time,x1,y1,x2,y2,action,person\n{row}\n")
    with pytest.raises(ValueError, match=sentence):
        read(tmp_path / "a.csv", videos, {}, Counter())


@pytest.mark.parametrize("name", ["2 hands", "3: feet", "7"])
def test_names_that_a_label_map_would_read_as_ids_are_refused(name: str) -> None:
    row = {"video": "a", "timestamp": 1.0, "x1": 0.1, "y1": 0.1, "x2": 0.2, "y2": 0.2, "action": name, "person_id": 0}
    with pytest.raises(ValueError, match="is no name of an action"):
        to_rows([row], Path("a.xml"), Counter())


def test_swapped_corners_are_refused() -> None:
    row = {"video": "a", "timestamp": 1.0, "x1": 0.3, "y1": 0.1, "x2": 0.2, "y2": 0.2, "action": "sit", "person_id": 0}
    with pytest.raises(
        ValueError, match=r"a\.xml: video a has a box at second 1\.0 whose first corner is not the upper left"
    ):
        to_rows([row], Path("a.xml"), Counter())


def test_late_times_keep_their_milliseconds(tmp_path: Path) -> None:
    box = {"video": "a", "x1": 0.1, "y1": 0.1, "x2": 0.2, "y2": 0.2, "action": "sit", "person_id": 0}
    table = to_rows([{**box, "timestamp": time_s} for time_s in (12345.678, 12345.718)], Path("a.xml"), Counter())
    write_data_set(table, set(), tmp_path)
    assert sorted(read_ground_truth(tmp_path / "train.csv")["timestamp"]) == [12345.678, 12345.718]


def test_two_columns_of_one_meaning_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("video,timestamp,x1,y1,x2,y2,action,action_id\na,1,0.1,0.1,0.2,0.2,sit,1\n")
    with pytest.raises(ValueError, match="has two columns that mean action_id"):
        read(path, Videos({"a": tmp_path / "a.mp4"}), {}, Counter())

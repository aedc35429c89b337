"""MOT files with a table of actions. Frame 6 from 1 begins at 0.5 s of a video of 10 fps."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from avdet.annotations.importers import read_all
from avdet.annotations.importers.rows import Context
from avdet.annotations.importers.video_index import VideoIndex
from avdet.annotations.importers.write_dataset import merge_tables
from tests.annotations.importers.label_files import read

GT = "6,3,16,12,16,36,1,1,1.0\n7,3,16,12,16,36,1,1,1.0\n7,4,0,0,32,24,1,1,1.0\n8,3,16,12,16,36,0,1,1.0\n"


def rows(folder: Path, videos: VideoIndex, table: str, gt: str = GT) -> list[list[Any]]:
    (folder / "garden" / "gt").mkdir(parents=True)
    (folder / "garden" / "gt" / "gt.txt").write_text(gt)
    (folder / "actions.csv").write_text(table)
    context = Context(videos)
    read_tables = read_all([folder / "garden", folder / "actions.csv"], context)
    return (
        merge_tables(read_tables, context.omitted)[["timestamp", "x1", "y2", "action", "person_id"]].to_numpy().tolist()
    )


@pytest.mark.parametrize(
    "table",
    [
        'video,person,start,end,action\ngarden.mp4,3,0.5,0.55,sit\ngarden,4,0:00.6,9,"sit,wave"\n',
        "track_id;start_frame;end_frame;label\n3;6;6;sit\n4;7;20;sit|wave\n",
        "frame,id,action\n6,3,sit\n7,4,sit|wave\n",
    ],
)
def test_the_table_says_who_does_what_when(videos: VideoIndex, tmp_path: Path, table: str) -> None:
    assert rows(tmp_path, videos, table) == [
        [0.5, 0.25, 1.0, "sit", 3], [0.6, 0.0, 0.5, "sit", 4], [0.6, 0.0, 0.5, "wave", 4]
    ]  # fmt: skip


def test_classes_of_cvat_are_labels(videos: VideoIndex, tmp_path: Path) -> None:
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "gt.txt").write_text(GT)
    (tmp_path / "gt" / "labels.txt").write_text("graze\nrest\n")
    (tmp_path / "seqinfo.ini").write_text("[Sequence]\nname=garden\n")
    omitted: Counter[str] = Counter()
    table = read(tmp_path, videos, omitted)
    assert table["action"].tolist() == ["graze"] * 3 and +omitted == {"boxes that MOT marks as ignored": 1}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("person,start,end,action\n3,1,0,sit\n", "line 2: '1' to '0' is no interval of seconds"),
        ("person,start,end,action\n3,1,,sit\n", "line 2: '1' to '' is no interval"),
    ],
)
def test_invalid_tables_are_refused(videos: VideoIndex, tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rows(tmp_path, videos, table)


def test_boxes_need_actions_and_actions_need_boxes(videos: VideoIndex, tmp_path: Path) -> None:
    (tmp_path / "garden.txt").write_text(GT)
    with pytest.raises(ValueError, match="has boxes without actions, as MOT files do; give a table"):
        read(tmp_path / "garden.txt", videos)
    (tmp_path / "actions.csv").write_text("person,start,end,action\n3,0,1,sit\n")
    with pytest.raises(ValueError, match="is a table of actions without boxes"):
        read(tmp_path / "actions.csv", videos)

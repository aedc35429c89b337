import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ava_eval import read_ground_truth, read_label_map
from avdet.annotations.importers.video_index import VideoIndex
from avdet.cli import import_annotations
from tests.annotations.importers.label_files import (
    AVA_CSV,
    CVAT,
    EXPECTED,
    NORMALISED_CSV,
    PIXEL_TSV,
    coco,
    coco_with_file_names,
    read,
    via,
    youtube_vis,
    youtube_vis_of_every_fifth_frame,
)

FILES = {
    "cvat.xml": CVAT,
    "via.json": json.dumps(via()),
    "coco.json": json.dumps(coco()),
    "youtube_vis.json": json.dumps(youtube_vis()),
    "every_fifth_frame.json": json.dumps(youtube_vis_of_every_fifth_frame()),
    "from_0.json": json.dumps(coco_with_file_names('[{"frame_id": 0}, {"frame_id": 5}, {"frame_id": 10}]')),
    "from_1.json": json.dumps(coco_with_file_names('[{"frame_id": 1}, {"frame_id": 6}, {"frame_id": 11}]', first=1)),
    "mixed.json": json.dumps(coco_with_file_names('[{"frame_id": 0}, {"frame_id": 5}, {"frame_id": 10}]', first=1)),
    "index.json": json.dumps(
        coco_with_file_names('[{"frame_index": 0}, {"frame_index": 5}, {"frame_index": 10}]', first=7)
    ),
    "normalised.csv": NORMALISED_CSV,
    "pixels.tsv": PIXEL_TSV,
    "ava.csv": AVA_CSV,
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_rows(videos: VideoIndex, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FILES[name], newline="")
    assert read(tmp_path / name, videos, keep_empty=False).to_numpy().tolist() == EXPECTED


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_gzip_is_recognised_by_its_content(
    videos: VideoIndex, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "labels.csv.gz"
    path.write_bytes(compress(NORMALISED_CSV.encode()))
    assert read(path, videos).to_numpy().tolist() == EXPECTED


def test_zip_files_with_one_annotation_file_are_read(videos: VideoIndex, tmp_path: Path) -> None:
    path = tmp_path / "task.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("annotations.xml", CVAT)
        archive.writestr("images/1.jpg", "")
    assert read(path, videos).to_numpy().tolist() == EXPECTED
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.json", "{}")
    with pytest.raises(ValueError, match="contains 2 annotation files; unpack it"):
        read(path, videos)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not valid JSON"),
        (b"{}", "neither a VIA 3 project nor COCO"),
        ('{"annotations": "é"}'.encode("latin-1"), "a is not valid JSON .*as UTF-8"),
        (FILES["coco.json"].replace('"bbox"', '"box"').encode(), "lacks 'bbox'"),
        (json.dumps({**coco(), "annotations": [7]}).encode(), "a does not follow its format"),
        (gzip.compress(NORMALISED_CSV.encode(), mtime=0)[:40], "is a damaged archive"),
    ],
)
def test_unreadable_files_are_refused(videos: VideoIndex, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a", videos)


def test_the_command_writes_a_data_set(video_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.xml").write_text(CVAT)
    (tmp_path / "b.csv").write_text(NORMALISED_CSV.replace("kitchen one", "garden"))
    output = tmp_path / "set"
    files = [str(tmp_path / name) for name in ("a.xml", "b.csv")]
    assert import_annotations.main([*files, "--videos", str(video_folder), "--output", str(output)]) == 0
    summary = "2 videos (1 for val), 4 keyframes, 6 rows, 3 classes: stand (2), talk (2), wave (2)"
    assert summary in capsys.readouterr().out
    assert read_label_map(output / "classes.txt") == {1: "stand", 2: "talk", 3: "wave"}
    splits = [read_ground_truth(output / f"{split}.csv") for split in ("train", "val")]
    assert [len(table) for table in splits] == [3, 3]
    assert {*splits[0]["video"]} | {*splits[1]["video"]} == {"garden", "kitchen one"}
    with pytest.raises(SystemExit) as stop:
        import_annotations.main([files[0], "--videos", str(tmp_path / "nowhere"), "--output", str(output)])
    assert stop.value.code == 2 and "is no folder" in capsys.readouterr().err

import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avdet.annotations.importers.video_index import VideoIndex
from avdet.cli import import_annotations
from tests.annotations.importers.label_files import read


def gttubes() -> dict[str, Any]:
    """Two persons in one video, one in the other: frames 6 and 7 from 1 begin at 0.5 and 0.6 s."""
    tube = np.array([[6, 16, 12, 32, 48], [7, 16, 12, 32, 48]], dtype=np.float32)
    return {
        "labels": ["Basketball", "Biking"],
        "gttubes": {
            "Biking/garden": {1: [tube, tube[:1]]}, "Basketball/kitchen one": {0: [tube[1:]]}, "Biking/x": {1: [tube]}
        },
        "nframes": {"Biking/garden": 20, "Basketball/kitchen one": 20, "Biking/x": 9},
        "resolution": {"Biking/garden": (48, 64), "Basketball/kitchen one": (96, 128), "Biking/x": (48, 64)},
        "train_videos": [["Biking/garden", "Biking/x"], ["Basketball/kitchen one"]],
        "test_videos": [["Basketball/kitchen one"], []],
    }  # fmt: skip


def write(path: Path, content: object) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=2))
    return path


def test_tubes_are_persons_of_the_data_sets_own_split(videos: VideoIndex, tmp_path: Path) -> None:
    omitted, splits = Counter[str](), dict[str, str]()
    table = read(write(tmp_path / "GT.pkl", gttubes()), videos, omitted, splits=splits)
    assert table.to_numpy().tolist() == [
        ["garden", 0.5, 0.25, 0.25, 0.5, 1.0, "Biking", 0],
        ["garden", 0.5, 0.25, 0.25, 0.5, 1.0, "Biking", 1],
        ["garden", 0.6, 0.25, 0.25, 0.5, 1.0, "Biking", 0],
        ["kitchen one", 0.6, 0.125, 0.125, 0.25, 0.5, "Basketball", 0],
    ]
    assert +omitted == {"tubes of videos that are not in --videos": 1}
    assert splits == {"garden": "train", "kitchen one": "val"}
    second = read(tmp_path / "GT.pkl", videos, omitted, split_number=2)
    assert (
        set(second["video"]) == {"kitchen one"}
        and omitted["tubes of videos that are in neither list of the split"] == 2
    )


def test_the_command_writes_that_split(video_folder: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "GT.pkl", gttubes())
    import_annotations.main([str(path), "--videos", str(video_folder), "--output", str(tmp_path / "set")])
    assert (tmp_path / "set" / "val.csv").read_text() == "kitchen one,0.6,0.125,0.125,0.25,0.5,1,0\n"


@pytest.mark.parametrize(
    ("content", "number", "message"),
    [
        ({"labels": []}, 1, "is a pickle without gttubes, labels"),
        (gttubes(), 3, "--split is 3; .* has the splits 1 to 2"),
    ],
)
def test_other_pickles_are_refused(
    videos: VideoIndex, tmp_path: Path, content: object, number: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read(write(tmp_path / "a.pkl", content), videos, split_number=number)

from __future__ import annotations

from pathlib import Path

import pytest

from avdet.datasets.class_names import ClassNames
from avdet.datasets.ucf101 import read_ucf101, read_ucf101_classes
from tests.datasets.text_file import write_file

CLASSES = ClassNames((0, 1, 2), ("air drumming", "yoga", "zumba"))


def test_lists_with_paths_of_any_form(tmp_path: Path) -> None:
    write_file(tmp_path, "trainlist01.txt", "/data/UCF/yoga/v 1.avi 2\nyoga\\v2.avi 2\n./zumba/v3.avi\t3\n")
    segments = read_ucf101(tmp_path, 1, "train", CLASSES)
    assert segments.labels["action"].tolist() == [1, 1, 2]
    assert [Path(video).name for video in segments.videos] == ["v 1", "v2", "v3"]


def test_an_unknown_class_is_refused(tmp_path: Path) -> None:
    write_file(tmp_path, "testlist01.txt", "Yoga/v_Yoga_g01.avi\n")
    with pytest.raises(ValueError, match=r"testlist01\.txt has 1 classes .*'Yoga'; did you mean 'yoga'"):
        read_ucf101(tmp_path, 1, "val", CLASSES)


@pytest.mark.parametrize(
    ("text", "message"), [("1 Yoga\n2 Yoga\n", "lists 'Yoga' twice"), ("", "lists no class")]
)  # fmt: skip
def test_invalid_class_lists_are_refused(tmp_path: Path, text: str, message: str) -> None:
    write_file(tmp_path, "classInd.txt", text)
    with pytest.raises(ValueError, match=message):
        read_ucf101_classes(tmp_path)

from __future__ import annotations

from pathlib import Path

import pytest

from avdet.datasets.dataset import require_data
from avdet.datasets.hmdb51 import Hmdb51, Hmdb51Config, read_hmdb51, read_hmdb51_classes
from tests.datasets.text_file import write_file


def test_every_split_has_the_same_classes(tmp_path: Path) -> None:
    for name in ("wave_test_split1.txt", "walk_test_split1.txt", "walk_test_split2.txt"):
        write_file(tmp_path, name, "a.avi 1\n")
    assert read_hmdb51_classes(tmp_path, 1).names == ("walk", "wave")
    with pytest.raises(
        ValueError, match=r"lacks the lists of split 2 of 1 of 2 classes, such as wave_test_split2\.txt"
    ):
        read_hmdb51_classes(tmp_path, 2)


def test_the_training_videos_are_those_with_a_1(tmp_path: Path) -> None:
    write_file(tmp_path, "wave_test_split1.txt", "a.b.avi 1 \nc.avi 2\nd.avi\t0\n")
    write_file(tmp_path, "._wave_test_split1.txt", "macOS")
    classes = read_hmdb51_classes(tmp_path, 1)
    assert read_hmdb51(tmp_path, 1, "train", classes).videos.tolist() == ["wave/a.b"]
    write_file(tmp_path, "wave_test_split1.txt", "a.avi 7\n")
    with pytest.raises(ValueError, match="HMDB51's lists have"):
        read_hmdb51(tmp_path, 1, "train", classes)


def test_missing_lists_are_named(tmp_path: Path) -> None:
    data = Hmdb51(Hmdb51Config(videos=tmp_path, annotations=tmp_path, split=2))
    with pytest.raises(ValueError, match=r"CLASS_test_split2\.txt .*--sample"):
        require_data(data)

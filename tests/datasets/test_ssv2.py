from __future__ import annotations

import json
from pathlib import Path

import pytest

from avdet.datasets.class_names import read_class_list
from avdet.datasets.dataset import require_data
from avdet.datasets.ssv2 import Ssv2, Ssv2Config, read_ssv2

LABELS = {"Holding something": "1", "Approaching something with your camera": "0", "Moving something up": "2"}
TRAIN = [
    {"id": "78687", "label": "holding potato", "template": "Holding [something]", "placeholders": ["potato"]},
    {"id": "42", "label": "moving cup up", "template": "Moving [something] up", "placeholders": ["cup"]},
]


def write(folder: Path, name: str, content: object) -> Path:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder / name


def test_ids_are_the_order_of_the_outputs(tmp_path: Path) -> None:
    classes = read_class_list(write(tmp_path, "labels.json", LABELS))
    assert classes.ids == (0, 1, 2)
    assert classes.names == ("Approaching something with your camera", "Holding something", "Moving something up")


def test_templates_are_classes_without_their_brackets(tmp_path: Path) -> None:
    classes = read_class_list(write(tmp_path, "labels.json", LABELS))
    segments = read_ssv2(write(tmp_path, "train.json", TRAIN), classes)
    assert segments.videos.tolist() == ["78687", "42"] and segments.labels["action"].tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"'Holdin something'; did you mean 'Holding something'"):
        read_ssv2(write(tmp_path, "typo.json", [{"id": "1", "template": "Holdin [something]"}]), classes)


@pytest.mark.parametrize("content", ["[", '{"a": 1}', '[{"id": "1"}]', "[3]", '[{"id": "1", "template": 4}]'])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    classes = read_class_list(write(tmp_path, "labels.json", LABELS))
    with pytest.raises(ValueError, match="is no JSON list of clips with an id and a template"):
        read_ssv2(write(tmp_path, "train.json", content), classes)


def test_the_sample_set_has_its_files(clip_sample: Path) -> None:
    config = Ssv2Config(videos=clip_sample / "clips", annotations=clip_sample / "annotations/ssv2")
    dataset = Ssv2(config)
    require_data(dataset)
    train, val = dataset.read("train"), dataset.read("val")
    names = dataset.class_sets()["action"].names
    for split in (train, val):
        assert len(split.segments) == len(split.files) > 0
        video, label = split.segments.videos[0], split.segments.labels["action"][0]
        assert video.startswith(f"v_{names[label].title().replace(' ', '')}_")
    assert config.flip == 0 and config.test_num_clips == 1

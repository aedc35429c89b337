from __future__ import annotations

from pathlib import Path

import pytest

from avdet.datasets.classification import refuse_shared
from avdet.datasets.kinetics import Kinetics, KineticsConfig
from tests.datasets.text_file import write_file

FILES = {"train_csv": "kinetics_train.csv", "val_csv": "kinetics_val.csv", "label_map": "label_map.txt"}


def kinetics(sample: Path, **settings: object) -> Kinetics:
    folders = {"videos": sample / "videos", "annotations": sample / "annotations/kinetics"}
    return Kinetics(KineticsConfig.model_validate({**folders, **FILES, **settings}))


def test_clips_in_both_splits_are_refused(clip_sample: Path) -> None:
    data = kinetics(clip_sample)
    train, val = data.read("train"), data.read("val")
    refuse_shared(train, val)
    with pytest.raises(ValueError, match=rf"{len(val.segments)} clips are in both train and val, such as "):
        refuse_shared(kinetics(clip_sample, train_csv="kinetics_val.csv").read("train"), val)


def kinetics_row(start_s: int, end_s: int) -> str:
    return f"label,youtube_id,time_start,time_end\nyoga,a,{start_s},{end_s}\n"


@pytest.mark.parametrize(
    ("train", "val", "overlaps"),
    [
        ("/data/a.mp4 0\n", "videos/a.mp4 1\n", True),
        ("/data/a.mp4 0\n", kinetics_row(0, 1), True),
        (kinetics_row(0, 1), kinetics_row(9, 12), False),
    ],
)
def test_seconds_in_both_splits_are_refused(tmp_path: Path, train: str, val: str, overlaps: bool) -> None:
    """Also where the two lists write the file's path differently."""
    write_file(tmp_path, "videos/a.mp4")
    for name, text in (("map.txt", "yoga\nzumba\n"), ("train.csv", train), ("val.csv", val)):
        write_file(tmp_path, name, text)
    files = {"train_csv": Path("train.csv"), "val_csv": Path("val.csv"), "label_map": Path("map.txt")}
    data = Kinetics(KineticsConfig(videos=tmp_path / "videos", annotations=tmp_path, **files))
    splits = data.read("train"), data.read("val")
    if overlaps:
        with pytest.raises(ValueError, match=r"1 clips of val overlap training clips in time, such as .*a\.mp4"):
            refuse_shared(*splits)
    else:
        refuse_shared(*splits)


def test_self_supervised_tasks_have_their_own_classes(clip_sample: Path) -> None:
    assert len(kinetics(clip_sample, task="rotation").class_sets()["rotation"]) == 4
    assert kinetics(clip_sample, task="none").class_sets() == {}

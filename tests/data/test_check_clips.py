from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from avdet.data.check_clips import check_clips
from avdet.data.checks.finding import Finding
from avdet.data_settings import KineticsData

HEADER = "label,youtube_id,time_start,time_end,split\n"


def findings(
    sample: Path, folder: Path, train: Sequence[str], val: Sequence[str], videos: Path | None = None
) -> list[Finding]:
    """Of a set with these rows, its videos those of the sample."""
    for name, rows in (("train.csv", train), ("val.csv", val)):
        (folder / name).write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    (folder / "names.txt").write_text("eating\nwaving\n", encoding="utf-8")
    return list(
        check_clips(
            KineticsData(
                videos=videos or sample / "videos",
                annotations=folder,
                train_csv=Path("train.csv"),
                val_csv=Path("val.csv"),
                label_map=Path("names.txt"),
            )
        )
    )


def said(found: list[Finding], level: str) -> str:
    return " | ".join(f"{one.about}: {one.message}" for one in found if one.level == level)


def test_a_sound_set_has_no_error(clip_sample: Path, tmp_path: Path) -> None:
    found = findings(clip_sample, tmp_path, ["eating,P01_01,0,3,train"], ["waving,P01_02,0,3,val"])
    assert not said(found, "error")
    assert "2 classes" in said(found, "fact") and "2 of 2 videos have sound" in said(found, "fact")
    assert "2 of 2 classes have under 20 training clips: waving (0), eating (1)" in said(found, "warning")


@pytest.mark.parametrize(
    ("row", "level", "sentence"),
    [
        ("eating,P01_01,3,3,train", "warning", "1 of 2 rows end before they start"),
        ("eating,P01_01,60,63,train", "error", "1 of 2 clips begin after their video's end: P01_01_000060_000063"),
        ("eating,P01_01,2,30,train", "warning", "1 of 2 clips end after their video's end: P01_01_000002_000030"),
        ("eating,nobody,0,3,train", "warning", "1 missing (nobody_000000_000003) -> 1 of 2 clips left out"),
        ("waving,P01_02,0,3,train", "error", "1 clips are in train and in val, such as P01_02_000000_000003"),
        ("wavin,P01_02,0,3,train", "error", "did you mean 'waving'?"),
    ],
)
def test_planted_faults_are_found(clip_sample: Path, tmp_path: Path, row: str, level: str, sentence: str) -> None:
    found = findings(clip_sample, tmp_path, ["eating,P01_01,0,3,train", row], ["waving,P01_02,0,3,val"])
    assert sentence in said(found, level)


def test_files_that_cannot_be_read_are_named(clip_sample: Path, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "P01_01.mp4").write_bytes(b"no video")
    found = findings(clip_sample, tmp_path, ["eating,P01_01,0,3,train"], ["waving,P01_02,0,3,val"], videos)
    assert "1 of 1 cannot be read" in said(found, "error") and "no listed clip has its video" in said(found, "error")

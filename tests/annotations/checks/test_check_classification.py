from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from avdet.annotations.checks import Finding
from avdet.annotations.checks.check_classification import check_classification
from avdet.datasets.charades import Charades, CharadesConfig
from avdet.datasets.epic import Epic, EpicConfig
from avdet.datasets.kinetics import Kinetics, KineticsConfig
from tests.media.make_videos import faststart, truncated

HEADER = "label,youtube_id,time_start,time_end,split\n"


def findings(
    sample: Path, folder: Path, train: Sequence[str], val: Sequence[str], videos: Path | None = None
) -> list[Finding]:
    """The findings of a data set with these rows and the videos of the synthetic one."""
    for name, rows in (("train.csv", train), ("val.csv", val)):
        (folder / name).write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    (folder / "names.txt").write_text("eating\nwaving\n", encoding="utf-8")
    config = KineticsConfig(
        videos=videos or sample / "videos",
        annotations=folder,
        train_csv=Path("train.csv"),
        val_csv=Path("val.csv"),
        label_map=Path("names.txt"),
    )
    return list(check_classification(Kinetics(config)))


def test_a_truncated_video_is_found(clip_sample: Path, tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    cut = truncated(faststart(tmp_path / "whole.mov"), tmp_path / "cut/P01_01.mp4", 0.6)
    found = findings(clip_sample, tmp_path, ["eating,P01_01,0,3,train"], ["waving,P01_01,0,2,val"], cut.parent)
    assert f"1 of 1 are truncated: {cut} after " in messages(found, "warning")


def test_charades_actions_after_their_videos_end_are_counted(clip_sample: Path, tmp_path: Path) -> None:
    source = clip_sample / "annotations/charades"
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data = Charades(CharadesConfig(videos=clip_sample / "videos", annotations=tmp_path))
    video = next(iter(data.annotated("train", {})[0].ids))
    (tmp_path / data.config.train_csv).write_text(f"id,actions\n{video},c000 1 2;c001 1000 2000\n")
    assert f"1 of 2 actions begin after their video's end (first: in {video})" in messages(
        list(check_classification(data)), "error"
    )


def test_missing_epic_labels_and_invalid_metric_lists_are_found(clip_sample: Path, tmp_path: Path) -> None:
    for path in (clip_sample / "annotations/epic").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data = Epic(EpicConfig(videos=clip_sample / "videos", annotations=tmp_path))
    val = tmp_path / data.config.val_csv
    val.write_text(val.read_text().replace("verb_class", "verb_clas"))
    assert "val: no clip has a verb label" in messages(list(check_classification(Epic(data.config))), "warning")
    (tmp_path / "tail.csv").write_text("verb\nidling\n")
    found = list(check_classification(Epic(data.config.model_copy(update={"tail_verbs": Path("tail.csv")}))))
    assert "verb is 'idling', not a number" in messages(found, "error")


def messages(found: list[Finding], level: str) -> str:
    return " | ".join(f"{finding.about}: {finding.message}" for finding in found if finding.level == level)


def test_a_valid_data_set_has_no_error(clip_sample: Path, tmp_path: Path) -> None:
    found = findings(clip_sample, tmp_path, ["eating,P01_01,0,3,train"], ["waving,P01_02,0,3,val"])
    assert not messages(found, "error")
    assert "2 classes" in messages(found, "fact") and "2 of 2 videos have audio" in messages(found, "fact")
    assert "2 of 2 classes have fewer than 20 training clips: waving (0), eating (1)" in messages(found, "warning")


@pytest.mark.parametrize(
    ("row", "level", "sentence"),
    [
        ("eating,P01_01,3,3,train", "warning", "1 of 2 rows end before they start"),
        ("eating,P01_01,60,63,train", "error", "1 of 2 clips begin after their video's end: P01_01_000060_000063"),
        ("eating,P01_01,2,30,train", "warning", "1 of 2 clips end after their video's end: P01_01_000002_000030"),
        ("eating,absent,0,3,train", "warning", "1 missing (absent_000000_000003) -> 1 of 2 clips skipped"),
        ("waving,P01_02,0,3,train", "error", "1 clips are in both train and val, such as P01_02_000000_000003"),
        ("wavin,P01_02,0,3,train", "error", "did you mean 'waving'?"),
    ],
)
def test_faults_are_found(clip_sample: Path, tmp_path: Path, row: str, level: str, sentence: str) -> None:
    found = findings(clip_sample, tmp_path, ["eating,P01_01,0,3,train", row], ["waving,P01_02,0,3,val"])
    assert sentence in messages(found, level)


def test_unreadable_videos_are_found(clip_sample: Path, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "P01_01.mp4").write_bytes(b"no video")
    found = findings(clip_sample, tmp_path, ["eating,P01_01,0,3,train"], ["waving,P01_02,0,3,val"], videos)
    errors = messages(found, "error")
    assert "1 of 1 cannot be read" in errors and "no listed clip has its video" in errors

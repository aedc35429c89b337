"""A run resumes with the same classes, data and settings; other ones are refused or reported by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avdet.checkpoints.checkpoint_io import Checkpoint
from avdet.data.sampler import EpochSampler, SampleSpec
from avdet.datasets.ava import Ava, AvaConfig
from avdet.engine.resume_check import data_version, require_resumable

NAMES = {1: "rest", 2: "graze"}
SETTINGS = {
    "seed": 0, "model": {"alpha": 8, "dropout": 0.5}, "data": {"nominal_fps": 30.0, "workers": 4, "flip": 0.5},
    "train": {"batch_size": 2, "lr": 0.1},
}  # fmt: skip
VERSION = {
    "iterations_per_epoch": 4,
    "num_clips": 8,
    "clips": "a",
    "files": {"data.train_csv": "t", "data.val_csv": "v"},
}


def check(
    *,
    names: Mapping[int, str] = NAMES,
    settings: Mapping[str, Any] = SETTINGS,
    version: Mapping[str, Any] = VERSION,
    iteration: int = 4,
) -> None:
    """Resumes a run that was saved with NAMES, SETTINGS and VERSION at an iteration of epochs of four."""
    checkpoint = Checkpoint({}, SETTINGS, NAMES, {"iteration": iteration, **VERSION})
    require_resumable(Path("runs/cows"), checkpoint, settings, names, version)


def changed(section: str, **values: object) -> dict[str, Any]:
    return {**SETTINGS, section: {**SETTINGS[section], **values}}  # type: ignore[dict-item]


def test_the_same_run_resumes_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    check(iteration=3)
    check(settings=changed("data", workers=0))
    assert not caplog.records


def test_other_classes_are_refused_with_both_lists() -> None:
    for names in ({1: "graze", 2: "rest"}, {2: "graze", 1: "rest"}, {1: "rest", 2: "walk"}, {1: "rest"}):
        listed = ", ".join(f"{number}: {name}" for number, name in names.items())
        with pytest.raises(ValueError, match=f"the classes 1: rest, 2: graze, but the data now have {listed};"):
            check(names=names)


def test_settings_that_change_the_meaning_are_refused() -> None:
    for section, name, value in (("model", "alpha", 4), ("data", "nominal_fps", 25.0)):
        with pytest.raises(ValueError, match=rf"other settings \({section}\.{name} .* -> {value}\)"):
            check(settings=changed(section, **{name: value}))


def test_other_settings_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    check(settings=changed("train", lr=0.05))
    assert "resumes with changes: train.lr 0.1 -> 0.05" in caplog.text


def test_other_clips_are_refused_within_an_epoch_alone(caplog: pytest.LogCaptureFixture) -> None:
    version = {**VERSION, "clips": "b", "num_clips": 9, "files": {"data.train_csv": "T", "data.val_csv": "v"}}
    reason = r"training clips: 8 -> 9, data.train_csv has another content"
    with pytest.raises(ValueError, match=rf"stopped within an epoch, .* \({reason}\)"):
        check(version=version, iteration=5)
    check(version=version, iteration=8)
    assert reason in caplog.text and "best.pt" not in caplog.text
    with pytest.raises(ValueError, match=rf"4 iterations per epoch, but these settings give 5 \({reason}\)"):
        check(version={**version, "iterations_per_epoch": 5}, iteration=8)
    with pytest.raises(ValueError, match=r"stopped within an epoch, .* \(seed 0 -> 1\)"):
        check(settings={**SETTINGS, "seed": 1}, iteration=5)


def test_another_val_table_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    check(version={**VERSION, "files": {"data.train_csv": "t", "data.val_csv": "V"}}, iteration=5)
    assert "data.val_csv has another content" in caplog.text
    assert "earlier scores and best.pt cannot be compared" in caplog.text


class Clips:
    """Two clips of files of one suffix."""

    def __init__(self, suffix: str, times_s: tuple[float, float] = (1.0, 2.0)) -> None:
        self.suffix, self.times_s = suffix, times_s

    def __len__(self) -> int:
        return 2

    def __getitem__(self, spec: SampleSpec) -> object:
        return None

    def location(self, spec: SampleSpec) -> tuple[Path, float]:
        return Path(f"cow.{self.suffix}"), self.times_s[spec.index]


def test_the_version_changes_with_the_clips_and_not_with_cached_copies(tmp_path: Path) -> None:
    for name in ("train.csv", "val.csv", "boxes.csv", "classes.txt"):
        (tmp_path / name).write_text(name)
    files = {"train_csv": "train.csv", "val_csv": "val.csv", "val_boxes": "boxes.csv", "label_map": "classes.txt"}
    excluded = {"train_excluded": None, "val_excluded": None}
    dataset = Ava(AvaConfig(annotations=tmp_path, **{**{k: Path(v) for k, v in files.items()}, **excluded}))

    def version(clips: Clips, repeats: float = 1.0) -> dict[str, Any]:
        return data_version(dataset, clips, EpochSampler(2, 1, seed=0, repeats=np.full(2, repeats)))

    assert version(Clips("mkv")) == version(Clips("mp4"))
    assert version(Clips("mkv"))["clips"] != version(Clips("mkv", (1.0, 3.0)))["clips"]
    assert version(Clips("mkv"))["clips"] != version(Clips("mkv"), repeats=2.0)["clips"]
    before = version(Clips("mkv"))
    (tmp_path / "val.csv").write_text("other")
    after = version(Clips("mkv"))
    assert {name for name in before["files"] if before["files"][name] != after["files"][name]} == {"data.val_csv"}

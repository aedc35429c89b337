"""Faults planted in the sample set one at a time: each is found, named and explained."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from avdet.cli import check_data as check_data_cli
from avdet.data.check import check_data
from avdet.data_settings import AvaData
from avdet.settings import Config
from tests.conftest import REPOSITORY

Fault = Callable[[Path], None]


@pytest.fixture
def copy(sample: Path, tmp_path: Path) -> Path:
    """A sample set to break."""
    return Path(shutil.copytree(sample, tmp_path / "sample"))


def settings(folder: Path, config: Config) -> AvaData:
    return config.ava.model_copy(update={"videos": folder / "videos", "annotations": folder / "annotations"})


def edit(file: str, change: Callable[[list[list[str]]], list[list[str]]]) -> Fault:
    def fault(folder: Path) -> None:
        path = folder / "annotations" / file
        rows = [line.split(",") for line in path.read_text().splitlines()]
        path.write_text("".join(",".join(row) + "\n" for row in change(rows)))

    return fault


def test_the_sample_set_is_as_it_should_be(sample: Path, tiny_config: Config) -> None:
    findings = list(check_data(settings(sample, tiny_config)))
    assert not [finding for finding in findings if finding.level == "error"]
    facts = " ".join(finding.message for finding in findings)
    assert "9 classes" in facts and "3 videos" in facts and "sound track" in facts and "at IoU 0.5" in facts


TRAIN, VAL, BOXES = "ava_train_v2.2.csv", "ava_val_v2.2.csv", "ava_val_predicted_boxes.csv"


@pytest.mark.parametrize(
    ("fault", "level", "sentence"),
    [
        (edit(TRAIN, lambda rows: [[r[0], "9" + r[1][1:], *r[2:]] for r in rows]), "error", "annotated past the end"),
        (edit(TRAIN, lambda rows: [*rows, rows[0]]), "warning", "twice"),
        (edit(TRAIN, lambda rows: [[*r[:6], "77", r[7]] for r in rows]), "error", "not in the label map"),
        (edit(TRAIN, lambda rows: [[r[0].replace("train", "val"), *r[1:]] for r in rows]), "error", "both train"),
        (edit(BOXES, lambda rows: [[*r[:6], "0.3"] for r in rows]), "error", "the highest is 0.30"),
        (edit(BOXES, lambda rows: [[r[0], "99", *r[2:]] for r in rows]), "error", "no box on an annotated keyframe"),
        (edit(VAL, lambda rows: [r[:6] for r in rows]), "error", VAL),
        (lambda folder: (folder / "videos/sample_train_00.mp4").unlink(), "warning", "missing"),
        (lambda folder: (folder / "videos/sample_train_00.mp4").write_bytes(b"nothing"), "error", "sample_train_00"),
        (lambda folder: shutil.rmtree(folder / "videos"), "error", "not there"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(copy: Path, tiny_config: Config, fault: Fault, level: str, sentence: str) -> None:
    fault(copy)
    findings = [finding for finding in check_data(settings(copy, tiny_config)) if finding.level == level]
    assert any(sentence in finding.message for finding in findings), findings


def test_the_command_prints_and_writes_json(
    sample: Path, copy: Path, tmp_path: Path, tiny_settings: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"_base_: {REPOSITORY / 'avdet/data/sample/recipe.yaml'}\n")
    argv = ["--config", str(recipe), "--json", str(tmp_path / "findings.json"), *tiny_settings]
    assert check_data_cli.main(argv) == 0
    assert "9 classes" in capsys.readouterr().out
    assert {"level", "about", "message"} == json.loads((tmp_path / "findings.json").read_text())[0].keys()
    assert check_data_cli.main([*argv, f"data.videos={copy / 'nowhere'}"]) == 1

"""The command that users type, on a tiny sample: trains, evaluates, is used, and refuses in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch

import ava_eval
from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.cli import detect_people, train_people
from avdet.config import load_config
from tests.conftest import REPOSITORY


@pytest.fixture
def recipe(tmp_path: Path, tiny_settings: tuple[str, ...]) -> str:
    overlay = REPOSITORY / "avdet/synthetic/recipes/detection.yaml"
    config = load_config(
        REPOSITORY / "configs/ava/avslowfast.yaml", overlays=(overlay,), overrides=(*tiny_settings, "data.workers=1")
    )
    (tmp_path / "tiny.yaml").write_text(config.to_yaml())
    return str(tmp_path / "tiny.yaml")


def trained(recipe: str, folder: Path, *more: str) -> dict[str, float]:
    argv = ["--config", recipe, "--person-detector", "torchvision", "--device", "cpu", "--output", str(folder), *more]
    assert train_people.main(argv) == 0
    results = json.loads((folder / "results.json").read_text())
    assert {"people", "seed", "command", "versions", "data_fingerprint"} <= results.keys()
    numbers: dict[str, float] = results["people"]
    return numbers


def test_what_it_learned_is_saved_measured_and_used(recipe: str, tmp_path: Path) -> None:
    """How well is measured elsewhere: eight pictures teach nobody."""
    training = ("--model", "tiny", "--epochs", "2", "--batch-size", "4", "--evaluate")
    numbers = trained(recipe, tmp_path / "run", *training)
    assert {"ap50", "ap", "recall", "precision", "identity_switches"} <= numbers.keys()
    boxes = ava_eval.read_boxes(tmp_path / "run/boxes.csv")
    assert set(boxes["video"]) <= {"sample_val_00", "sample_val_01"}
    as_it_is = ("--epochs", "0", "--weights", str(tmp_path / "run/people.pt"))
    assert trained(recipe, tmp_path / "again", *as_it_is) == numbers
    assert not (tmp_path / "again/people.pt").exists()


def test_the_seed_decides_everything(recipe: str, tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        trained(recipe, tmp_path / name, f"seed={seed}", "--model", "tiny", "--epochs", "1", "--evaluate")
    one, same, other = (load_checkpoint(tmp_path / name / "people.pt").model_state for name in ("one", "same", "other"))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_what_users_get_wrong_is_said_in_one_sentence(
    recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "config.yaml").write_text("")
    for more, sentence in [
        (("--epochs", "-1"), "--epochs is -1"),
        (("--lr", "0"), "--lr is 0.0; give a finite learning rate above 0"),
        (("--lr", "nan"), "--lr is nan"),
        (("--output", str(taken)), "already holds a run"),
        (("--weights", str(tmp_path / "no.pt"), "--output", str(tmp_path / "x")), "no checkpoint at"),
        (("--epochs", "0", "--model", "tiny", "--output", str(tmp_path / "y")), "has no published weights"),
        (("data.videos=nowhere",), "nowhere (data.videos)"),
    ]:
        with pytest.raises(SystemExit) as stopped:
            train_people.main(["--config", recipe, "--person-detector", "torchvision", *more])
        assert stopped.value.code == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ") and said.count("\n") == 1 and sentence in said


@pytest.mark.parametrize("tool", [train_people, detect_people], ids=["train", "detect"])
def test_a_recipe_without_boxes_is_refused_before_anything_is_made(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = str(REPOSITORY / "configs/kinetics/slowfast_4x16_r50.yaml")
    with pytest.raises(SystemExit) as stopped:
        tool.main(["--config", recipe, "--sample", "--output", "out"])
    assert stopped.value.code == 2 and not list(tmp_path.iterdir())
    assert "has data of kind kinetics, without boxes; give a config of kind ava" in capsys.readouterr().err

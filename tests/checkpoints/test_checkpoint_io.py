"""Checkpoint files: round trips, damaged and malicious files, previous checkpoints, a full disk."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from avdet.atomic_write import remove_partial_files
from avdet.checkpoints.checkpoint_io import (
    CheckpointError,
    keep_previous,
    load_checkpoint,
    load_newest,
    load_weights,
    save_checkpoint,
)
from avdet.models.build import build_model
from tests.models.tiny import tiny_config


def save(path: Path, **changes: object) -> Path:
    content = {
        "model_state": {"w": torch.arange(3.0)},
        "config": {"model": {"width": 8}, "name": "ava"},
        "class_names": {1: "stand", 17: "read"},
        "training_state": {"iteration": 7, "rng": torch.get_rng_state()},
    }
    save_checkpoint(path, **{**content, **changes})  # type: ignore[arg-type]
    return path


def test_round_trip(tmp_path: Path) -> None:
    path = save(tmp_path / "deep" / "last.pt")
    checkpoint = load_checkpoint(path)
    assert checkpoint.model_state["w"].tolist() == [0, 1, 2]
    assert checkpoint.config == {"model": {"width": 8}, "name": "ava"}
    assert checkpoint.class_names == {1: "stand", 17: "read"}
    assert checkpoint.training_state is not None and checkpoint.training_state["iteration"] == 7
    assert [entry.name for entry in path.parent.iterdir()] == ["last.pt"]


def test_failed_save_keeps_the_old_file(tmp_path: Path) -> None:
    path = save(tmp_path / "last.pt")
    with pytest.raises((pickle.PicklingError, AttributeError)):
        save(path, config={"function": lambda: 0})
    assert load_checkpoint(path).class_names[17] == "read"
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.pt"]


def test_error_messages(tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "text.pt").write_text("not a checkpoint at all")
    (tmp_path / "words.pt").write_text("hello\n")
    torch.save({"state_dict": {}}, tmp_path / "other.pt")
    for name, message in {
        "none.pt": "There is no checkpoint at",
        "cut.pt": "cut short",
        "empty.pt": "cut short",
        "text.pt": "not a PyTorch file",
        "words.pt": "not a PyTorch file",
        "other.pt": "not a checkpoint of avdet; convert one of another code base",
    }.items():
        with pytest.raises(CheckpointError, match=message):
            load_checkpoint(tmp_path / name)


def test_other_formats_are_rejected(tmp_path: Path) -> None:
    path = save(tmp_path / "new.pt")
    content = torch.load(path, weights_only=True)
    torch.save({**content, "version": 1}, path)
    with pytest.raises(CheckpointError, match=r"written by avdet 0\.1"):
        load_checkpoint(path)
    torch.save({**content, "version": 3}, path)
    with pytest.raises(CheckpointError, match=r"format version 3.*update avdet"):
        load_checkpoint(path)
    for name, value in (("version", "x"), ("config", [1])):
        torch.save({**content, name: value}, path)
        with pytest.raises(CheckpointError, match=rf"new.pt has no valid entry '{name}'"):
            load_checkpoint(path)


class RunsCode:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch owned",)


def test_code_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"format": "avdet", "model_state": RunsCode()}, "malicious.pt")
    with pytest.raises(CheckpointError, match="might run code"):
        load_checkpoint(Path("malicious.pt"))
    assert not Path("owned").exists()


def test_load_weights(tmp_path: Path) -> None:
    trained = build_model(tiny_config(), num_classes=3, head="roi")
    save(tmp_path / "model.pt", model_state=trained.state_dict())
    fresh = build_model(tiny_config(), num_classes=3, head="roi")
    report = load_weights(fresh, load_checkpoint(tmp_path / "model.pt"))
    assert len(report.loaded) == len(fresh.state_dict()) and not (report.new or report.unused or report.sliced)
    for name, tensor in fresh.state_dict().items():
        assert torch.equal(tensor, trained.state_dict()[name])


def test_load_weights_selects_the_rows_of_the_data_sets_classes(tmp_path: Path) -> None:
    trained = build_model(tiny_config(), num_classes=2, head="roi")
    save(tmp_path / "model.pt", model_state=trained.state_dict())  # 1: stand, 17: read
    fresh = build_model(tiny_config(), num_classes=1, head="roi")
    report = load_weights(fresh, load_checkpoint(tmp_path / "model.pt"), {3: "read"})
    weight = "head.classifier.linear.action.weight"
    assert torch.equal(fresh.state_dict()[weight][0], trained.state_dict()[weight][1])
    assert not report.new


def save_number(path: Path, number: int) -> None:
    save_checkpoint(path, model_state={"w": torch.tensor([number])}, config={}, class_names={})


def test_previous_checkpoint_replaces_a_damaged_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "last.pt"
    for number in range(5):
        keep_previous(path, 2)
        save_number(path, number)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last-1.pt", "last-2.pt", "last.pt"]
    assert [int(load_checkpoint(tmp_path / f"last{age}.pt").model_state["w"]) for age in ("", "-1", "-2")] == [4, 3, 2]
    path.write_bytes(path.read_bytes()[:100])
    assert int(load_newest(path).model_state["w"]) == 3
    assert "cut short" in caplog.text and "continuing with" in caplog.text
    for older in tmp_path.glob("last-*.pt"):
        older.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"last\.pt"):
        load_newest(path)


@pytest.mark.parametrize("links", [True, False])
def test_keep_previous_after_a_kill_before_saving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    """After keep_previous() alone, last.pt and last-1.pt are one file."""
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    path = tmp_path / "last.pt"
    for number in range(6):
        keep_previous(path, 2)
        if number in (3, 4):
            (tmp_path / ".last.pt.123.partial").write_bytes(b"half of it")
            remove_partial_files(tmp_path)
            keep_previous(path, 2)
        save_number(path, number)
        assert not list(tmp_path.glob(".*"))
    found = [int(load_checkpoint(tmp_path / f"last{age}.pt").model_state["w"]) for age in ("", "-1", "-2")]
    assert found == [5, 4, 3]


def test_keep_previous_after_a_kill_within_it(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    for number in range(4):
        keep_previous(path, 2)
        save_number(path, number)
    (tmp_path / "last-2.pt").unlink()
    os.link(tmp_path / "last-1.pt", tmp_path / "last-2.pt")  # killed here
    for number in (4, 5):
        keep_previous(path, 2)
        save_number(path, number)
        found = [int(load_checkpoint(tmp_path / f"last{age}.pt").model_state["w"]) for age in ("", "-1", "-2")]
        assert found == [number, number - 1, number - 2]
    assert not list(tmp_path.glob(".*"))


def _no_links(*names: Path) -> None:
    raise OSError("links are not supported")


def test_full_disk_keeps_the_old_checkpoint(tmp_path: Path) -> None:
    """A limit of 100 kB per file simulates a full disk."""
    path = tmp_path / "last.pt"
    save_number(path, 1)
    script = (
        "import resource, signal, sys, torch\n"
        "from pathlib import Path\n"
        "from avdet.checkpoints.checkpoint_io import save_checkpoint\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    state = {'w': torch.zeros(1_000_000)}\n"
        "    save_checkpoint(Path(sys.argv[1]), model_state=state, config={}, class_names={})\n"
        "except ValueError as error:\n"
        "    print(error)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    ).stdout
    assert "cannot be written" in output and "the previous checkpoint is intact; free disk space" in output
    assert int(load_checkpoint(path).model_state["w"]) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"]


def test_flipped_byte_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    save_checkpoint(path, model_state={"w": torch.arange(1000.0)}, config={}, class_names={})
    content = bytearray(path.read_bytes())
    position = content.find(torch.tensor([500.0]).numpy().tobytes())
    content[position] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="is damaged"):
        load_checkpoint(path)

from __future__ import annotations

import os
from pathlib import Path

import pytest

from avdet.engine.run_dir import RunDir, claim_run, latest_run, new_run, restarted_run


def test_a_second_run_has_its_own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = new_run("ava", None)
    assert first.path == Path("runs/ava")
    first.path.mkdir(parents=True)
    first.config.write_text("")
    assert new_run("ava", None).path == Path("runs/ava-2")
    with pytest.raises(ValueError, match="already holds a run; add --resume"):
        new_run("ava", first.path)
    assert latest_run("ava", None)[1] is False  # killed before its first checkpoint: it starts again
    with pytest.raises(ValueError, match="found no run"):
        latest_run("kinetics", None)


def test_resume_means_the_newest_run_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for age, name in enumerate(["ava", "ava-2", "ava-sample"]):
        folder = tmp_path / "runs" / name
        (folder / "checkpoints").mkdir(parents=True)
        (folder / "config.yaml").touch()
        (folder / "checkpoints/last.pt").touch()
        os.utime(folder / "checkpoints/last.pt", (age, age))
    run, has_checkpoint = latest_run("ava", None)
    assert run.path == Path("runs/ava-2") and has_checkpoint
    assert latest_run("ava", tmp_path / "runs/ava")[0].path == tmp_path / "runs/ava"


def test_torchrun_restarts_the_run_that_started_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older run of the name has a checkpoint; the newer one lost a worker before its first."""
    monkeypatch.chdir(tmp_path)
    for name, content in (("x", "old"), ("x-2", "new")):
        run = RunDir(Path("runs") / name)
        run.path.mkdir(parents=True)
        run.config.write_text(content)
    RunDir(Path("runs/x")).last.parent.mkdir()
    RunDir(Path("runs/x")).last.write_bytes(b"")
    run, has_checkpoint = restarted_run("x", None)
    assert run.path.name == "x-2" and not has_checkpoint


def test_a_claim_is_withdrawn_on_failure(tmp_path: Path) -> None:
    empty, used = RunDir(tmp_path / "empty"), RunDir(tmp_path / "used")
    used.path.mkdir()
    (used.path / "notes.txt").touch()
    for run in (empty, used):
        with pytest.raises(KeyboardInterrupt), claim_run(run, "seed: 1\n"):
            assert run.config.read_text() == "seed: 1\n"
            raise KeyboardInterrupt
    assert not empty.path.exists()
    assert [path.name for path in used.path.iterdir()] == ["notes.txt"]

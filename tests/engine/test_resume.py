"""A run that was stopped goes on as if it had not been, or says why it cannot."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from avdet.distributed import DistributedContext
from avdet.engine.interrupt import Interrupted
from avdet.engine.run_dir import RunDir, restarted_run
from avdet.engine.session import TrainingSession
from avdet.engine.train_loop import run_epochs, train
from avdet.settings import Config

ALONE = DistributedContext(0, 1, torch.device("cpu"))


@dataclass
class StopAfter:
    """A signal that comes after so many steps."""

    steps: int
    asked: int = field(default=0)

    @property
    def received(self) -> bool:
        self.asked += 1
        return self.asked >= self.steps


def changed(config: Config, section: str, **settings: object) -> Config:
    return config.model_copy(update={section: getattr(config, section).model_copy(update=settings)})


def dropping(config: Config) -> Config:
    return changed(changed(config, "model", drop_pathway=0.5, dropout=0.5), "train", batch_size=2)


def test_in_mid_epoch_the_same_is_dropped_as_without_a_stop(tiny_config: Config, tmp_path: Path) -> None:
    config = dropping(tiny_config)
    whole = TrainingSession(config, RunDir(tmp_path / "whole"), ALONE)
    whole.trainer.run_epoch(whole.loader, whole.sampler, None, StopAfter(999))  # type: ignore[arg-type]
    first = TrainingSession(config, RunDir(tmp_path / "stopped"), ALONE)
    with pytest.raises(Interrupted):
        first.trainer.run_epoch(first.loader, first.sampler, None, StopAfter(2))  # type: ignore[arg-type]
    assert 0 < first.trainer.iteration < len(first.sampler)
    first.save()
    second = TrainingSession(config, RunDir(tmp_path / "stopped"), ALONE)
    second.resume()
    second.trainer.run_epoch(second.loader, second.sampler, None, StopAfter(999))  # type: ignore[arg-type]
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, second.model.state_dict()[name]), name


def test_an_epoch_is_saved_before_an_evaluation_that_fails(
    tiny_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDir(tmp_path)
    job = TrainingSession(changed(tiny_config, "train", eval_every=1, keep=2), run, ALONE)

    def fail(*_: object) -> None:
        raise ValueError("a video that cannot be read")

    first = job.task.evaluate
    monkeypatch.setattr(job.task, "evaluate", lambda *args: fail() if job.epoch == 2 else first(*args))
    with pytest.raises(ValueError, match="cannot be read"):
        run_epochs(job, None, StopAfter(999))  # type: ignore[arg-type]
    again = TrainingSession(tiny_config, run, ALONE)
    again.resume()
    assert again.epoch == 2
    run.last.write_bytes(run.last.with_name("last-1.pt").read_bytes())  # an epoch stands there once
    again.resume()
    assert again.epoch == 1


def test_what_cannot_be_gone_on_with_is_refused(tiny_config: Config, tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    job = TrainingSession(tiny_config, run, ALONE)
    job.save(best=True)
    with pytest.raises(ValueError, match=r"iterations an epoch and would have .*; resume with the same data"):
        TrainingSession(changed(tiny_config, "train", batch_size=1), run, ALONE).resume()
    with pytest.raises(ValueError, match="another model or other classes"):
        TrainingSession(changed(tiny_config, "model", width=16), run, ALONE).resume()
    content = torch.load(run.last, weights_only=True)
    del content["training_state"]["buffers"]
    torch.save(content, run.last)
    with pytest.raises(ValueError, match="begun by an older avdet"):
        TrainingSession(tiny_config, run, ALONE).resume()
    run.last.write_bytes(run.best.read_bytes())
    with pytest.raises(ValueError, match=r"weights alone, as best\.pt does"):
        TrainingSession(tiny_config, run, ALONE).resume()


def test_todays_weight_decay_counts(tiny_config: Config, tmp_path: Path) -> None:
    TrainingSession(tiny_config, RunDir(tmp_path), ALONE).save()
    job = TrainingSession(changed(tiny_config, "train", weight_decay=0.5, momentum=0.25), RunDir(tmp_path), ALONE)
    job.resume()
    groups = job.trainer.learner.optimizer.param_groups
    assert {group["weight_decay"] for group in groups} >= {0.5} and {group["momentum"] for group in groups} == {0.25}


def test_a_step_behind_the_last_epoch_is_said(
    tiny_config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    TrainingSession(changed(tiny_config, "train", schedule="step", milestones=(0.5, 99)), RunDir(tmp_path), ALONE)
    assert "the rate does not fall at 99 (train.milestones)" in caplog.text


def test_todays_weights_of_classes_count(tiny_config: Config, tmp_path: Path) -> None:
    weighted = changed(tiny_config, "data", class_weights="inverse_sqrt")
    for before, after in ((tiny_config, weighted), (weighted, changed(tiny_config, "data", repeat_threshold=0.5))):
        TrainingSession(before, RunDir(tmp_path), ALONE).save()
        fresh = TrainingSession(after, RunDir(tmp_path / "fresh"), ALONE).model.class_losses["action"].positive_weights
        job = TrainingSession(after, RunDir(tmp_path), ALONE)
        job.resume()
        resumed = job.model.class_losses["action"].positive_weights
        torch.testing.assert_close(resumed, fresh, rtol=0, atol=0)


def test_a_run_that_cannot_begin_leaves_its_name_free(tiny_config: Config, tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    with pytest.raises(ValueError, match="do not fill one batch"):
        train(changed(tiny_config, "train", batch_size=10**6), run, ALONE, resume=False)
    assert not run.path.exists()


def test_torchrun_restarts_the_run_that_was_begun_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older one of the same name has a checkpoint, the newer one was lost before its first."""
    monkeypatch.chdir(tmp_path)
    for name, content in (("x", "old"), ("x-2", "new")):
        run = RunDir(Path("runs") / name)
        run.path.mkdir(parents=True)
        run.config.write_text(content)
    RunDir(Path("runs/x")).last.parent.mkdir()
    RunDir(Path("runs/x")).last.write_bytes(b"")
    again, resumes = restarted_run("x", None)
    assert again.path.name == "x-2" and not resumes

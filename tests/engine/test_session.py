"""A run that was stopped continues as if it had not been, or refuses with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from avdet.config import Config
from avdet.engine.interrupt import Interrupted
from avdet.engine.run_dir import RunDir
from avdet.engine.session import TrainingSession, train
from tests.engine.shared import SINGLE_PROCESS, StopAfter, with_settings

NEVER = 10**9


def test_resuming_within_an_epoch_repeats_the_random_draws(tiny_config: Config, tmp_path: Path) -> None:
    """DropPathway and dropout drop the same as without the stop."""
    config = with_settings(tiny_config, "model", drop_pathway_rate=0.5, dropout=0.5)
    config = with_settings(config, "train", batch_size=2)
    whole = TrainingSession(config, RunDir(tmp_path / "whole"), SINGLE_PROCESS)
    whole.trainer.train_epoch(whole.loader, whole.sampler, None, StopAfter(NEVER))
    stopped = TrainingSession(config, RunDir(tmp_path / "stopped"), SINGLE_PROCESS)
    with pytest.raises(Interrupted):
        stopped.trainer.train_epoch(stopped.loader, stopped.sampler, None, StopAfter(2))
    assert 0 < stopped.trainer.iteration < len(stopped.sampler)
    stopped.save()
    resumed = TrainingSession(config, RunDir(tmp_path / "stopped"), SINGLE_PROCESS)
    resumed.resume()
    resumed.trainer.train_epoch(resumed.loader, resumed.sampler, None, StopAfter(NEVER))
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name


def test_an_epoch_is_saved_before_an_evaluation_that_fails(
    tiny_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDir(tmp_path)
    config = with_settings(tiny_config, "train", eval_every=1, keep_checkpoints=2)
    session = TrainingSession(config, run, SINGLE_PROCESS)

    def fail(*_: object) -> None:
        raise ValueError("a video that cannot be read")

    evaluate = session.task.evaluate
    monkeypatch.setattr(session.task, "evaluate", lambda *args: fail() if session.epoch == 2 else evaluate(*args))
    with pytest.raises(ValueError, match="cannot be read"):
        session.fit(None, StopAfter(NEVER))
    resumed = TrainingSession(tiny_config, run, SINGLE_PROCESS)
    resumed.resume()
    assert resumed.epoch == 2
    run.last.write_bytes(run.last.with_name("last-1.pt").read_bytes())  # one file per epoch, although each saves twice
    resumed.resume()
    assert resumed.epoch == 1


def test_runs_that_cannot_resume_are_refused(tiny_config: Config, tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    session = TrainingSession(tiny_config, run, SINGLE_PROCESS)
    session.save()
    session.write_checkpoint(run.best, session.model)

    def resume(config: Config) -> None:
        TrainingSession(config, run, SINGLE_PROCESS).resume()

    with pytest.raises(
        ValueError, match=r"iterations per epoch, but these settings give .*; resume with the same data"
    ):
        resume(with_settings(tiny_config, "train", batch_size=1))
    with pytest.raises(ValueError, match="another model"):
        resume(with_settings(tiny_config, "model", width=16))
    content = torch.load(run.last, weights_only=True)
    del content["training_state"]["buffers"]
    torch.save(content, run.last)
    with pytest.raises(ValueError, match="older version of avdet"):
        resume(tiny_config)
    run.last.write_bytes(run.best.read_bytes())
    with pytest.raises(ValueError, match=r"holds only weights, as best\.pt does"):
        resume(tiny_config)


def test_another_number_of_processes_is_refused(tiny_config: Config, tmp_path: Path) -> None:
    session = TrainingSession(tiny_config, RunDir(tmp_path), SINGLE_PROCESS)
    state = session.trainer.state_dict()
    with pytest.raises(ValueError, match="2 processes saved the run, but 1 are running; resume it with 2"):
        session.trainer.load_state_dict({**state, "rng": state["rng"] * 2})


def test_resuming_takes_the_optimizer_settings_of_the_config(tiny_config: Config, tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    TrainingSession(tiny_config, run, SINGLE_PROCESS).save()
    config = with_settings(tiny_config, "train", weight_decay=0.5, momentum=0.25)
    session = TrainingSession(config, run, SINGLE_PROCESS)
    session.resume()
    groups = session.trainer.optimizer.param_groups
    assert {group["weight_decay"] for group in groups} >= {0.5} and {group["momentum"] for group in groups} == {0.25}


def test_resuming_takes_the_class_weights_of_the_config(tiny_config: Config, tmp_path: Path) -> None:
    weighted = with_settings(tiny_config, "data", class_weights="inverse_sqrt")
    for before, after in (
        (tiny_config, weighted),
        (weighted, with_settings(tiny_config, "data", repeat_threshold=0.5)),
    ):
        TrainingSession(before, RunDir(tmp_path), SINGLE_PROCESS).save()
        new = TrainingSession(after, RunDir(tmp_path / "new"), SINGLE_PROCESS)
        resumed = TrainingSession(after, RunDir(tmp_path), SINGLE_PROCESS)
        resumed.resume()
        expected, actual = (one.model.class_losses["action"].positive_weights for one in (new, resumed))
        torch.testing.assert_close(actual, expected, rtol=0, atol=0)


def test_a_milestone_after_the_last_epoch_is_reported(
    tiny_config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = with_settings(tiny_config, "train", schedule="step", milestones=(0.5, 99))
    TrainingSession(config, RunDir(tmp_path), SINGLE_PROCESS)
    assert "the learning rate does not drop at 99 (train.milestones)" in caplog.text


def test_a_run_that_cannot_start_leaves_no_directory(tiny_config: Config, tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    with pytest.raises(ValueError, match="do not fill a batch"):
        train(with_settings(tiny_config, "train", batch_size=10**6), run, SINGLE_PROCESS, resume=False)
    assert not run.path.exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")  # torch's own
def test_a_compiled_backbone_gives_the_same_losses(tiny_config: Config, tmp_path: Path) -> None:
    """For two steps: the first with the audio of some clips, the second without any."""
    losses = []
    for compiles in (False, True):
        config = with_settings(tiny_config, "train", compile=compiles)
        session = TrainingSession(config, RunDir(tmp_path), SINGLE_PROCESS)
        session.sampler.start(0)
        session.trainer.set_lr(2.0)
        torch.manual_seed(0)
        losses.append([float(session.trainer.train_step(batch)["action"]) for batch in session.loader])
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)

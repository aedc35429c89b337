import logging
from pathlib import Path

import pytest
import torch

from avdet.config import Config
from avdet.engine.run_dir import RunDir
from avdet.engine.sanity_check import sanity_check
from avdet.engine.session import TrainingSession
from tests.engine.shared import SINGLE_PROCESS, with_settings


def test_the_session_is_as_before(tiny_config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    session = TrainingSession(with_settings(tiny_config, "train", ema=0.9), RunDir(tmp_path), SINGLE_PROCESS)
    weights = {name: value.clone() for name, value in session.model.state_dict().items()}
    average = {name: value.clone() for name, value in session.eval_model.state_dict().items()}
    rng = torch.get_rng_state()
    with caplog.at_level(logging.INFO):
        sanity_check(session)
    assert "sanity check: 2 training steps of" in caplog.text and "sanity check passed in" in caplog.text
    assert torch.equal(rng, torch.get_rng_state()) and session.trainer.iteration == 0
    assert all(torch.equal(value, weights[name]) for name, value in session.model.state_dict().items())
    assert all(torch.equal(value, average[name]) for name, value in session.eval_model.state_dict().items())
    assert not session.trainer.optimizer.state
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_later_errors_occur_at_once(tiny_config: Config, tmp_path: Path) -> None:
    session = TrainingSession(tiny_config, RunDir(tmp_path), SINGLE_PROCESS)
    with torch.no_grad():
        next(session.model.parameters()).fill_(torch.nan)
    with pytest.raises(ValueError, match=r"NaN or Inf in the output of .*"):
        sanity_check(session)


def test_a_long_check_on_a_cpu_is_estimated(
    tiny_config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avdet.engine.sanity_check.LONG_S", 0.0)
    session = TrainingSession(tiny_config, RunDir(tmp_path), SINGLE_PROCESS)
    with caplog.at_level(logging.INFO):
        sanity_check(session)
    messages = [record.message for record in caplog.records]
    estimate = next(
        i for i, message in enumerate(messages) if "on this CPU, so the sanity check takes about 1" in message
    )
    assert "sanity check passed" in messages[-1] and estimate < len(messages) - 1

import logging
from pathlib import Path

import pytest
import torch

from avdet.distributed import DistributedContext
from avdet.engine.run_dir import RunDir
from avdet.engine.sanity_check import sanity_check
from avdet.engine.session import TrainingSession
from avdet.settings import Config

ALONE = DistributedContext(0, 1, torch.device("cpu"))


def test_a_rehearsal_leaves_no_trace(tiny_config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = tiny_config.model_copy(update={"train": tiny_config.train.model_copy(update={"ema": 0.9})})
    job = TrainingSession(config, RunDir(tmp_path), ALONE)
    weights = {name: value.clone() for name, value in job.model.state_dict().items()}
    average = {name: value.clone() for name, value in job.evaluated.state_dict().items()}
    rng = torch.get_rng_state()
    with caplog.at_level(logging.INFO):
        sanity_check(job)
    assert "rehearsed in" in caplog.text and "a checkpoint reads back" in caplog.text
    assert torch.equal(rng, torch.get_rng_state()) and job.trainer.iteration == 0
    assert all(torch.equal(value, weights[name]) for name, value in job.model.state_dict().items())
    assert all(torch.equal(value, average[name]) for name, value in job.evaluated.state_dict().items())
    assert not job.trainer.learner.optimizer.state
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_would_fail_later_fails_now(tiny_config: Config, tmp_path: Path) -> None:
    job = TrainingSession(tiny_config, RunDir(tmp_path), ALONE)
    with torch.no_grad():
        next(job.model.parameters()).fill_(torch.nan)
    with pytest.raises(ValueError, match=r"the output of .* is not finite"):
        sanity_check(job)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")  # torch's own
def test_a_compiled_backbone_gives_the_same_losses(tiny_config: Config, tmp_path: Path) -> None:
    """Of two updates; some clips are heard, in the second none."""
    losses = []
    for compiles in (False, True):
        train = tiny_config.train.model_copy(update={"compile": compiles})
        job = TrainingSession(tiny_config.model_copy(update={"train": train}), RunDir(tmp_path), ALONE)
        job.sampler.start(0)
        job.trainer.set_rate(2.0)
        torch.manual_seed(0)
        losses.append([float(job.trainer.learner.step(batch)["action"]) for batch in job.loader])
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)

import copy
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD

from avdet.engine.interrupt import StopSignal
from avdet.engine.metrics_log import MetricsLog
from avdet.engine.optim import build_sgd
from avdet.engine.progress import Stopwatch
from avdet.engine.run_dir import latest_run, new_run


def test_batch_norm_has_its_own_weight_decay() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    weights, norms = build_sgd(model, momentum=0.9, nesterov=True, weight_decay=1e-4, bn_weight_decay=0.0).param_groups
    assert (weights["weight_decay"], norms["weight_decay"]) == (1e-4, 0.0)
    assert [tuple(p.shape) for p in norms["params"]] == [(2,), (2,)]
    assert len(weights["params"]) + len(norms["params"]) == len(list(model.parameters()))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_updates_are_plain_sgd_where_sound_learns_later_and_momentum_was_stored_in_another_order(
    momentum: float,
) -> None:
    torch.manual_seed(0)
    early, late = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1)
    early.weight = nn.Parameter(early.weight.contiguous(memory_format=torch.channels_last))
    ours = nn.Sequential(early, late)
    plain = copy.deepcopy(ours)
    nesterov = momentum > 0
    first = build_sgd(ours, momentum=momentum, nesterov=nesterov, weight_decay=0.01, bn_weight_decay=0.0)
    first.param_groups[0]["lr"] = 0.1
    second = SGD(plain.parameters(), 0.1, momentum, weight_decay=0.01, nesterov=nesterov)
    for step in range(6):
        x = torch.randn(2, 3, 6, 6)
        for model, optimizer in ((ours, first), (plain, second)):
            optimizer.zero_grad(set_to_none=True)
            (model if step > 2 else model[0])(x).square().mean().backward()
            optimizer.step()
        for state in first.state.values():
            if momentum and step == 4:
                state["momentum_buffer"] = state["momentum_buffer"].contiguous()
    for p, expected in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(p, expected)


def test_stopwatch_tells_waiting_from_work() -> None:
    def slow_items() -> list[int]:
        return [1, 2]

    watch = Stopwatch()
    for _ in watch.waiting(slow_items()):
        time.sleep(0.02)
    assert watch.data_s < 0.01 < watch.step_s


def test_a_second_run_gets_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = new_run("ava", None)
    assert first.path == Path("runs/ava")
    first.path.mkdir(parents=True)
    first.config.write_text("")
    assert new_run("ava", None).path == Path("runs/ava-2")
    with pytest.raises(ValueError, match="already holds a run; add --resume"):
        new_run("ava", first.path)
    with pytest.raises(ValueError, match="no checkpoint"):
        latest_run("ava", None)


def test_resume_means_the_newest_run_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for age, name in enumerate(["ava", "ava-2", "ava-sample"]):
        folder = tmp_path / "runs" / name
        (folder / "checkpoints").mkdir(parents=True)
        (folder / "config.yaml").touch()
        (folder / "checkpoints/last.pt").touch()
        os.utime(folder / "checkpoints/last.pt", (age, age))
    assert latest_run("ava", None).path == Path("runs/ava-2")
    assert latest_run("ava", tmp_path / "runs/ava").path == tmp_path / "runs/ava"


def test_the_log_forgets_what_a_stopped_run_said_too_much(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"iteration": 1, "lr": 0.1}\n{"iteration": 5, "lr": 0.2}\n{"iteration": 6, "l')
    with MetricsLog(path, resume_at=4) as log:
        log.write(5, {"lr": 0.3, "mAP": None})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [{"iteration": 1, "lr": 0.1}, {"iteration": 5, "lr": 0.3, "mAP": None}]


def test_a_signal_is_noted_and_the_second_one_stops() -> None:
    before = signal.getsignal(signal.SIGINT)  # shells let what runs in the background ignore it
    with StopSignal() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.received
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_precise_statistics_are_the_mean_over_the_batches() -> None:
    from avdet.engine.precise_bn import set_precise_statistics

    model = nn.BatchNorm1d(1)
    for _ in range(3):
        model(torch.randn(4, 1))
    batches: list[Any] = [torch.full((4, 1), value) for value in (1.0, 2.0, 6.0)]  # what this model takes
    set_precise_statistics(model, batches)
    assert model.running_mean is not None
    assert model.running_mean.item() == pytest.approx(3.0)
    assert model.momentum == 0.1
    assert model.num_batches_tracked == 6

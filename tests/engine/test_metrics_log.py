import json
import logging
from pathlib import Path

import pytest
import torch

from avdet.engine.metrics_log import MetricsLog, StepStats

CPU = torch.device("cpu")


def read(path: Path) -> list[dict[str, float | None]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_resuming_deletes_later_lines(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"iteration": 1, "lr": 0.1}\n{"iteration": 5, "lr": 0.2}\n{"iteration": 6, "l')
    with MetricsLog(path, resume_at=4) as log:
        log.write(5, {"lr": 0.3, "mAP": None})
    assert read(path) == [{"iteration": 1, "lr": 0.1}, {"iteration": 5, "lr": 0.3, "mAP": None}]


def test_a_step_in_the_terminal_and_in_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "metrics.jsonl"
    stats = StepStats({"action": torch.tensor(0.75)}, lr=0.1, data_s=0.125, step_s=0.5, batch_size=4)
    with MetricsLog(path) as log, caplog.at_level(logging.INFO):
        log.write_step(3, 1.5, stats, remaining_s=125.0, device=CPU)
    assert "epoch 1.50  action 0.750  8.0 clips/s  data 0.12 s  step 0.50 s  lr 0.1000  memory" in caplog.text
    assert "ETA 2:05" in caplog.text and "waiting for data" not in caplog.text
    expected = {"iteration": 3, "epoch": 1.5, "lr": 0.1, "loss/action": 0.75}
    assert read(path) == [{**expected, "data_s": 0.125, "step_s": 0.5, "clips_per_s": 8.0}]


def test_slow_loading_is_reported_once_per_epoch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    slow = StepStats({}, lr=0.1, data_s=0.3, step_s=0.5, batch_size=4)
    with MetricsLog(tmp_path / "metrics.jsonl") as log, caplog.at_level(logging.INFO):
        for iteration, epoch in ((1, 0.5), (2, 0.9), (3, 1.5)):
            log.write_step(iteration, epoch, slow, remaining_s=0.0, device=CPU)
    assert caplog.text.count("60 % of the step time is spent on waiting for data") == 2

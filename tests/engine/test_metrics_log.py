import json
from pathlib import Path

from avdet.engine.metrics_log import MetricsLog


def test_resuming_deletes_later_lines(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"iteration": 1, "lr": 0.1}\n{"iteration": 5, "lr": 0.2}\n{"iteration": 6, "l')
    with MetricsLog(path, resume_at=4) as log:
        log.write(5, {"lr": 0.3, "mAP": None})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [{"iteration": 1, "lr": 0.1}, {"iteration": 5, "lr": 0.3, "mAP": None}]

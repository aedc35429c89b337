"""benchmark.py evaluator on small files, and the door of all benchmarks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_eval import read_detections, read_ground_truth
from benchmark import main
from benchmarks.evaluator import measure, write_files


def test_synthetic_files_have_the_requested_rows(tmp_path: Path) -> None:
    truth_path, detections_path = write_files(tmp_path, 250, seed=1)
    truth, detections = read_ground_truth(truth_path), read_detections(detections_path)
    assert len(detections) == 250
    assert detections.groupby("timestamp").size().tolist() == [100, 100, 50]
    assert set(truth["timestamp"]) == {902.0, 903.0, 904.0}
    (tmp_path / "again").mkdir()
    assert write_files(tmp_path / "again", 250, seed=1)[1].read_bytes() == detections_path.read_bytes()


def test_measurement(tmp_path: Path) -> None:
    result = measure(*write_files(tmp_path, 3000, seed=1), "official")
    assert result.rows == 3000
    assert 0 < result.mean_ap < 1
    assert result.total_s >= result.read_s > 0
    assert min(result.match_s, result.rank_s, result.peak_mb) > 0


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluator", "--rows", "500", "--protocols", "mmaction2"]) == 0
    printed = capsys.readouterr().out
    assert "rows per second" in printed
    assert "mmaction2" in printed


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["everything"], ["evaluator", "--rows", "0"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
    assert "--rows is 0; give 1 or more" in capsys.readouterr().err

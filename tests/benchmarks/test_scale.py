import pytest

import benchmark
from benchmarks.scale import Machine, simulate


def test_with_enough_workers_the_step_is_the_limit() -> None:
    clips_per_s, waiting = simulate(Machine(workers=8, batch=4, read_s=0.01, step_s=0.5), gpus=2)
    assert clips_per_s == pytest.approx(2 * 4 / 0.5, rel=1e-6) and waiting == pytest.approx(0.0, abs=1e-9)


def test_too_few_workers_are_the_limit() -> None:
    """3 workers of 0.1 s per clip give 30 clips per second, however fast the GPU is."""
    clips_per_s, waiting = simulate(Machine(workers=3, batch=8, read_s=0.1, step_s=0.01, spread=1e-3), gpus=1)
    assert clips_per_s == pytest.approx(30, rel=0.02) and waiting > 0.9


def test_more_gpus_wait_for_the_slowest_worker() -> None:
    machine = Machine(workers=1, batch=1, read_s=0.1, step_s=0.1, spread=1.0)
    one_gpu, all_gpus = simulate(machine, 1)[0], simulate(machine, 64)[0]
    assert all_gpus < 64 * one_gpu * 0.8


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark.main(["scale", "--read-s", "0.1", "--step-s", "0.4", "--gpus", "1"]) == 0
    assert "210,634 clips" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        benchmark.main(["scale", "--read-s", "0", "--step-s", "0.4"])
    assert stop.value.code == 2

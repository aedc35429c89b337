import time

from avdet.engine.progress import Stopwatch


def test_stopwatch_separates_waiting_from_work() -> None:
    watch = Stopwatch()
    for _ in watch.waiting([1, 2]):
        time.sleep(0.02)
    assert watch.data_s < 0.01 < watch.step_s

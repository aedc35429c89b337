import time
from collections.abc import Iterator

from avdet.engine.progress import Stopwatch


def test_stopwatch_separates_waiting_from_work() -> None:
    watch = Stopwatch()
    for _ in watch.waiting([1, 2]):
        time.sleep(0.02)
    assert watch.data_s < 0.01 < watch.step_s


def test_the_wait_for_the_first_item_does_not_count() -> None:
    def slow_start() -> Iterator[int]:
        time.sleep(0.2)
        yield from (1, 2)

    watch = Stopwatch()
    for _ in watch.waiting(slow_start()):
        pass
    assert watch.data_s < 0.05 and watch.step_s < 0.05

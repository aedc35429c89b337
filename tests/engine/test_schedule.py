import math

import pytest

from avdet.engine.schedule import Schedule


def test_half_cosine() -> None:
    schedule = Schedule(rate=0.2, epochs=10, warmup_epochs=0, warmup_rate=0)
    assert schedule.at(0) == pytest.approx(0.2)
    assert schedule.at(5) == pytest.approx(0.1)
    assert schedule.at(10) == pytest.approx(0)


def test_steps_of_ten() -> None:
    schedule = Schedule(rate=0.1, epochs=20, warmup_epochs=0, warmup_rate=0, milestones=(10, 15))
    assert [schedule.at(epoch) for epoch in (9.99, 10, 15)] == pytest.approx([0.1, 0.01, 0.001])


def test_warm_up_ends_where_the_plan_goes_on() -> None:
    schedule = Schedule(rate=0.1, epochs=20, warmup_epochs=5, warmup_rate=0.01)
    plan_at_5 = 0.05 * (1 + math.cos(math.pi / 4))
    assert schedule.at(0) == pytest.approx(0.01)
    assert schedule.at(2.5) == pytest.approx((0.01 + plan_at_5) / 2)
    assert schedule.at(5) == pytest.approx(plan_at_5)

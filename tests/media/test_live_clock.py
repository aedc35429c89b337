from __future__ import annotations

import pytest

from avdet.media.live_clock import LiveClock


def test_times_count_from_the_first_frame_of_either_stream() -> None:
    clock = LiveClock()
    assert clock.time_of("video", 100.0, 7.0) == 0.0
    assert clock.time_of("audio", 99.9, 7.0) is None  # before the first frame
    assert clock.time_of("audio", 100.1, 7.0) == pytest.approx(0.1)
    assert clock.time_of("video", 100.5, 7.01) == pytest.approx(0.5)  # a burst keeps the timestamps' distances
    assert clock.time_of("video", 100.4, 7.02) is None  # late
    assert clock.time_of("video", 100.9, 60.0) == pytest.approx(0.9)  # a pause, after which the timestamps go on
    assert clock.time_of("video", 130.9, 90.0) == pytest.approx(30.9)  # a pause that the timestamps count


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0, -1.0, -(2**33) / 90_000])
def test_after_a_jump_time_goes_on_and_the_streams_stay_synchronised(jump_s: float) -> None:
    clock = LiveClock()
    assert clock.time_of("video", 5.0, 1.0) == 0.0
    assert clock.time_of("audio", 5.1, 1.0) == pytest.approx(0.1)
    assert clock.time_of("video", 5.5 + jump_s, 1.5) == pytest.approx(0.5)
    assert clock.time_of("audio", 5.2, 1.5) == pytest.approx(0.2)  # from before the jump
    assert clock.time_of("audio", 5.4 + jump_s, 1.5) == pytest.approx(0.4)
    assert clock.time_of("video", 6.0 + jump_s, 2.0) == pytest.approx(1.0)


def test_after_a_reconnection_the_time_in_between_has_passed() -> None:
    clock = LiveClock()
    assert clock.time_of("video", 5.0, 1.0) == 0.0
    assert clock.time_of("audio", 5.0, 1.0) == 0.0
    clock.reconnected()
    assert clock.time_of("audio", 5.1, 21.0) == pytest.approx(20.0)
    assert clock.time_of("video", 5.3, 21.0) == pytest.approx(20.2)

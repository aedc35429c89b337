"""DecodePlan on the (pts, dts) pairs of a short video: I0 P3 B1 B2 P6 B4 B5 I9 B7 B8, as an encoder orders them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avdet.media.packets import DecodePlan


@dataclass(frozen=True)
class FakePacket:
    pts: int | None
    dts: int | None
    is_discard: bool = False


PACKETS = [FakePacket(pts, dts - 1) for dts, pts in enumerate([0, 3, 1, 2, 6, 4, 5, 9, 7, 8])]


def _marked(
    packets: list[FakePacket], ticks: list[int]
) -> tuple[list[tuple[int | None, bool]], DecodePlan[FakePacket]]:
    plan: DecodePlan[FakePacket] = DecodePlan(ticks)
    return [(packet.pts, shown) for packet, shown in plan.mark(packets)], plan


def test_only_shown_packets_are_marked_and_later_ones_are_not_yielded() -> None:
    marked, plan = _marked(PACKETS, [2, 4])
    assert marked == [(0, False), (3, False), (1, False), (2, True), (6, False), (4, True)]
    assert plan.shown_ticks == {2, 4}
    assert not plan.reached_end


def test_frame_stays_until_the_next_one() -> None:
    slow = [FakePacket(pts, dts) for pts, dts in [(0, -30), (30, -20), (10, 10), (20, 20), (60, 30)]]
    assert _marked(slow, [9])[0] == [(0, True)]
    assert _marked(slow, [29])[1].shown_ticks == {20}
    assert _marked(slow, [30, 59])[1].shown_ticks == {30}


def test_first_frame_before_the_start_and_last_frame_past_the_end() -> None:
    marked, plan = _marked(PACKETS, [-100])
    assert marked == [(0, True)] and not plan.reached_end
    marked, plan = _marked(PACKETS, [100])
    assert [pts for pts, shown in marked if shown] == [9]
    assert plan.reached_end


def test_packets_outside_an_edit_list_are_decoded_but_never_shown() -> None:
    cut = [FakePacket(0, -1, is_discard=True), FakePacket(3, 0, is_discard=True), *PACKETS[2:]]
    marked, plan = _marked(cut, [0])
    assert marked == [(0, False), (3, False), (1, True)]
    assert plan.shown_ticks == {1}


def test_unknown_decode_times_at_the_start() -> None:
    packets = [FakePacket(0, None), FakePacket(3, None), *PACKETS[2:]]
    assert _marked(packets, [1])[0] == [(0, False), (3, False), (1, True)]


def test_decode_time_replaces_a_missing_display_time() -> None:
    assert _marked([FakePacket(None, k) for k in range(5)], [2])[0] == [(None, False), (None, False), (None, True)]


@given(
    gaps=st.lists(st.integers(1, 5), min_size=1, max_size=40),
    group=st.integers(1, 4),
    ticks=st.lists(st.integers(-5, 220), min_size=1, max_size=8),
)
def test_plan_equals_a_search_over_all_packets(gaps: list[int], group: int, ticks: list[int]) -> None:
    times = [sum(gaps[:k]) for k in range(len(gaps) + 1)]
    # Groups whose last frame is decoded first, as with B-frames; decoded as late as possible.
    order = [t for k in range(0, len(times), group) for t in [times[k : k + group][-1], *times[k : k + group][:-1]]]
    packets = [FakePacket(pts, min(order[k:])) for k, pts in enumerate(order)]
    ticks = sorted(ticks)
    expected = {max(t for t in times if t <= max(tick, 0)) for tick in ticks}
    marked, plan = _marked(packets, ticks)
    assert {pts for pts, shown in marked if shown} == expected == plan.shown_ticks
    assert [pts for pts, _ in marked] == order[: len(marked)]


def test_endless_stream_is_not_held_in_memory() -> None:
    def endless() -> Iterator[FakePacket]:
        for k in range(10_000):
            yield FakePacket(k, k)
            taken.append(k)

    taken: list[int] = []
    plan: DecodePlan[FakePacket] = DecodePlan([9_000])
    num_yielded = 0
    for _ in plan.mark(endless()):
        num_yielded += 1
        assert len(taken) - num_yielded <= 3
    assert num_yielded == 9_001


@pytest.mark.parametrize("ticks", [[0, 0, 0], [3, 3]])
def test_repeated_ticks_count_once(ticks: list[int]) -> None:
    assert _marked(PACKETS, ticks)[1].shown_ticks == set(ticks)

"""Properties of mAP that hold for any detections."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ava_eval import PROTOCOLS, evaluate
from ava_eval.ties import Ties
from tests.ava_eval.random_cases import LABEL_MAP, random_case

SEEDS = st.integers(0, 100_000)
PROTOCOL_NAMES = st.sampled_from(list(PROTOCOLS))
quick = settings(deadline=None, max_examples=60)


def tables(seed: int, ties: bool = False) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    truth, detections, excluded = random_case(seed).tables()
    return truth, detections.assign(score=detections["score"].round(1)) if ties else detections, excluded


@given(SEEDS, PROTOCOL_NAMES, st.booleans())
@quick
def test_order_of_rows_does_not_matter(seed: int, protocol: str, ties: bool) -> None:
    truth, detections, excluded = tables(seed, ties)
    shuffled = [table.sample(frac=1, random_state=seed) for table in (truth, detections, excluded)]
    first = evaluate(truth, detections, LABEL_MAP, excluded=excluded, protocol=protocol)
    second = evaluate(shuffled[0], shuffled[1], LABEL_MAP, excluded=shuffled[2], protocol=protocol)
    assert first.to_json() == second.to_json()


@given(SEEDS, PROTOCOL_NAMES, st.booleans())
@quick
def test_ap_lies_between_0_and_1(seed: int, protocol: str, ties: bool) -> None:
    truth, detections, excluded = tables(seed, ties)
    result = evaluate(truth, detections, LABEL_MAP, excluded=excluded, protocol=protocol)
    assert all(ap is None or 0 <= ap <= 1 for ap in [result.mean_ap, *result.ap.values()])


@given(SEEDS, PROTOCOL_NAMES)
@quick
def test_a_false_positive_of_lowest_score_never_raises_ap(seed: int, protocol: str) -> None:
    truth, detections, _ = tables(seed)
    before = evaluate(truth, detections, LABEL_MAP, protocol=protocol)
    row = truth[truth["action_id"] > 0].iloc[[0]].assign(action_id=3, score=-1.0, x1=0.0, y1=0.0, x2=1e-6, y2=1e-6)
    after = evaluate(truth, pd.concat([detections, row], ignore_index=True), LABEL_MAP, protocol=protocol)
    assert all(ap is None or ap <= (before.ap[name] or 0) for name, ap in after.ap.items())


@given(SEEDS, PROTOCOL_NAMES)
@quick
def test_perfect_detections_have_map_1(seed: int, protocol: str) -> None:
    truth, _, _ = tables(seed)
    perfect = truth[truth["action_id"] > 0].assign(score=0.5)
    assert evaluate(truth, perfect, LABEL_MAP, protocol=protocol).mean_ap == 1


@given(SEEDS, PROTOCOL_NAMES, st.integers(0, 10_000))
@quick
def test_duplicates_never_raise_ap_of_their_class(seed: int, protocol: str, which: int) -> None:
    """Under the official protocol they can raise other classes, by displacing their false positives from the top 50."""
    truth, detections, _ = tables(seed)
    row = detections.iloc[[which % len(detections)]]
    doubled = pd.concat([detections, row], ignore_index=True)
    ties: Ties = "file" if protocol == "pyslowfast" else "expected"  # random matches may prefer the better of two
    before, after = (evaluate(truth, found, LABEL_MAP, protocol=protocol, ties=ties) for found in (detections, doubled))
    names = list(LABEL_MAP.values())
    if protocol == "official":
        names = [name for id_, name in LABEL_MAP.items() if id_ == row["action_id"].item()]
    assert all((after.ap[name] or 0) <= (before.ap[name] or 0) for name in names)


@given(st.lists(st.floats(0, 1e6).map(lambda t: round(t, 6)), min_size=2, max_size=20, unique=True), PROTOCOL_NAMES)
@quick
def test_float_seconds_do_not_collide(times: list[float], protocol: str) -> None:
    truth = pd.DataFrame({"video": "v", "timestamp": times, "x1": 0.0, "y1": 0.0, "x2": 1.0, "y2": 1.0, "action_id": 3})
    result = evaluate(truth, truth.assign(score=np.arange(len(times))), LABEL_MAP, protocol=protocol)
    assert (result.mean_ap, result.counts["keyframes_with_both"]) == (1.0, len(times))

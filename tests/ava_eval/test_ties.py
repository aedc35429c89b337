"""Orders of tied detections: the expected value against enumeration, and the rules on whole evaluations."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ava_eval import PROTOCOLS, Result, evaluate
from ava_eval.bootstrap import bootstrap_mean_ap
from ava_eval.confusion import confusion_matrix
from ava_eval.error_analysis import analyse_errors
from ava_eval.map_by_group import mean_ap_by_height, mean_ap_by_iou
from ava_eval.ties import (
    TieRule,
    draw_tied_rows,
    heap_order,
    keyframe_order,
    num_draws,
    num_orders,
    random_subsets,
    score_order,
    true_positive_ranks,
)
from tests.ava_eval import reference_protocols
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, random_case, truth_table
from tests.ava_eval.reference_protocols import Box, DetectionRow, TruthRow, average_precision

LEFT: Box = (0.0, 0.0, 0.5, 1.0)
RIGHT: Box = (0.5, 0.0, 1.0, 1.0)
PROTOCOL_NAMES = st.sampled_from(list(PROTOCOLS))


def rounded_tables(seed: int, decimals: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    truth, detections, _ = random_case(seed).tables()
    return truth, detections.assign(score=detections["score"].round(decimals))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20), st.integers(0, 99))
def test_random_subsets_have_the_requested_sizes(runs: list[tuple[int, int]], seed: int) -> None:
    sizes = np.array([max(run) for run in runs], dtype=np.int64)
    counts = np.array([min(run) for run in runs], dtype=np.int64)
    mask = random_subsets(sizes, counts, np.random.default_rng(seed))
    assert [int(part.sum()) for part in np.split(mask, np.cumsum(sizes))[:-1]] == counts.tolist()


def test_all_subsets_are_equally_likely() -> None:
    """The ten pairs of five members, and the ten triples, each in a tenth of the draws."""
    for count in (2, 3):
        mask = random_subsets(np.full(20_000, 5), np.full(20_000, count), np.random.default_rng(0)).reshape(-1, 5)
        codes = np.bincount(mask @ (1 << np.arange(5)), minlength=32)
        expected = [sum(1 << member for member in subset) for subset in combinations(range(5), count)]
        assert codes[expected] / 20_000 == pytest.approx(0.1, abs=0.01)
        assert codes.sum() == codes[expected].sum()


def test_ranks_of_each_rule() -> None:
    """One of three is true, then both of two, then none; in the file's order the first is in the middle."""
    score, is_tp = np.array([9, 9, 9, 8, 8, 7]), np.array([False, True, False, True, True, False])
    rng = np.random.default_rng(0)
    assert true_positive_ranks(score, is_tp, "worst", 8, rng).tolist() == [[3, 4, 5]]
    assert true_positive_ranks(score, is_tp, "best", 8, rng).tolist() == [[1, 4, 5]]
    assert true_positive_ranks(score, is_tp, "file", 8, rng).tolist() == [[2, 4, 5]]
    ranks = true_positive_ranks(score, is_tp, "expected", 8, rng)
    assert ranks[:, 1:].tolist() == [[4, 5]] * 8
    assert (ranks[:4, 0] + ranks[4:, 0]).tolist() == [4] * 4  # mirrored


def test_fewer_orders_of_larger_tables() -> None:
    assert [num_orders(rows) for rows in (0, 10, 62_500, 5_700_000)] == [256, 256, 64, 8]
    assert [num_draws(rows) for rows in (0, 10, 400_000, 5_700_000)] == [16, 16, 4, 1]
    assert [num_draws(rows, reselects=True) for rows in (0, 10, 100_000, 5_700_000)] == [16, 16, 4, 1]


def test_places_of_all_draws_are_spread_evenly() -> None:
    places = np.sort([TieRule(draw=draw, draws=4).places(3) for draw in range(4)], axis=0)
    assert np.diff(places, axis=0) == pytest.approx(0.25)


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.8]), st.booleans()), min_size=1, max_size=5))
@settings(deadline=None, max_examples=20)
def test_expected_ap_is_the_mean_over_all_orders(rows: list[tuple[float, bool]]) -> None:
    """Each detection is alone on a keyframe, on the person there or beside it."""
    truth: list[TruthRow] = [("v", second, LEFT, 3) for second in range(len(rows))]
    found: list[DetectionRow] = [
        ("v", second, LEFT if is_tp else RIGHT, 3, score) for second, (score, is_tp) in enumerate(rows)
    ]
    orders = [
        average_precision([(-rank, rows[index][1]) for rank, index in enumerate(order)], len(rows))
        for order in permutations(range(len(rows)))
        if all(rows[a][0] >= rows[b][0] for a, b in pairwise(order))
    ]
    for protocol in PROTOCOLS:
        found_ap = {
            ties: evaluate(truth_table(truth), detection_table(found), LABEL_MAP, protocol=protocol, ties=ties).ap[
                "stand"
            ]
            for ties in ("expected", "worst", "best", "file")
        }
        assert found_ap["expected"] == pytest.approx(np.mean(orders), abs=0.02)
        assert (found_ap["worst"], found_ap["best"]) == pytest.approx((min(orders), max(orders)))
        assert min(abs(ap - (found_ap["file"] or 0.0)) for ap in orders) < 1e-12


def test_constant_scores() -> None:
    """Two true positives and one false one in any of three places: AP is (1 + 1) / 2, (1 + 2/3) / 2 or 2/3."""
    truth: list[TruthRow] = [("v", 1, LEFT, 3), ("v", 2, LEFT, 3)]
    found: list[DetectionRow] = [("v", 1, LEFT, 3, 0.5), ("v", 2, LEFT, 3, 0.5), ("v", 1, RIGHT, 3, 0.5)]
    result = evaluate(truth_table(truth), detection_table(found), LABEL_MAP)
    assert result.mean_ap == pytest.approx((1 + 5 / 6 + 2 / 3) / 3, abs=0.005)
    assert result.tie_range == pytest.approx((2 / 3, 1))
    assert result.counts["tie_spread"] == pytest.approx(1 / 3)
    assert result.notes[-1] == (
        "Scores tie: mAP is 66.67 to 100.00 by the order of tied detections; write more decimals."
    )


def test_no_note_if_the_order_does_not_matter() -> None:
    truth, detections, _ = random_case(5).tables()
    result = evaluate(truth, detections, LABEL_MAP)
    assert result.tie_range == (result.mean_ap, result.mean_ap)
    assert not any("tie" in note for note in result.notes)
    assert evaluate(truth, detections, LABEL_MAP, ties="file").tie_range is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("decimals", [1, 2])
def test_expected_map_is_the_mean_of_the_reference_over_orders_of_the_rows(protocol: str, decimals: int) -> None:
    """mmaction2 ranks keyframes in the ground truth's order, so these rows are shuffled, too."""
    truth, detections = rounded_case(decimals)
    rng = np.random.default_rng(0)
    means = []
    for _ in range(150):
        shuffled_truth = [truth[index] for index in rng.permutation(len(truth))]
        shuffled = [detections[index] for index in rng.permutation(len(detections))]
        averages = reference_protocols.PROTOCOLS[protocol](shuffled_truth, shuffled, set(LABEL_MAP), set(), 0.5)
        means.append(np.mean(list(averages.values())))
    result = evaluate(truth_table(truth), detection_table(detections), LABEL_MAP, protocol=protocol)
    assert result.mean_ap == pytest.approx(np.mean(means), abs=4 * np.std(means) / 150**0.5 + 0.0005)
    assert np.std(means) > 0


def rounded_case(decimals: int) -> tuple[list[TruthRow], list[DetectionRow]]:
    """Two persons on each of 40 keyframes, each with one class and a score for every class."""
    rng = np.random.default_rng(1)
    truth: list[TruthRow] = []
    detections: list[DetectionRow] = []
    for second in range(40):
        for box in (LEFT, RIGHT):
            class_ = int(rng.choice(list(LABEL_MAP)))
            truth.append(("v", second, box, class_))
            for id_ in LABEL_MAP:
                score = rng.beta(2, 2) if id_ == class_ else rng.beta(1, 4)
                detections.append(("v", second, box, id_, round(float(score), decimals)))
    return truth, detections


@given(st.integers(0, 100_000), PROTOCOL_NAMES)
@settings(deadline=None, max_examples=20)
def test_expected_lies_between_worst_and_best(seed: int, protocol: str) -> None:
    truth, detections = rounded_tables(seed)
    worst, expected, best = (
        evaluate(truth, detections, LABEL_MAP, protocol=protocol, ties=ties) for ties in ("worst", "expected", "best")
    )
    for name, ap in expected.ap.items():
        assert ap is None or (worst.ap[name] or 0) - 1e-12 <= ap <= (best.ap[name] or 0) + 1e-12


@given(st.integers(0, 100_000), PROTOCOL_NAMES, st.sampled_from(["expected", "worst", "best"]))
@settings(deadline=None, max_examples=15)
def test_no_analysis_depends_on_the_order_of_rows(seed: int, protocol: str, ties: str) -> None:
    truth, detections = rounded_tables(seed)
    shuffled = [table.sample(frac=1, random_state=seed) for table in (truth, detections)]
    first, second = (
        evaluate(tables[0], tables[1], LABEL_MAP, protocol=protocol, ties=ties)  # type: ignore[arg-type]
        for tables in ([truth, detections], shuffled)
    )
    assert first.to_json() == second.to_json()
    assert first.notes == second.notes
    assert analyses(first) == analyses(second)


def analyses(result: Result) -> list[object]:
    interval = bootstrap_mean_ap(result, samples=20)
    return [
        mean_ap_by_iou(result, (0.3, 0.5, 0.7)),
        mean_ap_by_height(result),
        analyse_errors(result),
        confusion_matrix(result).tolist(),
        None if interval is None else interval.samples.round(12).tolist(),
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_analyses_use_the_rule_of_the_result(protocol: str) -> None:
    """mAP at the result's own IoU and the bootstrap of each rule are those of the result."""
    truth, detections = rounded_tables(8)
    for ties in ("worst", "expected", "best", "file"):
        result = evaluate(truth, detections, LABEL_MAP, protocol=protocol, ties=ties)
        assert mean_ap_by_iou(result, (0.5,))[0.5] == pytest.approx(result.mean_ap, abs=1e-12)
    intervals = [
        bootstrap_mean_ap(evaluate(truth, detections, LABEL_MAP, protocol=protocol, ties=ties))
        for ties in ("worst", "expected", "best")
    ]
    means = [interval.samples.mean() for interval in intervals if interval]
    assert len(means) == 3
    assert means[0] < means[1] < means[2]


def test_pyslowfast_matches_a_random_row_unless_in_the_order_of_the_file() -> None:
    """Three detections of one person, without ties; matched is any of them, the lowest or the highest."""
    truth = truth_table([("v", 1, LEFT, 3)])
    found = detection_table([("v", 1, LEFT, 3, 0.8), ("v", 1, LEFT, 3, 0.9), ("v", 1, LEFT, 3, 0.7)])
    results = {
        ties: evaluate(truth, found, LABEL_MAP, protocol="pyslowfast", ties=ties)
        for ties in ("expected", "worst", "best", "file")
    }
    assert results["expected"].mean_ap == pytest.approx((1 + 1 / 2 + 1 / 3) / 3, abs=0.05)
    assert [results[ties].mean_ap for ties in ("worst", "best", "file")] == [pytest.approx(1 / 3), 1.0, 0.5]
    assert results["expected"].notes[0] == (
        "mAP is 33.33 to 100.00 by the order of the rows, in which the pyslowfast protocol matches detections;"
        " --ties file follows the order of this file."
    )


def test_tied_rows_are_drawn_as_often_as_by_the_heap() -> None:
    """Three rows of a higher score and six tied ones share five places; the larger id is likelier to stay."""
    rng = np.random.default_rng(0)
    ids, k, draws = np.arange(1, 7), 5, 4000
    table = pd.DataFrame({"action_id": ids, "x1": 0.0, "y1": 0.0, "x2": 1.0, "y2": 1.0})
    drawn = np.mean([_draw(table, k, draw) for draw in range(draws)], axis=0)
    rows = [(0.5, int(id_), (0.0, 0.0, 1.0, 1.0)) for id_ in ids] + [(0.9, 9, (0.0, 0.0, 1.0, 1.0))] * 3
    counts = np.zeros(10)
    for _ in range(draws):
        kept = reference_protocols.heap_order([rows[index] for index in rng.permutation(len(rows))], limit=k)
        np.add.at(counts, [row[1] for row in kept], 1)
    assert drawn.sum() == pytest.approx(2)
    assert drawn == pytest.approx(counts[1:7] / draws, abs=0.035)
    assert drawn[5] > drawn[0] + 0.2


def _draw(table: pd.DataFrame, k: int, draw: int) -> npt.NDArray[np.bool_]:
    zeros = np.zeros(len(table), dtype=np.int64)
    return draw_tied_rows(zeros, zeros + 3, k, table, TieRule(draw=draw))


def test_each_keyframe_has_its_own_places() -> None:
    """Keyframe 4 has one row above and two tied for one place, keyframe 7 none above and three tied for two places."""
    table = pd.DataFrame({"action_id": [1, 2, 1, 2, 3], "x1": 0.0, "y1": 0.0, "x2": 1.0, "y2": 1.0})
    keyframe, num_above = np.array([4, 7, 4, 7, 7]), np.array([1, 0, 1, 0, 0])
    for draw in range(20):
        kept = draw_tied_rows(keyframe, num_above, 2, table, TieRule(draw=draw))
        assert (kept[keyframe == 4].sum(), kept[keyframe == 7].sum()) == (1, 2)


def test_keyframes_come_in_the_order_of_a_list() -> None:
    keyframe = np.array([5, 3, 5, 3, 9])
    assert keyframe_order(keyframe, keyframe).tolist() == [0, 2, 1, 3, 4]
    assert keyframe_order(keyframe, np.array([9, 3, 5, 3])).tolist() == [4, 1, 3, 0, 2]


def test_equal_scores_of_a_keyframe_keep_their_order() -> None:
    keyframe, score = np.array([1, 0, 0, 1, 0]), np.array([0.5, 0.1, 0.9, 0.5, 0.9])
    assert score_order(keyframe, score, np.array([0, 1])).tolist() == [2, 4, 1, 0, 3]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0.1, 0.5, 0.9]), st.integers(1, 3), st.integers(0, 2)),
        max_size=30,
    ),
    st.integers(0, 6),
)
@settings(deadline=None)
def test_heap_order_is_that_of_a_heap_per_keyframe(rows: list[tuple[int, float, int, int]], limit: int) -> None:
    """Rows may be identical; keyframes come in the order of their first rows."""
    keyframe = np.array([row[0] for row in rows], dtype=np.int64)
    score, class_, y1 = (np.array([row[index] for row in rows], dtype=float) for index in (1, 2, 3))
    order = heap_order(keyframe, [score, class_, y1, 0 * y1, 0 * y1 + 5, 0 * y1 + 1], limit)
    expected = []
    for index in dict.fromkeys(row[0] for row in rows):
        entries = [(row[1], row[2], (0.0, float(row[3]), 1.0, 5.0)) for row in rows if row[0] == index]
        expected += [(index, *entry) for entry in reference_protocols.heap_order(entries, limit)]
    found = [(rows[i][0], rows[i][1], rows[i][2], (0.0, float(rows[i][3]), 1.0, 5.0)) for i in order.tolist()]
    assert found == expected
    assert len(set(order.tolist())) == len(order)

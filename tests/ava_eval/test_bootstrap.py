"""The bootstrap against an evaluation of copied videos."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ava_eval import PROTOCOLS, Result, evaluate
from ava_eval.bootstrap import _draws, _mean_ap, _ranked_classes, bootstrap_difference, bootstrap_mean_ap
from tests.ava_eval.random_cases import LABEL_MAP, random_case, truth_table

SAMPLES = 12


def resampled(table: pd.DataFrame, names: list[str], counts: list[int]) -> pd.DataFrame:
    """Each video `counts` times, each copy with its own name."""
    copies = [
        table[table["video"] == name].assign(video=f"{name}_{copy}")
        for name, count in zip(names, counts, strict=True)
        for copy in range(count)
    ]
    return pd.concat([*copies, table.iloc[:0]], ignore_index=True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_weights_equal_copies_of_videos(protocol: str) -> None:
    """Scores are rounded, so that they tie within and between videos. The copies of a tie cannot be random."""
    compared = 0
    for seed in range(12):
        truth, detections, _ = random_case(seed).tables()
        detections = detections.groupby(["video", "timestamp"]).head(50)  # so that no tie is at the limit
        detections = detections.assign(score=detections["score"].round(1))
        result = evaluate(truth, detections, LABEL_MAP, protocol=protocol, ties="worst")
        names, by_result = result.selection.keyframes.videos, next(_draws([result], SAMPLES, seed), None)
        if by_result is None:
            continue
        draws = by_result[0]
        sampled = _mean_ap(_ranked_classes(result), draws)
        for index in range(SAMPLES):
            counts = draws[:, index].astype(int).tolist()
            copies = evaluate_copies(truth, detections, names, counts, protocol, result)
            assert sampled[index] == pytest.approx(copies, abs=1e-12)
            compared += 1
    assert compared > 50


def evaluate_copies(
    truth: pd.DataFrame, detections: pd.DataFrame, names: list[str], counts: list[int], protocol: str, whole: Result
) -> float:
    """mAP over the classes that the whole evaluation averages and that have ground truth in this sample."""
    truth, detections = resampled(truth, names, counts), resampled(detections, names, counts)
    ids = truth["action_id"]
    if not ids.isin(list(LABEL_MAP)).any():
        return 0.0
    known = detections[detections["action_id"].isin(list(LABEL_MAP))]
    result = evaluate(truth, known, LABEL_MAP, protocol=protocol, ties="worst")
    drawn_names = [name for id_, name in LABEL_MAP.items() if (ids == id_).any() and whole.ap[name] is not None]
    return float(np.mean([result.ap[name] or 0.0 for name in drawn_names])) if drawn_names else 0.0


def test_interval_is_reproducible_and_contains_the_median() -> None:
    truth, detections, _ = random_case(5).tables()
    result = evaluate(truth, detections, LABEL_MAP)
    first, second = bootstrap_mean_ap(result), bootstrap_mean_ap(result)
    assert first is not None
    assert second is not None
    assert (first.samples == second.samples).all()
    assert first.low <= np.median(first.samples) <= first.high
    assert len(first.samples) == 1000


def test_one_video_has_no_interval() -> None:
    truth = truth_table([("v", 1, (0, 0, 1, 1), 3)])
    result = evaluate(truth, truth.assign(score=0.5), LABEL_MAP)
    assert bootstrap_mean_ap(result) is None
    assert bootstrap_difference(result, result) is None


def test_only_videos_that_count_are_drawn() -> None:
    """Detections in a third video count only under pyslowfast."""
    truth = truth_table([("v", 1, (0, 0, 1, 1), 3), ("w", 1, (0, 0, 1, 1), 3)])
    found = pd.concat([truth, truth.iloc[:1].assign(video="x")], ignore_index=True).assign(score=[0.9, 0.8, 0.7])
    drawn = {}
    for protocol in PROTOCOLS:
        draws = next(_draws([evaluate(truth, found, LABEL_MAP, protocol=protocol)], 50, seed=0))
        drawn[protocol] = draws[0].sum(axis=1) > 0
        assert (draws[0].sum(axis=0) == drawn[protocol].sum()).all()
    assert {protocol: flags.tolist() for protocol, flags in drawn.items()} == {
        "official": [True, True, False],
        "pyslowfast": [True, True, True],
        "mmaction2": [True, True, False],
    }


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, detections, _ = random_case(5).tables()
    result = evaluate(truth, detections, LABEL_MAP)
    whole = bootstrap_mean_ap(result, samples=40)
    monkeypatch.setattr("ava_eval.bootstrap._CHUNK_CELLS", 50)
    in_chunks = bootstrap_mean_ap(result, samples=40)
    assert whole is not None
    assert in_chunks is not None
    assert (whole.samples == in_chunks.samples).all()


def test_difference_of_a_result_with_itself_is_zero() -> None:
    """Videos are paired by name, regardless of their order in the files."""
    truth, detections, _ = random_case(5).tables()
    first = evaluate(truth, detections, LABEL_MAP)
    reordered = truth.assign(video=pd.Categorical(truth["video"], sorted(truth["video"].unique(), reverse=True)))
    second = evaluate(reordered, detections, LABEL_MAP)
    assert first.selection.keyframes.videos != second.selection.keyframes.videos
    difference = bootstrap_difference(first, second)
    assert difference is not None
    assert np.abs(difference.samples).max() < 1e-12


def test_difference_uses_paired_draws() -> None:
    truth, detections, _ = random_case(5).tables()
    worse = detections.assign(score=detections["score"].to_numpy()[::-1].copy())
    first, second = evaluate(truth, worse, LABEL_MAP), evaluate(truth, detections, LABEL_MAP)
    samples = [bootstrap_mean_ap(result, seed=4) for result in (first, second)]
    difference = bootstrap_difference(first, second, seed=4)
    assert difference is not None
    assert samples[0] is not None
    assert samples[1] is not None
    assert difference.samples == pytest.approx(samples[1].samples - samples[0].samples)

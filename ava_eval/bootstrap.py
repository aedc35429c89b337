"""Bootstrap confidence intervals of mAP, and of the difference of two, by resampling videos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ava_eval.grouping import rank_by_class
from ava_eval.matching import true_positives
from ava_eval.result import Result
from ava_eval.selection import Selection
from ava_eval.ties import Ties, tie_groups

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
SAMPLES = 1000
_MAX_ORDERS = 8
_ORDERED_ROWS = 4_000_000  # rows of all orders together, as long as there is one
_CHUNK_CELLS = 1 << 22  # numbers in memory at once: samples x videos, or samples x steps


@dataclass
class Interval:
    """95 % percentile interval of the bootstrap samples."""

    low: float
    high: float
    samples: FloatArray

    @classmethod
    def of(cls, samples: FloatArray) -> Interval:
        """The interval of these samples."""
        low, high = np.quantile(samples, [0.025, 0.975])
        return cls(float(low), float(high), samples)


@dataclass
class _RankedClass:
    """Counts by step of the ranking and by video, and the positives by video.

    A step ends at a true positive. The precision envelope only depends on these ranks.
    """

    detections: csr_array  # (steps, videos)
    true_positives: csr_array  # (steps, videos)
    positives: IntArray  # (videos,)


def bootstrap_mean_ap(result: Result, samples: int = SAMPLES, seed: int = 0) -> Interval | None:
    """Interval of mAP over videos drawn with replacement; None with fewer than two videos.

    A class without ground truth in a sample is left out of that sample's mean.
    """
    sampled = _sampled_mean_ap([result], samples, seed)
    return None if sampled is None else Interval.of(sampled[0])


def bootstrap_difference(first: Result, second: Result, samples: int = SAMPLES, seed: int = 0) -> Interval | None:
    """Interval of the second minus the first mAP over the same draws of videos (paired bootstrap)."""
    sampled = _sampled_mean_ap([first, second], samples, seed)
    return None if sampled is None else Interval.of(sampled[1] - sampled[0])


def _sampled_mean_ap(results: Sequence[Result], samples: int, seed: int) -> list[FloatArray] | None:
    """For each result (samples,) mAP over the same draws; None with fewer than two videos.

    Where scores tie, the samples take turns with several orders of the tied detections.
    """
    rankings = [[_ranked_classes(result, order) for order in range(_num_orders(result))] for result in results]
    found = [np.zeros(0) for _ in results]
    for drawn in _draws(results, samples, seed):
        for index, (orders, weights) in enumerate(zip(rankings, drawn, strict=True)):
            turn = (len(found[index]) + np.arange(weights.shape[1])) % len(orders)
            mean_ap = np.zeros(weights.shape[1])
            for order, classes in enumerate(orders):
                mean_ap[turn == order] = _mean_ap(classes, weights[:, turn == order])
            found[index] = np.append(found[index], mean_ap)
    return found if len(found[0]) else None


def _num_orders(result: Result) -> int:
    """Number of orders of tied detections that the samples take turns with."""
    is_certain = result.tie_range is None or result.tie_range[0] == result.tie_range[1]
    if is_certain and len(result.draws) == 1:
        return 1
    return min(max(_ORDERED_ROWS // max(1, len(result.selection.rows.row)), 1), _MAX_ORDERS)


def _draws(results: Sequence[Result], samples: int, seed: int) -> Iterator[list[FloatArray]]:
    """Yield chunks of samples: for each result (videos, samples), how often each of its videos is drawn.

    Drawn are the videos that count for any of the results; the draws of all results are the same. Yields nothing if
    fewer than two videos count.
    """
    names = sorted(set().union(*(_counted_videos(result.selection) for result in results)))
    if len(names) < 2:
        return
    index_of = {name: index for index, name in enumerate(names)}
    rows = [[index_of.get(name, len(names)) for name in result.selection.keyframes.videos] for result in results]
    rng, probabilities = np.random.default_rng(seed), np.full(len(names), 1 / len(names))
    chunk_size = max(1, _CHUNK_CELLS // len(names))
    for start in range(0, samples, chunk_size):
        drawn = rng.multinomial(len(names), probabilities, min(chunk_size, samples - start)).T.astype(np.float64)
        padded = np.append(drawn, np.zeros((1, drawn.shape[1])), axis=0)  # last row: videos that do not count
        yield [padded[row] for row in rows]


def _counted_videos(selection: Selection) -> set[str]:
    """Videos with a scored keyframe or a box that counts in recall."""
    videos, of_keyframe = selection.keyframes.videos, selection.keyframes.video
    indices = np.union1d(of_keyframe[selection.is_scored], of_keyframe[selection.positive_keyframe])
    return {videos[index] for index in indices}


def _mean_ap(classes: Sequence[_RankedClass], weights: FloatArray) -> FloatArray:
    """(samples,) mAP under (videos, samples) weights; 0 in samples without ground truth."""
    sums, counts = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
    for ranked in classes:
        chunk_size = max(1, _CHUNK_CELLS // max(1, ranked.detections.shape[0]))
        for start in range(0, weights.shape[1], chunk_size):
            chunk = slice(start, start + chunk_size)
            ap, has_positives = _weighted_ap(ranked, weights[:, chunk])
            sums[chunk] += ap
            counts[chunk] += has_positives
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)


def _ranked_classes(result: Result, order: int = 0) -> list[_RankedClass]:
    """The ranking of each class that is averaged, in one order of tied detections."""
    draw = result.draws[order % len(result.draws)]
    selection = draw.selection
    rows, videos = selection.rows, selection.keyframes.video
    score = selection.ranking_score
    is_tp = true_positives(selection, draw.match, result.iou)
    classes = []
    by_class = rank_by_class(rows.class_, score, len(selection.class_names))
    rank_of_video = np.argsort(np.argsort(selection.keyframes.videos, kind="stable"))
    for class_, (indices, positives, ap) in enumerate(
        zip(by_class, _positives_by_video(selection), result.ap.values(), strict=True)
    ):
        if ap is None:
            continue
        video = videos[rows.keyframe[indices]]
        rng = selection.ties.rng(class_, order)
        ranked = _order_ties(score[indices], is_tp[indices], rank_of_video[video], selection.ties.name, rng)
        is_class_tp, video = is_tp[indices][ranked], video[ranked]
        step: IntArray = np.cumsum(is_class_tp) - is_class_tp
        is_before_end = step < is_class_tp.sum()
        shape = (int(is_class_tp.sum()), len(selection.keyframes.videos))
        detections = _count_matrix(step[is_before_end], video[is_before_end], shape)
        classes.append(_RankedClass(detections, _count_matrix(step[is_class_tp], video[is_class_tp], shape), positives))
    return classes


def _order_ties(
    score: npt.NDArray[np.floating],
    is_tp: npt.NDArray[np.bool_],
    video: IntArray,
    ties: Ties,
    rng: np.random.Generator,
) -> IntArray:
    """The rows of one class, ranked by score, with the rows of each tie in the order of the rule."""
    _, size, _ = tie_groups(score, is_tp)
    if ties == "file" or len(size) == len(score):
        return np.arange(len(score))
    group = np.repeat(np.arange(len(size)), size)
    if ties == "expected":
        sorted_rows = np.lexsort((is_tp, video, group))  # so that the file's order does not matter
        return sorted_rows[np.lexsort((rng.random(len(score)), group))]
    return np.lexsort((is_tp if ties == "worst" else ~is_tp, group))


def _count_matrix(steps: IntArray, videos: IntArray, shape: tuple[int, int]) -> csr_array:
    return csr_array((np.ones(len(steps)), (steps, videos)), shape=shape)


def _positives_by_video(selection: Selection) -> IntArray:
    """(classes, videos) boxes that count in recall."""
    num_videos = len(selection.keyframes.videos)
    cell = selection.positive_class * num_videos + selection.keyframes.video[selection.positive_keyframe]
    return np.bincount(cell, minlength=len(selection.class_names) * num_videos).reshape(-1, num_videos)


def _weighted_ap(ranked: _RankedClass, weights: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """(samples,) AP with each video's rows counted `weights` times, and whether the sample has ground truth."""
    num_positives = ranked.positives @ weights
    ranks = np.cumsum(ranked.detections @ weights, axis=0)  # (steps, samples)
    gained = ranked.true_positives @ weights
    num_tp = np.cumsum(gained, axis=0)
    precision = np.divide(num_tp, ranks, out=np.zeros_like(num_tp), where=ranks > 0)
    envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    area = np.sum(gained * envelope, axis=0)
    return np.divide(area, num_positives, out=np.zeros_like(area), where=num_positives > 0), num_positives > 0

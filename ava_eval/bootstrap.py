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

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
SAMPLES = 1000
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

    A step ends at a distinct score with a true positive. The precision envelope only depends on these ranks.
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
    """For each result (samples,) mAP over the same draws; None with fewer than two videos."""
    ranked = [_ranked_classes(result) for result in results]
    chunks = [
        [_mean_ap(classes, weights) for classes, weights in zip(ranked, drawn, strict=True)]
        for drawn in _draws(results, samples, seed)
    ]
    return [np.concatenate(chunk) for chunk in zip(*chunks, strict=True)] or None


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


def _ranked_classes(result: Result) -> list[_RankedClass]:
    """The ranking of each class that is averaged."""
    selection = result.selection
    rows, videos = selection.rows, selection.keyframes.video
    score = selection.ranking_score
    is_tp = true_positives(selection, result.match, result.iou)
    classes = []
    by_class = rank_by_class(rows.class_, score, len(selection.class_names))
    for indices, positives, ap in zip(by_class, _positives_by_video(selection), result.ap.values(), strict=True):
        if ap is None:
            continue
        is_class_tp = is_tp[indices]
        step, num_steps = _steps(score[indices], is_class_tp)
        is_before_end = step < num_steps
        video = videos[rows.keyframe[indices]]
        shape = (num_steps, len(selection.keyframes.videos))
        detections = _count_matrix(step[is_before_end], video[is_before_end], shape)
        classes.append(_RankedClass(detections, _count_matrix(step[is_class_tp], video[is_class_tp], shape), positives))
    return classes


def _steps(score: npt.NDArray[np.floating], is_tp: npt.NDArray[np.bool_]) -> tuple[IntArray, int]:
    """Step of each ranked row, and the number of steps; rows after the last step get that number."""
    starts_score = np.append(True, score[1:] != score[:-1])[: len(score)]
    group = np.cumsum(starts_score) - 1
    has_tp = np.bincount(group, weights=is_tp) > 0
    return (np.cumsum(has_tp) - has_tp)[group], int(has_tp.sum())


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

"""How far mAP moves when other videos of the same kind had been drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ava_eval.grouping import ranked
from ava_eval.matching import true_positives
from ava_eval.result import Result
from ava_eval.selection import Selection

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Ranked = tuple[csr_array, csr_array, IntArray]  # (steps, videos) rows, (steps, videos) hits, (videos,) boxes
SAMPLES = 1000
_CELLS_AT_ONCE = 1 << 22  # numbers held at a time: samples x videos or steps


@dataclass
class Interval:
    """The middle 95 % of the bootstrap samples, and all of them."""

    low: float
    high: float
    samples: FloatArray

    @classmethod
    def of(cls, samples: FloatArray) -> Interval:
        low, high = np.quantile(samples, [0.025, 0.975])
        return cls(float(low), float(high), samples)


def bootstrap_mean_ap(result: Result, samples: int = SAMPLES, seed: int = 0) -> Interval | None:
    """mAP over videos drawn with replacement; None with fewer than two videos.

    A class whose ground truth is not drawn is left out of that sample's mean.
    """
    sampled = _sampled_mean_ap([result], samples, seed)
    return None if sampled is None else Interval.of(sampled[0])


def bootstrap_difference(first: Result, second: Result, samples: int = SAMPLES, seed: int = 0) -> Interval | None:
    """Second minus first mAP over the same draws of videos: the paired comparison."""
    sampled = _sampled_mean_ap([first, second], samples, seed)
    return None if sampled is None else Interval.of(sampled[1] - sampled[0])


def _sampled_mean_ap(results: Sequence[Result], samples: int, seed: int) -> list[FloatArray] | None:
    """For each result (samples,) mAP over the same draws; None with fewer than two videos."""
    ranked = [_ranked_classes(result) for result in results]
    parts = [
        [_mean_ap(classes, weights) for classes, weights in zip(ranked, drawn, strict=True)]
        for drawn in _draws(results, samples, seed)
    ]
    return [np.concatenate(part) for part in zip(*parts, strict=True)] or None


def _draws(results: Sequence[Result], samples: int, seed: int) -> Iterator[list[FloatArray]]:
    """Part by part of the samples, for each result (videos, samples): how often each of its videos is drawn.

    Drawn are the videos that count for any of the results, in all of them alike; nothing is, if fewer than two do.
    """
    names = sorted(set().union(*(_counted_videos(result.selection) for result in results)))
    if len(names) < 2:
        return
    place = {name: row for row, name in enumerate(names)}
    rows = [[place.get(name, len(names)) for name in result.selection.keyframes.videos] for result in results]
    random, chances = np.random.default_rng(seed), np.full(len(names), 1 / len(names))
    at_once = max(1, _CELLS_AT_ONCE // len(names))
    for begin in range(0, samples, at_once):
        drawn = random.multinomial(len(names), chances, min(at_once, samples - begin)).T.astype(np.float64)
        with_never = np.append(drawn, np.zeros((1, drawn.shape[1])), axis=0)
        yield [with_never[row] for row in rows]


def _counted_videos(selection: Selection) -> set[str]:
    """Videos with a keyframe that is scored or a box that recall asks for."""
    videos, of_keyframe = selection.keyframes.videos, selection.keyframes.video
    places = np.union1d(of_keyframe[selection.counted], of_keyframe[selection.base_keyframe])
    return {videos[place] for place in places}


def _mean_ap(ranked_classes: Sequence[Ranked], draws: FloatArray) -> FloatArray:
    """(samples,) mAP under (videos, samples) draws; 0 in a sample that draws no ground truth at all."""
    totals, counts = np.zeros(draws.shape[1]), np.zeros(draws.shape[1])
    for one in ranked_classes:
        at_once = max(1, _CELLS_AT_ONCE // max(1, one[0].shape[0]))
        for begin in range(0, draws.shape[1], at_once):
            part = slice(begin, begin + at_once)
            ap, is_drawn = _weighted_ap(*one, draws[:, part])
            totals[part] += ap
            counts[part] += is_drawn
    return np.divide(totals, counts, out=np.zeros_like(totals), where=counts > 0)


def _ranked_classes(result: Result) -> list[Ranked]:
    """For each averaged class: (steps, videos) rows and hits gained down to each step of its ranking, and its boxes.

    A step ends at a distinct score that brings a hit: precision is highest there, so no other rank matters.
    """
    selection = result.selection
    rows, videos = selection.rows, selection.keyframes.video
    score = selection.ranking_score
    hit = true_positives(selection, result.nearest, result.iou)
    classes = []
    by_class = ranked(rows.class_, score, len(selection.class_names))
    for places, boxes, ap in zip(by_class, _boxes_by_video(selection), result.ap.values(), strict=True):
        if ap is None:
            continue
        hits = hit[places]
        step, steps = _steps(score[places], hits)
        within = step < steps
        video = videos[rows.keyframe[places]]
        shape = (steps, len(selection.keyframes.videos))
        classes.append((_counts(step[within], video[within], shape), _counts(step[hits], video[hits], shape), boxes))
    return classes


def _steps(score: npt.NDArray[np.floating], hit: npt.NDArray[np.bool_]) -> tuple[IntArray, int]:
    """Step of each ranked row and the number of steps, which rows after the last step get."""
    starts_score = np.append(True, score[1:] != score[:-1])[: len(score)]
    group = np.cumsum(starts_score) - 1
    has_hit = np.bincount(group, weights=hit) > 0
    return (np.cumsum(has_hit) - has_hit)[group], int(has_hit.sum())


def _counts(steps: IntArray, videos: IntArray, shape: tuple[int, int]) -> csr_array:
    return csr_array((np.ones(len(steps)), (steps, videos)), shape=shape)


def _boxes_by_video(selection: Selection) -> IntArray:
    """(classes, videos) boxes that recall is divided by."""
    videos = len(selection.keyframes.videos)
    cell = selection.base_class * videos + selection.keyframes.video[selection.base_keyframe]
    return np.bincount(cell, minlength=len(selection.class_names) * videos).reshape(-1, videos)


def _weighted_ap(
    gained: csr_array, hits_gained: csr_array, boxes: IntArray, weights: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """(samples,) AP with each video's rows counted `weights` times, 0 and False where no box is drawn."""
    base = boxes @ weights
    ranks = np.cumsum(gained @ weights, axis=0)  # (steps, samples)
    gains = hits_gained @ weights
    hits = np.cumsum(gains, axis=0)
    precision = np.divide(hits, ranks, out=np.zeros_like(hits), where=ranks > 0)
    envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    area = np.sum(gains * envelope, axis=0)
    return np.divide(area, base, out=np.zeros_like(area), where=base > 0), base > 0

"""Measures how well nuisance variables predict which gestures are audible: logistic regression, held-out videos.

One row per action segment; its features are means over its keyframes. The range of chance is that of the same
regression on permuted labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from avdet.synthetic.classes import AUDIO_DEPENDENT_GESTURES
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_video import SceneRenderer, person_box
from avdet.synthetic.synthetic_settings import SampleSettings

Array = NDArray[np.float64]
CLIP_S = 64 / 30  # length of a clip around a keyframe
FEATURES = ("duration", "red", "green", "blue", "persons", "loudness", "x1", "y1", "x2", "y2", "keyframe")


@dataclass(frozen=True)
class Segments:
    """The action segments with audio-dependent gestures, one row each."""

    features: Array
    audible: NDArray[np.bool_]
    gestures: NDArray[np.str_]
    videos: NDArray[np.int64]

    def of_gesture(self, gesture: str) -> Segments:
        keep = self.gestures == gesture
        return Segments(self.features[keep], self.audible[keep], self.gestures[keep], self.videos[keep])


def collect(
    scenes: Sequence[Scene],
    settings: SampleSettings,
    audio_of: Callable[[Scene], Array],
    more_features: Callable[[Scene], list[float]] = lambda _: [],
) -> Segments:
    """Returns FEATURES in their order, then the `more_features` of the video."""
    rows: list[Array] = []
    audible, gestures, videos = [], [], []
    for video, scene in enumerate(scenes):
        audio, more = audio_of(scene), more_features(scene)
        colour = SceneRenderer(scene, settings).frame(0.0).mean((0, 1))
        of_video = [scene.duration_s, *colour, len(scene.actors)]
        for actor in scene.actors:
            for segment in actor.segments:
                seconds = [second for second in scene.keyframes_s if segment.contains(second)]
                if segment.gesture in AUDIO_DEPENDENT_GESTURES and seconds:
                    loud = [_loudness_db(audio, second, settings.sample_rate) for second in seconds]
                    boxes = [person_box(scene, actor, second, settings) for second in seconds]
                    rows.append(np.array([*of_video, np.mean(loud), *np.mean(boxes, axis=0), np.mean(seconds), *more]))
                    audible.append(segment.audible)
                    gestures.append(segment.gesture)
                    videos.append(video)
    return Segments(np.array(rows), np.array(audible), np.array(gestures), np.array(videos))


def held_out_auc(features: Array, labels: NDArray[np.bool_], videos: NDArray[np.int64], folds: int = 5) -> float:
    """Area under the ROC curve of ridge logistic regression, cross-validated by video."""
    design = np.c_[(features - features.mean(0)) / (features.std(0) + 1e-9), np.ones(len(features))]
    scores = np.zeros(len(labels))
    for fold in range(folds):
        test = videos % folds == fold
        scores[test] = design[test] @ _fitted_weights(design[~test], labels[~test].astype(float))
    return auc(scores, labels)


def auc(scores: Array, positive: NDArray[np.bool_]) -> float:
    """The probability that a positive has a higher score than a negative; ties count one half."""
    ranks, count = rankdata(scores), int(positive.sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))


def chance_range(segments: Segments, permutations: int = 60) -> tuple[float, float]:
    """The central 99 % range (normal approximation) of the AUCs of permuted labels."""
    rng = np.random.default_rng(0)
    aucs = [
        held_out_auc(segments.features, rng.permutation(segments.audible), segments.videos) for _ in range(permutations)
    ]
    mean, spread = float(np.mean(aucs)), float(np.std(aucs))
    return mean - 2.58 * spread, mean + 2.58 * spread


def _fitted_weights(design: Array, target: Array, ridge: float = 1.0, rounds: int = 8) -> Array:
    """Newton's method."""
    weights = np.zeros(design.shape[1])
    for _ in range(rounds):
        probability = 1.0 / (1.0 + np.exp(-design @ weights))
        hessian = (design * (probability * (1 - probability))[:, None]).T @ design + ridge * np.eye(len(weights))
        weights += np.linalg.solve(hessian, design.T @ (target - probability) - ridge * weights)
    return weights


def _loudness_db(audio: Array, second: int, rate: int) -> float:
    window = audio[round((second - CLIP_S / 2) * rate) : round((second + CLIP_S / 2) * rate)]
    return float(20 * np.log10(np.sqrt(np.mean(window**2))))

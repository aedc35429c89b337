"""How well nuisances tell what is heard from what is only seen: logistic regression, cross-validated by video.

One row a person's act: features are the means over its keyframes. The chance level, with its spread, is what the same
regression reaches on coins tossed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from avdet.synthetic.classes import TWIN_LOOKS
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_frame import ScenePicture, person_box
from avdet.synthetic.synthetic_settings import SampleSettings

Array = NDArray[np.float64]
SPAN_S = 64 / 30  # of a clip around a keyframe
FEATURES = ("duration", "red", "green", "blue", "people", "loudness", "x1", "y1", "x2", "y2", "keyframe")


@dataclass(frozen=True)
class Acts:
    """Rows of acts whose look has a silent twin."""

    features: Array
    heard: NDArray[np.bool_]
    looks: NDArray[np.str_]
    videos: NDArray[np.int64]

    def of_look(self, look: str) -> Acts:
        keep = self.looks == look
        return Acts(self.features[keep], self.heard[keep], self.looks[keep], self.videos[keep])


def collect(
    scenes: Sequence[Scene],
    settings: SampleSettings,
    sound_of: Callable[[Scene], Array],
    more_of: Callable[[Scene], list[float]] = lambda _: [],
) -> Acts:
    """The features of FEATURES in their order, then those that `more_of` gives for a video."""
    rows: list[Array] = []
    heard, looks, videos = [], [], []
    for video, scene in enumerate(scenes):
        sound, more = sound_of(scene), more_of(scene)
        backdrop = ScenePicture(scene, settings).frame(0.0).mean((0, 1))
        of_video = [scene.duration_s, *backdrop, len(scene.actors)]
        for actor in scene.actors:
            for act in actor.acts:
                seconds = [second for second in scene.keyframes_s if act.holds(second)]
                if act.look in TWIN_LOOKS and seconds:
                    loud = [_loudness_db(sound, second, settings.sample_rate) for second in seconds]
                    boxes = [person_box(scene, actor, second, settings) for second in seconds]
                    rows.append(np.array([*of_video, np.mean(loud), *np.mean(boxes, axis=0), np.mean(seconds), *more]))
                    heard.append(act.heard)
                    looks.append(act.look)
                    videos.append(video)
    return Acts(np.array(rows), np.array(heard), np.array(looks), np.array(videos))


def held_out_auc(features: Array, heard: NDArray[np.bool_], videos: NDArray[np.int64], folds: int = 5) -> float:
    """Area under the ROC curve of ridge-damped logistic regression on videos that it has not seen."""
    design = np.c_[(features - features.mean(0)) / (features.std(0) + 1e-9), np.ones(len(features))]
    scores = np.zeros(len(heard))
    for fold in range(folds):
        test = videos % folds == fold
        scores[test] = design[test] @ _fitted(design[~test], heard[~test].astype(float))
    return auc(scores, heard)


def auc(scores: Array, positive: NDArray[np.bool_]) -> float:
    """The chance that a positive has a higher score than a negative; half of it for ties."""
    ranks, count = rankdata(scores), int(positive.sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))


def chance_range(acts: Acts, tosses: int = 60) -> tuple[float, float]:
    """Where 99 of 100 AUCs lie when the coins are tossed anew (normal, from `tosses` of them)."""
    dealt = np.random.default_rng(0)
    drawn = [held_out_auc(acts.features, dealt.permutation(acts.heard), acts.videos) for _ in range(tosses)]
    middle, spread = float(np.mean(drawn)), float(np.std(drawn))
    return middle - 2.58 * spread, middle + 2.58 * spread


def _fitted(design: Array, target: Array, damping: float = 1.0, rounds: int = 8) -> Array:
    """Newton's method."""
    weights = np.zeros(design.shape[1])
    for _ in range(rounds):
        chance = 1.0 / (1.0 + np.exp(-design @ weights))
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + damping * np.eye(len(weights))
        weights += np.linalg.solve(curve, design.T @ (target - chance) - damping * weights)
    return weights


def _loudness_db(sound: Array, second: int, rate: int) -> float:
    window = sound[round((second - SPAN_S / 2) * rate) : round((second + SPAN_S / 2) * rate)]
    return float(20 * np.log10(np.sqrt(np.mean(window**2))))

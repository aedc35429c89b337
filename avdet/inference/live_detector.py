"""LiveDetector: persons and actions at one time of a live stream."""

from __future__ import annotations

import copy
import threading

import pandas as pd
import torch

from avdet.data.clip_extractor import ClipExtractor
from avdet.data.collate import collate
from avdet.data.detection_test_clips import extract_whole_frame
from avdet.data.keyframes import Keyframe
from avdet.datasets.class_names import ClassNames
from avdet.detection_table import detection_table
from avdet.inference.detector import ActionDetector
from avdet.inference.stream_window import StreamWindow
from avdet.models.detect import Predicts, detect
from avdet.people.person_detector import KeyframeImage, PersonDetector
from avdet.people.tracks import MAX_GAP_S, PersonLinker
from avdet.structures import PersonBoxes

__all__ = ["LiveDetector", "live_gap"]

_SLOWEST_S = 10.0  # between two keyframes on a slow machine


class LiveDetector:
    """Detects persons and their actions at one time of a stream; person ids continue from call to call.

    The model and the person detector serve one call at a time, also those of other sources (`for_source`).
    """

    def __init__(
        self,
        model: Predicts,
        person_detector: PersonDetector,
        extractor: ClipExtractor,
        classes: ClassNames,
        *,
        short_side: int,
        min_box_score: float,
        device: torch.device,
    ) -> None:
        self.span_s = extractor.span_s
        self.short_side = short_side
        self._model, self._person_detector, self._extractor = model, person_detector, extractor
        self._classes = classes
        self._min_box_score = min_box_score
        self._device = device
        self._lock = threading.Lock()
        self._begin("live")

    @classmethod
    def from_action_detector(
        cls, detector: ActionDetector, person_detector: PersonDetector, *, min_box_score: float
    ) -> LiveDetector:
        """Uses the detector's model, clip settings and classes."""
        return cls(
            detector.model,
            person_detector,
            detector.extractor,
            detector.classes,
            short_side=detector.short_side,
            min_box_score=min_box_score,
            device=detector.device,
        )

    def for_source(self, name: str) -> LiveDetector:
        """The same model for another source, whose name its rows have as `video`, with person ids of its own."""
        other = copy.copy(self)
        other._begin(name)
        return other

    def detect(self, window: StreamWindow, time_s: float) -> pd.DataFrame:
        """Rows of `detection_table` for the persons at `time_s`, half a clip before the window's end."""
        with self._lock:
            return self._detect(window, time_s)

    def _detect(self, window: StreamWindow, time_s: float) -> pd.DataFrame:
        (found,) = self._person_detector([KeyframeImage(self._name, time_s, window.frame_at(time_s).rgb)])
        persons = self._link(time_s, found.select(found.scores >= self._min_box_score))
        if not len(persons):
            return detection_table([], self._classes.ids)
        keyframe = Keyframe(self._name, time_s, time_s, persons, torch.zeros(len(persons), 0))
        clip = collate([extract_whole_frame(window, keyframe, self._extractor)])
        return detection_table(detect(self._model, clip, self._device), self._classes.ids)

    def _begin(self, name: str) -> None:
        self._name = name
        self._linker = PersonLinker(min_start_score=0.0)  # boxes below min_box_score are dropped before
        self._last_time_s = 0.0

    def _link(self, time_s: float, persons: PersonBoxes) -> PersonBoxes:
        since_s, self._last_time_s = time_s - self._last_time_s, time_s
        return self._linker.link(time_s, persons, max_gap_s=live_gap(since_s))


def live_gap(since_s: float) -> float:
    """Longest gap in a track `since_s` seconds after the last keyframe: slow machines make none, lost sources do."""
    return max(MAX_GAP_S, min(since_s, _SLOWEST_S))

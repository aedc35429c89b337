"""LiveAnnotator: the newest detections of a live source, drawn on its frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from avdet.visualization.draw import draw_persons
from avdet.visualization.labelled_person import LabelledPerson
from avdet.visualization.person_timeline import Overlay, detected_persons

__all__ = ["LiveAnnotator"]

_MIN_SHORT_SIDE = 360  # pixels; smaller frames are enlarged for the text


class LiveAnnotator:
    """Draws detections on frame after frame; converts each table of detections once.

    min_score: of the actions that are drawn.
    """

    def __init__(self, action_names: Mapping[int, str], *, min_score: float) -> None:
        self._names, self._min_score = action_names, min_score
        self._table: pd.DataFrame | None = None
        self._persons: Sequence[LabelledPerson] = ()

    def annotated(
        self, rgb: NDArray[np.uint8], detections: pd.DataFrame | None, time_s: float, note: str
    ) -> NDArray[np.uint8]:
        """Returns a copy of the frame (H, W, 3) with the persons of one keyframe, the time and a note."""
        if detections is not self._table:
            self._table, self._persons = detections, self._drawn_persons(detections)
        scale = max(_MIN_SHORT_SIDE / min(rgb.shape[:2]), 1.0)
        height, width = (round(side * scale) for side in rgb.shape[:2])
        frame = np.array(cv2.resize(rgb, (width, height)), np.uint8)  # a copy to draw on
        draw_persons(frame, self._persons, time_s, note=note)
        return frame

    def _drawn_persons(self, table: pd.DataFrame | None) -> Sequence[LabelledPerson]:
        if table is None or table.empty:
            return ()
        overlay = Overlay(detected_persons(table, self._names), min_score=self._min_score)
        return overlay.persons_at(float(table["timestamp"].iloc[0]))

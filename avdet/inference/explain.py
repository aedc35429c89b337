"""Explains detections by activation maps of the keyframe's clip, for each person's three highest-scoring actions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from ava_eval import BOX_COLUMNS
from avdet.data.collate import collate
from avdet.data.detection_test_clips import extract_whole_frame
from avdet.data.keyframes import Keyframe
from avdet.inference.detector import ActionDetector
from avdet.media.video_reader import VideoReader
from avdet.models.action_model import ActionModel
from avdet.models.class_activation import ActivationMaps, ExplainedPerson, Explanation, activation_maps
from avdet.models.one_pathway import AudioOnly
from avdet.structures import PersonBoxes

__all__ = ["Explainer"]

_TOP_ACTIONS = 3


class Explainer:
    """Explains the keyframes of one video with the model that predicted its detections; a context manager.

    detections: the video's rows; timestamps are seconds from its start.
    """

    def __init__(self, detector: ActionDetector, video: str | Path, detections: pd.DataFrame) -> None:
        if not isinstance(detector.model, ActionModel):
            raise ValueError("this model has no activation maps; use ActionDetector.from_checkpoint")
        if isinstance(detector.model.backbone, AudioOnly):
            raise ValueError("an audio-only model has no maps over frames; use a model with a video pathway")
        self._model = detector.model
        self._detector = detector
        known = detections[detections["action_id"].isin(detector.classes.ids)]
        if known.empty and not detections.empty:
            raise ValueError(
                "the checkpoint has none of the detections' action ids; give the checkpoint that predicted them"
            )
        ranked = known.sort_values("score", ascending=False, kind="stable")
        best = ranked.groupby(["timestamp", *BOX_COLUMNS], sort=False).head(_TOP_ACTIONS)
        self._best: Mapping[float, pd.DataFrame] = {float(str(t)): rows for t, rows in best.groupby("timestamp")}
        self._last: tuple[float, Explanation | None] | None = None
        track = detector.extractor.options.audio_track
        self._reader = VideoReader(video, short_side=detector.short_side, audio_track=track)

    def __enter__(self) -> Explainer:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def at(self, time_s: float) -> Explanation | None:
        """Explanation of the keyframe at that time; None if it has no detections or lies outside the video."""
        if self._last is None or self._last[0] != time_s:
            self._last = (time_s, self._explain(time_s))
        return self._last[1]

    def _explain(self, time_s: float) -> Explanation | None:
        rows = self._best.get(time_s)
        if rows is None or not 0 <= time_s <= self._reader.info.duration_s:
            return None
        extractor, device = self._detector.extractor, self._detector.device
        persons = PersonBoxes.from_boxes(
            torch.from_numpy(rows[BOX_COLUMNS].to_numpy(np.float32, copy=True)),
            person_ids=torch.from_numpy(rows["person_id"].to_numpy(np.int64, copy=True)),
        )
        keyframe = Keyframe("", time_s, time_s, persons, torch.zeros(len(persons), 0))
        clip = extract_whole_frame(self._reader, keyframe, extractor)
        ids = list(self._detector.classes.ids)
        classes = torch.tensor([ids.index(action_id) for action_id in rows["action_id"]])
        maps = activation_maps(self._model, collate([clip]).to(device), classes.to(device))
        return Explanation(
            start_s=time_s - extractor.span_s / 2,
            span_s=extractor.span_s,
            persons=tuple(_person(index, row, maps) for index, row in enumerate(rows.to_dict("records"))),
            log_mel=None if clip.audio is None else clip.audio.numpy(),
        )


def _person(index: int, row: Mapping[Hashable, Any], maps: ActivationMaps) -> ExplainedPerson:
    x1, y1, x2, y2 = (float(row[side]) for side in BOX_COLUMNS)
    return ExplainedPerson(
        box=(x1, y1, x2, y2),
        person_id=int(row["person_id"]),
        action_id=int(row["action_id"]),
        score=float(maps.scores[index]),
        score_without_audio=float(maps.scores_without_audio[index]),
        visual_map=maps.visual[index].cpu().numpy(),
        audio_map=None if maps.audio is None else maps.audio[index].cpu().numpy(),
    )

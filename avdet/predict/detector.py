"""A video and its people in, what they do out: the Python API."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch

from avdet.checkpoints.io import load_checkpoint
from avdet.config import parse_config
from avdet.data.ava import cut_whole
from avdet.data.build import build_cutter, build_exclusive
from avdet.data.clip_cutter import ClipCutter
from avdet.data.collate import collate
from avdet.data.keyframes import ClassNames, KeyframeTable, keyframes_of_boxes
from avdet.detection_table import detection_table
from avdet.media.reader import VideoReader
from avdet.models.build import build_model
from avdet.models.detect import Predicts, detect
from avdet.structures import Detections

__all__ = ["ActionDetector"]


class ActionDetector:
    """Says what people do, by looking and listening.

    >>> detector = ActionDetector.from_checkpoint("runs/ava-avslowfast/checkpoints/best.pt")
    >>> table = detector.detect("clip.mp4", boxes=ava_eval.read_boxes("boxes.csv"))
    """

    def __init__(
        self, model: Predicts, classes: ClassNames, cutter: ClipCutter, *, short_side: int, device: torch.device
    ) -> None:
        self.model = model
        self.classes = classes
        self._cutter = cutter
        self._short_side = short_side
        self._device = device
        model.eval()

    @classmethod
    def from_checkpoint(cls, path: str | Path, *, device: str | None = None) -> ActionDetector:
        """The checkpoint says everything: network, classes, clip length, sound. On the GPU where there is one."""
        checkpoint = load_checkpoint(Path(path))
        config = parse_config(checkpoint.config)
        where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        classes = ClassNames.from_label_map(checkpoint.class_names)
        exclusive = build_exclusive(config.ava, classes)
        model = build_model(config.model, num_classes=len(classes), head="roi", exclusive=exclusive)
        model.load_state_dict(checkpoint.model_state)
        return cls(model.to(where), classes, build_cutter(config), short_side=config.data.test_short_side, device=where)

    def detect(
        self, video: str | Path, boxes: pd.DataFrame, *, min_box_score: float = 0.0, batch_size: int = 8
    ) -> pd.DataFrame:
        """A row a person and class: video, timestamp, x1, y1, x2, y2, action_id, score, person_id, action.

        `boxes` are those of `ava_eval.read_boxes`; of its rows, those of this video count (its file's name without
        suffix), at any times and as many a second as wanted. Raises ValueError where there are none, or where one is
        past the video's end.
        """
        path = Path(video)
        keyframes = keyframes_of_boxes(boxes[boxes["video"] == path.stem], min_score=min_box_score)
        if not len(keyframes):
            raise ValueError(
                f"the boxes name nobody in {path.stem!r} with score >= {min_box_score:g}; their column video must hold "
                "the file's name without its suffix"
            )
        found: list[Detections] = []
        with VideoReader(path, short_side=self._short_side) as reader:
            self._refuse_times_outside(keyframes, path, reader.info.duration_s)
            for first in range(0, len(keyframes), batch_size):
                indices = range(first, min(first + batch_size, len(keyframes)))
                batch = collate([cut_whole(reader, keyframes[i], self._cutter) for i in indices])
                found += detect(self.model, batch, self._device)
        table = detection_table(found, self.classes.ids)
        return table.assign(action=table["action_id"].map(self.classes.label_map))

    @staticmethod
    def _refuse_times_outside(keyframes: KeyframeTable, path: Path, duration_s: float) -> None:
        last_s = float(keyframes.times_s.max())
        if last_s > duration_s:
            raise ValueError(
                f"the boxes have somebody at {last_s:g} s of {path}, which lasts {duration_s:.1f} s; timestamps are "
                "seconds from the video's start"
            )

"""Who does what, where and when: people in boxes, scored by frame mAP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

import ava_eval
from ava_eval.protocols import PROTOCOLS
from avdet.data.build import (
    build_classes,
    build_exclusive,
    build_positive_weights,
    build_test_data,
    build_train_loader,
)
from avdet.data.loader import ClipLoader
from avdet.data.sampler import EpochSampler
from avdet.detection_table import write_detections
from avdet.distributed import DistributedContext
from avdet.engine.evaluate_detection import detect_split
from avdet.engine.evaluation_result import EvaluationResult
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.settings import Config
from avdet.structures import ClipBatch

__all__ = ["DetectionTask"]


class DetectionTask:
    def __init__(self, config: Config, process: DistributedContext) -> None:
        self.config, self.process = config, process
        self.classes = build_classes(config.ava)
        self.test_data = build_test_data(config, self.classes, rank=process.rank, world=process.world)

    @property
    def class_names(self) -> Mapping[int, str]:
        return self.classes.label_map

    def train_data(self, bad_clips: Path) -> tuple[ClipLoader[ClipBatch], EpochSampler]:
        return build_train_loader(
            self.config, self.classes, bad_clips=bad_clips, rank=self.process.rank, world=self.process.world
        )

    def build_model(self, loader: ClipLoader[ClipBatch] | None = None) -> ActionModel:
        return build_model(
            self.config.model,
            num_classes=len(self.classes),
            head="roi",
            exclusive=build_exclusive(self.config.ava, self.classes),
            positive_weights=None if loader is None else build_positive_weights(self.config.ava, loader),
        )

    def evaluate(self, model: ActionModel, *, batches: int | None = None) -> EvaluationResult:
        loader = self.test_data.loader
        table = detect_split(model, loader, self.classes.ids, self.process, batches=batches)
        result = self._score(table)
        return EvaluationResult(
            "detection",
            "mAP",
            result.mean_ap,
            result.to_json(),
            "\n".join([ava_eval.table(result), *(f"note: {note}" for note in result.notes)]),
            lambda run: write_detections(table, run.detections),
        )

    def _score(self, table: pd.DataFrame) -> ava_eval.Result:
        """Frame mAP of a table of detections, by the protocol of the config."""
        protocol = PROTOCOLS[self.config.test.protocol]
        return ava_eval.evaluate(
            self.test_data.ground_truth,
            table,
            self.classes.label_map,
            excluded=self.test_data.excluded if protocol.uses_excluded else None,  # else a note would say so
            protocol=protocol.name,
            iou=self.config.test.iou,
        )

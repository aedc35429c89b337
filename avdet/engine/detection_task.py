"""Action detection: the actions of every person box of a split, scored by frame mAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from torch.utils.data import DataLoader

from avdet.config import Config
from avdet.data.build import build_detection_test_loader, build_detection_train_loader, build_positive_weights
from avdet.data.loader import ClipLoader
from avdet.data.sampler import EpochSampler
from avdet.datasets.detection import DetectionDataset
from avdet.detection_table import detection_table, write_detections
from avdet.distributed import DistributedContext
from avdet.engine.progress import Stopwatch, progress_bar
from avdet.engine.task import EvaluationResult
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.detect import Predicts, average_views, detect
from avdet.models.inference_model import inference_model
from avdet.structures import ClipBatch, Detections

__all__ = ["DetectionTask", "detect_split"]


class DetectionTask:
    """See `Task`."""

    def __init__(self, config: Config, dataset: DetectionDataset[Any], process: DistributedContext) -> None:
        self.config, self.dataset, self.process = config, dataset, process
        self.classes = dataset.class_names()
        self.val = dataset.read("val")
        self.loader = build_detection_test_loader(
            config, dataset, self.val, rank=process.rank, world_size=process.world_size
        )

    @property
    def class_names(self) -> Mapping[int, str]:
        return self.classes.label_map

    def train_data(self, bad_clips: Path) -> tuple[ClipLoader[ClipBatch], EpochSampler]:
        return build_detection_train_loader(
            self.config, self.dataset, bad_clips=bad_clips, rank=self.process.rank, world_size=self.process.world_size
        )

    def build_model(self, loader: ClipLoader[ClipBatch] | None = None) -> ActionModel:
        return build_model(
            self.config.model,
            num_classes=len(self.classes),
            head="roi",
            exclusive=self.dataset.exclusive_groups(self.classes),
            positive_weights=None if loader is None else build_positive_weights(self.dataset, loader),
        )

    def evaluate(self, model: ActionModel, *, batches: int | None = None) -> EvaluationResult:
        test = self.config.test
        folded = inference_model(model, self.process.device, test.precision)
        table = detect_split(folded, self.loader, self.classes.ids, self.process, batches=batches)
        metrics = self.dataset.metrics(table, self.val, protocol=test.protocol, iou=test.iou, ties=test.ties)
        return EvaluationResult("detection", metrics, lambda run: write_detections(table, run.detections))


def detect_split(
    model: Predicts,
    loader: DataLoader[list[ClipBatch]],
    class_ids: Sequence[int],
    process: DistributedContext,
    *,
    batches: int | None = None,
) -> pd.DataFrame:
    """The detections of all processes, on each and in one order for any number; of at most `batches` batches each."""
    model.eval()
    detections: list[Detections] = []
    watch = Stopwatch()
    with progress_bar("evaluating", batches or len(loader), visible=process.is_main) as advance:
        for batches_by_size in watch.waiting(islice(loader, batches)):
            for batch in batches_by_size:
                detections += detect(model, batch, process.device)
            advance(f"data {watch.data_s:.2f} s  step {watch.step_s:.2f} s")
    return detection_table(average_views(process.all_gather(detections)), class_ids)

"""Classification of whole clips, by each benchmark's test protocol."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from avdet.config import Config
from avdet.data.build_classification import build_classification_test_loader, build_classification_train_loader
from avdet.data.classification_clips import ClipViews, collate_views
from avdet.data.loader import ClipLoader
from avdet.data.sampler import EpochSampler
from avdet.datasets.classification import ClassificationConfig, ClassificationDataset, refuse_shared
from avdet.datasets.segments import unlabelled_segments
from avdet.distributed import DistributedContext
from avdet.engine.aggregate_views import score_segments
from avdet.engine.predictions_csv import write_predictions
from avdet.engine.task import EvaluationResult
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.drop_pathway import AudioState, no_audio
from avdet.models.inference_model import inference_model
from avdet.structures import ClipBatch

__all__ = ["ClassificationTask", "giga_multiply_adds"]

logger = logging.getLogger(__name__)


class ClassificationTask:
    """One class per clip, several (Charades), or a verb and a noun (EPIC). See `Task`."""

    def __init__(self, config: Config, dataset: ClassificationDataset[Any], process: DistributedContext) -> None:
        self.config, self.dataset, self.process = config, dataset, process
        self.classes = dataset.class_sets()
        dataset.load_metric_lists()
        self.val = dataset.read("val")
        self.loader = build_classification_test_loader(
            config, dataset, self.val, rank=process.rank, world_size=process.world_size
        )

    @property
    def class_names(self) -> Mapping[int, str]:
        """By id; of several class sets numbered through, as `verb: take`."""
        if len(self.classes) == 1:
            return next(iter(self.classes.values())).label_map
        return dict(enumerate(f"{name}: {label}" for name, classes in self.classes.items() for label in classes.names))

    def train_data(self, bad_clips: Path) -> tuple[ClipLoader[ClipBatch], EpochSampler]:
        split = self.dataset.read("train")
        if self.dataset.config.overfit_clips is None:
            refuse_shared(split, self.val)
        return build_classification_train_loader(
            self.config,
            self.dataset,
            split,
            bad_clips=bad_clips,
            rank=self.process.rank,
            world_size=self.process.world_size,
        )

    def build_model(self, loader: ClipLoader[ClipBatch] | None = None) -> ActionModel:
        return build_model(
            self.config.model,
            num_classes={name: len(classes) for name, classes in self.classes.items()},
            head="clip",
            multilabel=self.dataset.multilabel,
            crop_px=self.config.data.train_crop,
        )

    def evaluate(self, model: ActionModel, *, batches: int | None = None) -> EvaluationResult:
        settings: ClassificationConfig = self.dataset.config
        val, loader = self.val, self.loader
        if batches is not None:
            views = batches * self.config.test.batch_size * self.process.world_size
            val = val.first(math.ceil(views / (settings.test_num_clips * settings.test_num_crops)))
            loader = build_classification_test_loader(
                self.config, self.dataset, val, rank=self.process.rank, world_size=self.process.world_size
            )
        elif self.process.is_main:
            self._log_cost(model)
            for fault in unlabelled_segments(val.segments):
                logger.warning("val: %s", fault)
        segments = val.segments
        folded = inference_model(model, self.process.device, self.config.test.precision)
        scores, missing_s = score_segments(folded, loader, len(segments), settings.test_aggregation, self.process)
        if missing_s:
            first, seconds = next(iter(missing_s.items()))
            logger.warning(
                "val: %d of %d videos end before their label does, or are cut short (first: %s, by %.1f s); they are "
                "scored by the frames that exist", len(missing_s), len(segments), segments.ids[first], seconds,
            )  # fmt: skip
        metrics = self.dataset.metrics(self.classes, segments, scores, val.annotated)
        metrics.content["videos_that_end_early"] = len(missing_s)
        return EvaluationResult(
            "classification",
            metrics,
            lambda run: write_predictions(run.predictions, segments.ids.tolist(), scores, self.classes),
        )

    def _log_cost(self, model: ActionModel) -> None:
        settings: ClassificationConfig = self.dataset.config
        segments = len(self.val.segments)
        views = segments * settings.test_num_clips * settings.test_num_crops
        views_of_one_clip = self.loader.clips[0]
        assert isinstance(views_of_one_clip, ClipViews)
        one_clip = collate_views([views_of_one_clip])
        cost = giga_multiply_adds(model, one_clip.batch.to(self.process.device))
        logger.info(
            "val: %s segments x %d clips x %d crops of %d x %d pixels, %s of their scores: %s views, %.2f G "
            "multiply-adds each, %.1f T in all", f"{segments:,}", settings.test_num_clips, settings.test_num_crops,
            settings.test_short_side, settings.test_short_side,
            {"mean": "mean", "max": "maximum"}[settings.test_aggregation], f"{views:,}", cost, views * cost / 1e3,
        )  # fmt: skip


@torch.no_grad()
def giga_multiply_adds(model: ActionModel, batch: ClipBatch) -> float:
    """Multiply-adds of one view in units of 1e9, with audio if the batch has any.

    Runs on the meta device: shapes alone, so the numbers do not depend on how a device computes the model.
    """
    meta_model = copy.deepcopy(model).to("meta").eval()
    audio = no_audio(torch.device("meta"))
    if model.drop_pathway is not None and batch.audio is not None:
        audio = AudioState(batch.audio.to("meta"), torch.arange(len(batch), device="meta"))
    with FlopCounterMode(display=False) as counter:
        meta_model.head(meta_model.backbone(batch.frames.to("meta"), audio), len(batch))
    return float(counter.get_total_flops()) / 2 / 1e9 / len(batch)

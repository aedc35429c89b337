"""What happens in whole clips, by the protocol of each benchmark."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path

from avdet.data.build_clips import (
    build_class_sets,
    build_clip_test_loader,
    build_clip_train_loader,
    clip_test,
    read_split,
    refuse_shared,
)
from avdet.data.classification_clips import collate_views
from avdet.data.loader import ClipLoader
from avdet.data.sampler import EpochSampler
from avdet.datasets.segments import unlabelled
from avdet.distributed import DistributedContext
from avdet.engine.classification_metrics import score_clips
from avdet.engine.epic_lists import read_epic_lists
from avdet.engine.evaluate_clips import score_split
from avdet.engine.evaluation_result import EvaluationResult
from avdet.engine.flops import giga_multiply_adds
from avdet.engine.predictions import write_predictions
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.settings import Config
from avdet.structures import ClipBatch

__all__ = ["ClassificationTask"]

logger = logging.getLogger(__name__)


class ClassificationTask:
    """One class a clip, Charades' several, or EPIC's verb and noun."""

    def __init__(self, config: Config, process: DistributedContext) -> None:
        self.config, self.process = config, process
        self.classes = build_class_sets(config.clips)
        self.epic = read_epic_lists(config.clips)
        self.val = read_split(config.clips, "val")
        self.dataset = clip_test(config, self.val)
        self.loader = build_clip_test_loader(config, self.dataset, rank=process.rank, world=process.world)

    @property
    def class_names(self) -> Mapping[int, str]:
        """By id; of several sets one after another, as `verb: take`."""
        if len(self.classes) == 1:
            return next(iter(self.classes.values())).label_map
        names = [f"{name}: {one}" for name, classes in self.classes.items() for one in classes.names]
        return dict(enumerate(names))

    def train_data(self, bad_clips: Path) -> tuple[ClipLoader[ClipBatch], EpochSampler]:
        split = read_split(self.config.clips, "train")
        refuse_shared(split, self.val)
        return build_clip_train_loader(
            self.config, split, bad_clips=bad_clips, rank=self.process.rank, world=self.process.world
        )

    def build_model(self, loader: ClipLoader[ClipBatch] | None = None) -> ActionModel:
        return build_model(
            self.config.model,
            num_classes={name: len(classes) for name, classes in self.classes.items()},
            head="clip",
            multilabel=self.config.data.kind == "charades",
            crop_px=self.config.data.train_crop,
        )

    def evaluate(self, model: ActionModel, *, batches: int | None = None) -> EvaluationResult:
        data, val, loader = self.config.clips, self.val, self.loader
        if batches is not None:
            views = batches * self.config.test.batch_size * self.process.world
            val = val.first(math.ceil(views / (data.test_num_clips * data.test_num_crops)))
            loader = build_clip_test_loader(
                self.config, clip_test(self.config, val), rank=self.process.rank, world=self.process.world
            )
        elif self.process.is_main:
            self._say_cost(model)
            for fault in unlabelled(val.segments):
                logger.warning("val: %s", fault)
        segments = val.segments
        scores, short = score_split(model, loader, len(segments), data.test_aggregation, self.process)
        if short:
            first, missing_s = next(iter(short.items()))
            logger.warning(
                "val: %d of %d videos end before their label says, or break off (first: %s, %.1f s early); they are "
                "judged by what is there", len(short), len(segments), segments.ids[first], missing_s,
            )  # fmt: skip
        numbers = score_clips(data, self.classes, segments, scores, listed=val.listed, epic=self.epic)
        return EvaluationResult(
            "classification",
            numbers.name,
            numbers.score,
            {**numbers.content, "videos_that_end_early": len(short)},
            numbers.text(),
            lambda run: write_predictions(run.predictions, segments.ids.tolist(), scores, self.classes),
        )

    def _say_cost(self, model: ActionModel) -> None:
        data, clips = self.config.clips, len(self.val.segments)
        views = clips * data.test_num_clips * data.test_num_crops
        one = collate_views([self.dataset[0]])
        each = giga_multiply_adds(model, one.batch.to(self.process.device))
        logger.info(
            "val: %s clips x %d x %d views of %d x %d pixels, the %s of their scores: %s views, %.2f G multiply-adds "
            "each, %.1f T in all", f"{clips:,}", data.test_num_clips, data.test_num_crops, data.test_short_side,
            data.test_short_side, {"mean": "mean", "max": "maximum"}[data.test_aggregation], f"{views:,}", each,
            views * each / 1e3,
        )  # fmt: skip

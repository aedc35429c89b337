"""Builds the task of a config: what a session trains for and how it evaluates."""

from __future__ import annotations

from avdet.config import Config
from avdet.datasets.detection import DetectionDataset
from avdet.distributed import DistributedContext
from avdet.engine.classification_task import ClassificationTask
from avdet.engine.detection_task import DetectionTask
from avdet.engine.pretraining_task import PretrainingTask
from avdet.engine.task import Task

__all__ = ["build_task"]


def build_task(config: Config, process: DistributedContext) -> Task:
    """Detection for benchmarks with person boxes; else classification, or pre-training without class labels.

    Every process of a run builds its own.
    """
    dataset = config.dataset()
    if isinstance(dataset, DetectionDataset):
        return DetectionTask(config, dataset, process)
    if dataset.config.task == "classification":
        return ClassificationTask(config, dataset, process)
    return PretrainingTask(config, dataset, process)

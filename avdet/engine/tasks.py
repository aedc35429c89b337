"""Which task a recipe's data set."""

from __future__ import annotations

from avdet.datasets.data_settings import AvaData
from avdet.distributed import DistributedContext
from avdet.engine.classification_task import ClassificationTask
from avdet.engine.detection_task import DetectionTask
from avdet.engine.evaluation_result import Task
from avdet.engine.pretraining_task import PretrainingTask
from avdet.settings import Config

__all__ = ["build_task"]


def build_task(config: Config, process: DistributedContext) -> Task:
    if isinstance(config.data, AvaData):
        return DetectionTask(config, process)
    return (ClassificationTask if config.data.task == "classification" else PretrainingTask)(config, process)

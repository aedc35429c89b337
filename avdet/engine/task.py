"""What a training session asks of the task that it trains for, and the result of an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from avdet.data.loader import ClipLoader
from avdet.data.sampler import EpochSampler
from avdet.datasets.metrics import Metrics
from avdet.engine.run_dir import RunDir
from avdet.models.action_model import ActionModel
from avdet.structures import ClipBatch

__all__ = ["EvaluationResult", "Task"]


@dataclass(frozen=True)
class EvaluationResult:
    """The metrics of one evaluation.

    section: the key of the metrics in results.json. write_predictions: writes the predictions into a run directory.
    """

    section: str
    metrics: Metrics
    write_predictions: Callable[[RunDir], None]


class Task(Protocol):
    """Detection, classification or self-supervised pre-training: data, model and evaluation."""

    @property
    def class_names(self) -> Mapping[int, str]:
        """Names by id, as checkpoints store them."""
        ...

    def train_data(self, bad_clips: Path) -> tuple[ClipLoader[ClipBatch], EpochSampler]:
        """Training batches of this process, and the sampler that sets their epoch.

        bad_clips: the file that lists the unreadable clips that were replaced.
        """
        ...

    def build_model(self, loader: ClipLoader[ClipBatch] | None = None) -> ActionModel:
        """A model with fresh weights. loader: the training clips, if the loss is weighted by their classes."""
        ...

    def evaluate(self, model: ActionModel, *, batches: int | None = None) -> EvaluationResult:
        """Evaluates the validation split, shared by all processes; every process gets the same result.

        batches: stop after about that many, as a sanity check; the metrics are then meaningless.
        """
        ...

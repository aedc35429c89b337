"""What an evaluation found, whatever was evaluated; and what a run asks of the task that it trains for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from avdet.data.loader import ClipLoader
from avdet.data.sampler import EpochSampler
from avdet.engine.run_dir import RunDir
from avdet.models.action_model import ActionModel
from avdet.structures import ClipBatch

__all__ = ["EvaluationResult", "Task"]


@dataclass(frozen=True)
class EvaluationResult:
    """`score`, called `name`, tells the best checkpoint: the higher the better, None where nothing could be scored.

    section: where `content` stands in results.json. text: the table for the terminal.
    write: puts the predictions into a run directory.
    """

    section: str
    name: str
    score: float | None
    content: dict[str, Any]
    text: str
    write: Callable[[RunDir], None]


class Task(Protocol):
    """Detection, classification or pre-training: data, model and score. `class_names` go into the checkpoints."""

    @property
    def class_names(self) -> Mapping[int, str]: ...

    def train_data(self, bad_clips: Path) -> tuple[ClipLoader[ClipBatch], EpochSampler]:
        """Batches of a process's share, and the sampler that says which epoch they are of.

        bad_clips: the file that lists the clips that cannot be read and were replaced.
        """
        ...

    def build_model(self, loader: ClipLoader[ClipBatch] | None = None) -> ActionModel:
        """With fresh weights. loader: the training clips, where the loss depends on how many a class has."""
        ...

    def evaluate(self, model: ActionModel, *, batches: int | None = None) -> EvaluationResult:
        """The val split, shared by all processes; the same outcome on each.

        batches: about so many alone, to see that everything works; the numbers then mean nothing.
        """
        ...

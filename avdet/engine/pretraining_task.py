"""Self-supervised pre-training: the AVS loss, rotation prediction, or both (paper, sections 3.3 and 6)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from avdet.config import Config
from avdet.data.build_classification import build_classification_loss_loader, build_classification_train_loader
from avdet.data.loader import ClipLoader
from avdet.data.sampler import EpochSampler
from avdet.datasets.classification import ClassificationDataset
from avdet.datasets.metrics import Metrics
from avdet.distributed import DistributedContext
from avdet.engine.progress import progress_bar
from avdet.engine.run_dir import RunDir
from avdet.engine.task import EvaluationResult
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.structures import ClipBatch

__all__ = ["PretrainingTask"]


class PretrainingTask:
    """Evaluated by the validation loss; the benchmark's labels are not used. See `Task`."""

    def __init__(self, config: Config, dataset: ClassificationDataset[Any], process: DistributedContext) -> None:
        self.config, self.dataset, self.process = config, dataset, process
        self.classes = dataset.class_sets()
        self.loader = build_classification_loss_loader(
            config, dataset, dataset.read("val"), rank=process.rank, world_size=process.world_size
        )

    @property
    def class_names(self) -> Mapping[int, str]:
        return next((classes.label_map for classes in self.classes.values()), {})

    def train_data(self, bad_clips: Path) -> tuple[ClipLoader[ClipBatch], EpochSampler]:
        return build_classification_train_loader(
            self.config,
            self.dataset,
            self.dataset.read("train"),
            bad_clips=bad_clips,
            rank=self.process.rank,
            world_size=self.process.world_size,
        )

    def build_model(self, loader: ClipLoader[ClipBatch] | None = None) -> ActionModel:
        return build_model(
            self.config.model,
            num_classes={name: len(classes) for name, classes in self.classes.items()},
            head="clip",
            crop_px=self.config.data.train_crop,
        )

    @torch.no_grad()
    def evaluate(self, model: ActionModel, *, batches: int | None = None) -> EvaluationResult:
        """Mean losses with audio fused, so that the AVS loss counts at its first stage alone."""
        model.eval()
        results: list[tuple[int, dict[str, float], int]] = []  # clips, mean losses, correct rotations
        with progress_bar("evaluating", batches or len(self.loader), visible=self.process.is_main) as advance:
            for batch in islice(self.loader, batches):
                batch = batch.to(self.process.device)  # noqa: PLW2901
                losses = {name: float(loss) for name, loss in model(batch).items()}
                results.append((len(batch), losses, self._num_correct_rotations(model, batch)))
                advance("")
        results = self.process.all_gather(results)
        num_clips = sum(count for count, _, _ in results)
        losses = {name: sum(count * part[name] for count, part, _ in results) / num_clips for name in results[0][1]}
        content: dict[str, Any] = {"clips": num_clips, "loss": losses}
        if "rotation" in self.classes:
            content["rotation_top1"] = sum(correct for _, _, correct in results) / num_clips
        metrics = Metrics("minus_loss", -sum(losses.values()), content, _text(content))
        return EvaluationResult("pretraining", metrics, _write_nothing)

    def _num_correct_rotations(self, model: ActionModel, batch: ClipBatch) -> int:
        if "rotation" not in self.classes:
            return 0
        return int((model.predict(batch).argmax(dim=1) == batch.labels["rotation"]).sum())


def _text(content: Mapping[str, Any]) -> str:
    lines = [f"loss {name:12} {loss:.4f}" for name, loss in content["loss"].items()]
    if "rotation_top1" in content:
        lines.append(f"rotation top-1    {content['rotation_top1']:.4f}")
    return "\n".join(lines)


def _write_nothing(run: RunDir) -> None:
    """Pre-training has no predictions."""

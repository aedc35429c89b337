"""Learning without labels: synchrony of sight and sound, how a clip is turned, or both (paper, section 3.3 and 6)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from avdet.data.build_clips import (
    build_class_sets,
    build_clip_loss_loader,
    build_clip_train_loader,
    read_split,
)
from avdet.data.loader import ClipLoader
from avdet.data.sampler import EpochSampler
from avdet.distributed import DistributedContext
from avdet.engine.evaluation_result import EvaluationResult
from avdet.engine.progress import progress_bar
from avdet.engine.run_dir import RunDir
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.settings import Config
from avdet.structures import ClipBatch

__all__ = ["PretrainingTask"]


class PretrainingTask:
    """Scored by how little it loses on the val split; no label is learned."""

    def __init__(self, config: Config, process: DistributedContext) -> None:
        self.config, self.process = config, process
        self.classes = build_class_sets(config.clips)
        self.val = read_split(config.clips, "val")
        self.loader = build_clip_loss_loader(config, self.val, rank=process.rank, world=process.world)

    @property
    def class_names(self) -> Mapping[int, str]:
        return next((classes.label_map for classes in self.classes.values()), {})

    def train_data(self, bad_clips: Path) -> tuple[ClipLoader[ClipBatch], EpochSampler]:
        split = read_split(self.config.clips, "train")
        return build_clip_train_loader(
            self.config, split, bad_clips=bad_clips, rank=self.process.rank, world=self.process.world
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
        """The mean losses, with the Audio pathway heard, so that synchrony counts at its first junction alone."""
        model.eval()
        found: list[tuple[int, dict[str, float], int]] = []
        with progress_bar("evaluating", batches or len(self.loader), visible=self.process.is_main) as advance:
            for batch in islice(self.loader, batches):
                batch = batch.to(self.process.device)  # noqa: PLW2901
                losses = {name: float(loss) for name, loss in model(batch).items()}
                found.append((len(batch), losses, self._right_turns(model, batch)))
                advance("")
        everyone = self.process.gather(found)
        clips = sum(count for count, _, _ in everyone)
        losses = {
            name: sum(count * part[name] for count, part, _ in everyone) / clips for name in everyone[0][1]
        }  # fmt: skip
        content: dict[str, Any] = {"clips": clips, "loss": losses}
        if "rotation" in self.classes:
            content["rotation_top1"] = sum(right for _, _, right in everyone) / clips
        return EvaluationResult(
            "pretraining", "minus_loss", -sum(losses.values()), content, _text(content), _write_nothing
        )

    def _right_turns(self, model: ActionModel, batch: ClipBatch) -> int:
        if "rotation" not in self.classes:
            return 0
        return int((model.predict(batch).argmax(dim=1) == batch.labels["rotation"]).sum())


def _text(content: Mapping[str, Any]) -> str:
    text = io.StringIO()
    for name, loss in content["loss"].items():
        text.write(f"loss {name:12} {loss:.4f}\n")
    if "rotation_top1" in content:
        text.write(f"rotation top-1    {content['rotation_top1']:.4f}\n")
    return text.getvalue().rstrip()


def _write_nothing(run: RunDir) -> None:
    """There is no prediction to keep."""

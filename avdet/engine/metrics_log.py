"""Logs a training run to the terminal, to metrics.jsonl and as TensorBoard curves."""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from avdet.atomic_write import atomic_write

__all__ = ["MetricsLog", "StepStats", "peak_memory_gb"]

logger = logging.getLogger(__name__)
DATA_WAIT_HINT = 0.25  # share of the step time above which a line suggests how to load clips faster


@dataclass(frozen=True)
class StepStats:
    """Losses, learning rate and speed of a training step. `step_s` includes `data_s`, the time spent on waiting."""

    losses: Mapping[str, Tensor]
    lr: float
    data_s: float
    step_s: float
    batch_size: int

    @property
    def clips_per_s(self) -> float:
        return self.batch_size / self.step_s

    def __str__(self) -> str:
        losses = "  ".join(f"{name} {loss:.3f}" for name, loss in self.losses.items())
        return f"{losses}  {self.clips_per_s:.1f} clips/s  data {self.data_s:.2f} s  step {self.step_s:.2f} s"


class MetricsLog:
    """Appends to metrics.jsonl, one JSON object per line, and to TensorBoard's events beside it. A context manager.

    Opening it for a run that resumes at iteration `resume_at` deletes the lines of later iterations.
    awaits_evaluation: the run repeats the evaluation of this iteration, whose line is deleted as well.
    """

    def __init__(self, path: Path, *, resume_at: int = 0, awaits_evaluation: bool = False) -> None:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        kept = [line for line in lines if _is_kept(line, resume_at, awaits_evaluation)]
        with atomic_write(path) as partial:
            partial.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        self._file = path.open("a", encoding="utf-8")
        self._writer = SummaryWriter(path.parent, purge_step=resume_at + 1)
        self._epoch_of_hint = -1

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
        self._writer.close()

    def write(self, iteration: int, values: Mapping[str, Any]) -> None:
        """Writes one line; its numbers also become points of TensorBoard curves."""
        self._file.write(json.dumps({"iteration": iteration, **values}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())  # before a checkpoint that continues after this line
        for name, value in values.items():
            if isinstance(value, (int, float)):
                self._writer.add_scalar(name, value, iteration)

    def write_step(
        self, iteration: int, epoch: float, stats: StepStats, remaining_s: float, device: torch.device
    ) -> None:
        """Writes and logs the state of training after `epoch` epochs; `remaining_s` until the last epoch ends."""
        logger.info(
            "epoch %.2f  %s  lr %.4f  memory %.1f GB  ETA %d:%02d", epoch, stats, stats.lr, peak_memory_gb(device),
            remaining_s // 60, remaining_s % 60,
        )  # fmt: skip
        if stats.data_s > DATA_WAIT_HINT * stats.step_s and int(epoch) != self._epoch_of_hint:
            self._epoch_of_hint = int(epoch)
            logger.info(
                "%.0f %% of the step time is spent on waiting for data: raise data.workers or cache the videos "
                "(tools/cache_videos.py)", 100 * stats.data_s / stats.step_s,
            )  # fmt: skip
        losses = {f"loss/{name}": float(loss) for name, loss in stats.losses.items()}
        timing = {"data_s": stats.data_s, "step_s": stats.step_s, "clips_per_s": stats.clips_per_s}
        self.write(iteration, {"epoch": epoch, "lr": stats.lr, **losses, **timing})


def _is_kept(line: str, resume_at: int, awaits_evaluation: bool) -> bool:
    """False also for a damaged line: a killed run may leave half of one."""
    try:
        content = json.loads(line)
        iteration = int(content["iteration"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    repeated = awaits_evaluation and "lr" not in content  # an evaluation; training steps log their learning rate
    return iteration < resume_at + (not repeated)


def peak_memory_gb(device: torch.device) -> float:
    """Peak memory so far: allocated on a GPU, or resident of this process on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9

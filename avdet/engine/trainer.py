"""A training loop that you can see: forward, backward, step; and the state from which it goes on after a stop."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from avdet.data.sampler import EpochSampler
from avdet.distributed import DistributedContext
from avdet.engine.freeze import set_training_mode
from avdet.engine.interrupt import Interrupted, StopSignal
from avdet.engine.learner import Learner
from avdet.engine.memory import peak_memory_gb
from avdet.engine.metrics_log import MetricsLog
from avdet.engine.progress import Stopwatch, progress_bar
from avdet.engine.schedule import Schedule
from avdet.structures import ClipBatch

__all__ = ["Trainer"]

logger = logging.getLogger(__name__)
WAITING = 0.25  # share of a step beyond which waiting for data is worth a word


class Trainer:
    """Trains on the loader's batches, an epoch a call. `iteration` counts over all epochs."""

    def __init__(self, learner: Learner, schedule: Schedule, process: DistributedContext, *, log_every: int) -> None:
        self.learner = learner
        self.schedule = schedule
        self.process = process
        self.log_every = log_every
        self.iteration = 0
        self._advised_in = -1  # epoch

    def run_epoch(
        self, loader: Iterable[ClipBatch], sampler: EpochSampler, metrics: MetricsLog | None, stop: StopSignal
    ) -> None:
        """From `iteration` to the end of its epoch. Raises Interrupted in mid-epoch, after a step, once `stop` came."""
        epoch, done = divmod(self.iteration, len(sampler))
        sampler.start(epoch, done)
        set_training_mode(self.learner.module)
        watch = Stopwatch()
        with progress_bar(f"epoch {epoch + 1}", len(sampler), done=done, visible=self.process.is_main) as advance:
            for batch in watch.waiting(loader):
                lr = self.set_rate(self.iteration / len(sampler))
                losses = self.learner.step(batch.to(self.process.device))
                self.iteration += 1
                advance(self._note(losses, watch, sampler.batch_size))
                if self.iteration % self.log_every == 0 or self.iteration % len(sampler) == 0:
                    self._log(metrics, losses, lr, watch, sampler)
                    watch.reset()
                if self.process.any(stop.received) and self.iteration % len(sampler):  # else evaluation comes first
                    raise Interrupted

    def state(self) -> dict[str, Any]:
        """Everything but the weights that the next step depends on, as plain data and tensors."""
        rng = [torch.get_rng_state()]
        if self.process.device.type == "cuda":
            rng.append(torch.cuda.get_rng_state(self.process.device))
        # Each process has seen other clips, and their statistics are its own until an evaluation.
        buffers = {name: buffer.cpu() for name, buffer in self._buffers().items()}
        return {
            "iteration": self.iteration,
            "learner": self.learner.state(),
            "rng": self.process.gather([rng]),
            "buffers": self.process.gather([buffers]),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from `state`. Raises ValueError where it was written by another number of processes."""
        if len(state["rng"]) != self.process.world:
            raise ValueError(
                f"the run was saved by {len(state['rng'])} processes and {self.process.world} are running; resume it "
                "with as many as before"
            )
        self.iteration = state["iteration"]
        self.learner.restore(state["learner"])
        for name, buffer in self._buffers().items():
            buffer.copy_(state["buffers"][self.process.rank][name])
        rng = state["rng"][self.process.rank]
        torch.set_rng_state(rng[0].cpu())
        if self.process.device.type == "cuda":
            torch.cuda.set_rng_state(rng[-1].cpu(), self.process.device)

    def _buffers(self) -> dict[str, Tensor]:
        """Those that training changes; what a recipe sets, such as the weights of classes, is today's."""
        saved = self.learner.module.state_dict().keys()
        return {name: buffer for name, buffer in self.learner.module.named_buffers() if name in saved}

    def set_rate(self, epoch: float) -> float:
        """The schedule's, for the next step; given back."""
        lr = self.schedule.at(epoch)
        for group in self.learner.optimizer.param_groups:
            group["lr"] = lr
        return lr

    def _note(self, losses: dict[str, Tensor], watch: Stopwatch, batch_size: int) -> str:
        rate = batch_size / watch.step_s
        loss = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
        return f"{loss}  {rate:.1f} clips/s  data {watch.data_s:.2f} s  step {watch.step_s:.2f} s"

    def _log(
        self,
        metrics: MetricsLog | None,
        losses: dict[str, Tensor],
        lr: float,
        watch: Stopwatch,
        sampler: EpochSampler,
    ) -> None:
        losses = self.process.mean(losses)
        if metrics is None:
            return
        epoch = self.iteration / len(sampler)
        left_s = (self.schedule.epochs - epoch) * len(sampler) * watch.step_s
        logger.info(
            "epoch %.2f  %s  lr %.4f  memory %.1f GB  ETA %d:%02d", epoch,
            self._note(losses, watch, sampler.batch_size), lr, peak_memory_gb(self.process.device),
            left_s // 60, left_s % 60,
        )  # fmt: skip
        if watch.data_s > WAITING * watch.step_s and int(epoch) != self._advised_in:
            self._advised_in = int(epoch)
            logger.info(
                "%.0f %% of the step waits for data: more data.workers, or cache the movies (tools/cache_videos.py)",
                100 * watch.data_s / watch.step_s,
            )
        values = {f"loss/{name}": float(value) for name, value in losses.items()}
        timing = {"data_s": watch.data_s, "step_s": watch.step_s, "clips_per_s": sampler.batch_size / watch.step_s}
        metrics.write(self.iteration, {"epoch": epoch, "lr": lr, **values, **timing})

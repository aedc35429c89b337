"""The training loop: forward, backward, optimizer step, learning rate, and the state that resuming needs."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from avdet.data.sampler import EpochSampler
from avdet.distributed import DistributedContext
from avdet.engine.interrupt import Interrupted, StopSignal
from avdet.engine.metrics_log import MetricsLog, StepStats
from avdet.engine.nonfinite import NonFiniteError, report_nonfinite
from avdet.engine.optim import LRSchedule, set_training_mode
from avdet.engine.progress import Stopwatch, progress_bar
from avdet.structures import ClipBatch

__all__ = ["Trainer"]

logger = logging.getLogger(__name__)
CONFIGURED = ("weight_decay", "momentum", "nesterov")  # on resuming, the config's values replace the checkpoint's


class Trainer:
    """Minimises the sum of the model's named losses. `iteration` counts optimizer steps over all epochs.

    grad_clip_norm: largest norm of the gradients of all parameters, taken as one vector.
    amp: bfloat16 autocast on GPUs that support it; the losses are summed in float32.
    accumulation_steps: micro-batches per optimizer step. They save memory and give the same update, except that batch
        norm, DropPathway and the AVS loss see one micro-batch at a time.
    ema_decay: decay of a moving average of the weights, which evaluation then uses; 0 keeps no average.
    max_nonfinite_steps: steps with NaN or Inf that are skipped before training stops. Each leaves a file in
        `report_dir`.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        schedule: LRSchedule,
        process: DistributedContext,
        *,
        report_dir: Path,
        log_every: int = 10,
        grad_clip_norm: float | None = None,
        amp: bool = False,
        accumulation_steps: int = 1,
        ema_decay: float = 0.0,
        max_nonfinite_steps: int = 0,
    ) -> None:
        self.model = model.to(process.device)
        self.ddp_model: nn.Module = self.model
        if process.world_size > 1:
            self.ddp_model = DistributedDataParallel(self.model, find_unused_parameters=True, broadcast_buffers=False)
        average = get_ema_multi_avg_fn(ema_decay)
        self.ema = AveragedModel(self.model, multi_avg_fn=average, use_buffers=True) if ema_decay else None
        self.optimizer, self.schedule, self.process = optimizer, schedule, process
        self.report_dir, self.log_every = report_dir, log_every
        self.grad_clip_norm = grad_clip_norm
        self.amp = amp and process.device.type == "cuda" and torch.cuda.is_bf16_supported()
        self.accumulation_steps = accumulation_steps
        self.max_nonfinite_steps = max_nonfinite_steps
        self.iteration = self.nonfinite_steps = 0

    @property
    def eval_model(self) -> nn.Module:
        """The model to evaluate: the moving average of the weights if there is one."""
        return self.model if self.ema is None else self.ema.module

    def train_epoch(
        self, loader: Iterable[ClipBatch], sampler: EpochSampler, metrics: MetricsLog | None, stop: StopSignal
    ) -> None:
        """Trains from `iteration` to the end of its epoch. Raises Interrupted within the epoch once `stop` is set."""
        epoch, first = divmod(self.iteration, len(sampler))
        sampler.start(epoch, first)
        set_training_mode(self.model)
        watch = Stopwatch()
        with progress_bar(f"epoch {epoch + 1}", len(sampler), done=first, visible=self.process.is_main) as advance:
            for batch in watch.waiting(loader):
                lr = self.set_lr(self.iteration / len(sampler))
                losses = self.train_step(batch.to(self.process.device))
                self.iteration += 1
                ends_epoch = self.iteration % len(sampler) == 0
                stats = StepStats(losses, lr, watch.data_s, watch.step_s, sampler.batch_size)
                advance(str(stats))
                if self.iteration % self.log_every == 0 or ends_epoch:
                    self._log(stats, metrics, len(sampler))
                    watch.reset()
                if self.process.any(stop.received) and not ends_epoch:  # after an epoch, evaluation comes first
                    raise Interrupted

    def _log(self, stats: StepStats, metrics: MetricsLog | None, iterations_per_epoch: int) -> None:
        """Averages the losses over the processes, a collective operation, and logs them on the main process."""
        stats = replace(stats, losses=self.process.mean(stats.losses))
        if metrics is not None:
            epoch = self.iteration / iterations_per_epoch
            remaining_s = (self.schedule.epochs - epoch) * iterations_per_epoch * stats.step_s
            metrics.write_step(self.iteration, epoch, stats, remaining_s, self.process.device)

    def set_lr(self, epoch: float) -> float:
        """Sets and returns the learning rate of the next step; `epoch` may be fractional."""
        lr = self.schedule.at(epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        return lr

    def train_step(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Updates the weights once. Returns the losses by name, detached means over the batch.

        Raises NonFiniteError at the first step with NaN or Inf beyond `max_nonfinite_steps`.
        """
        rng = torch.get_rng_state()
        buffers = [buffer.clone() for buffer in self.model.buffers()] if self.max_nonfinite_steps else []
        self.optimizer.zero_grad(set_to_none=True)
        mean_losses: dict[str, Tensor] = {}
        micro_batches = batch.split(self.accumulation_steps)
        for index, (micro_batch, share) in enumerate(zip(micro_batches, self._shares(micro_batches), strict=True)):
            model, is_last = self.ddp_model, index == len(micro_batches) - 1
            with nullcontext() if is_last or not isinstance(model, DistributedDataParallel) else model.no_sync():
                with torch.autocast(self.process.device.type, torch.bfloat16, enabled=self.amp):
                    losses = model(micro_batch)
                loss = torch.stack([value.float() for value in losses.values()]).sum() * share
                loss.backward()
            for name, value in losses.items():
                mean_losses[name] = mean_losses.get(name, 0) + share * value.detach()
        norm = get_total_norm([p.grad for p in self.model.parameters() if p.grad is not None])
        if not norm.isfinite():  # the same on every process, since DDP averages the gradients
            self._skip_step(batch, mean_losses, rng, buffers)
            return mean_losses
        if self.grad_clip_norm is not None:
            clip_grads_with_norm_(self.model.parameters(), self.grad_clip_norm, norm)
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update_parameters(self.model)
        return mean_losses

    def _shares(self, micro_batches: list[ClipBatch]) -> list[float]:
        """Each micro-batch's share of the rows over all processes: person boxes, or clips if there are no boxes.

        Losses are means over these rows, so the sum of losses times shares has the gradient of the whole batch.
        """
        if len(micro_batches) == 1:
            return [1.0]
        lengths = {
            "boxes": [len(part.box_clip) for part in micro_batches],
            "clips": [len(part) for part in micro_batches],
        }
        device = self.process.device
        counts = self.process.mean({name: torch.tensor(count, device=device) for name, count in lengths.items()})
        rows = counts["boxes"] if counts["boxes"].any() else counts["clips"]
        return (rows / rows.sum()).tolist()

    def _skip_step(self, batch: ClipBatch, losses: dict[str, Tensor], rng: Tensor, buffers: list[Tensor]) -> None:
        """Puts the buffers back to their values before the step, or raises NonFiniteError."""
        self.nonfinite_steps += 1
        report = self.report_dir / f"nonfinite_{self.nonfinite_steps}.pt"
        message = report_nonfinite(self.model, batch, losses, rng, self.process, report)
        if self.nonfinite_steps > self.max_nonfinite_steps:
            raise NonFiniteError(
                f"{message}; lower train.lr, set train.grad_clip_norm, or skip such steps with "
                f"train.max_nonfinite_steps={self.nonfinite_steps}"
            )
        logger.warning("%s; step skipped (%d of at most %d)", message, self.nonfinite_steps, self.max_nonfinite_steps)
        with torch.no_grad():
            for buffer, saved in zip(self.model.buffers(), buffers, strict=True):
                buffer.copy_(saved)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the weights that the next step depends on, as plain data and tensors. Collective."""
        rng = [torch.get_rng_state()]
        if self.process.device.type == "cuda":
            rng.append(torch.cuda.get_rng_state(self.process.device))
        # Until an evaluation averages them, each process has batch norm statistics of its own.
        buffers = {name: buffer.cpu() for name, buffer in self._saved_buffers().items()}
        return {
            "iteration": self.iteration,
            "optimizer": self.optimizer.state_dict(),
            "ema": None if self.ema is None else self.ema.state_dict(),
            "nonfinite_steps": self.nonfinite_steps,
            "rng": self.process.all_gather([rng]),
            "buffers": self.process.all_gather([buffers]),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores `state_dict`. Raises ValueError if another number of processes saved it."""
        saved = len(state["rng"])
        if saved != self.process.world_size:
            raise ValueError(
                f"{saved} processes saved the run, but {self.process.world_size} are running; resume it with {saved}"
            )
        self.iteration, self.nonfinite_steps = state["iteration"], state["nonfinite_steps"]
        configured = [{name: group[name] for name in CONFIGURED} for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for group, settings in zip(self.optimizer.param_groups, configured, strict=True):
            group.update(settings)
        if self.ema is not None and state["ema"] is not None:
            self.ema.load_state_dict(state["ema"])
        for name, buffer in self._saved_buffers().items():
            buffer.copy_(state["buffers"][self.process.rank][name])
        rng = state["rng"][self.process.rank]
        torch.set_rng_state(rng[0].cpu())
        if self.process.device.type == "cuda":
            torch.cuda.set_rng_state(rng[-1].cpu(), self.process.device)

    def _saved_buffers(self) -> dict[str, Tensor]:
        """The buffers that training changes. Others, such as class weights, come from the config."""
        saved = self.model.state_dict().keys()
        return {name: buffer for name, buffer in self.model.named_buffers() if name in saved}

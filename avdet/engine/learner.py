"""One update of a model: forward, backward, step, with what a recipe adds to it."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from avdet.distributed import DistributedContext
from avdet.engine.nonfinite import NonFiniteError, describe, save_report
from avdet.structures import ClipBatch

__all__ = ["Learner"]

logger = logging.getLogger(__name__)
CHOSEN = ("weight_decay", "momentum", "nesterov")  # by the recipe, for each group of parameters


class Learner:
    """The model gives named losses; their sum is what falls.

    clip_gradient: bounds the norm of all gradients together. amp: bfloat16 where the GPU has it; losses stay float32.
    accumulate: a batch goes through in so many parts, whose gradients are added up: less memory, the same update but
    for the batch norms, which see smaller batches, for DropPathway, which each part draws for itself, and for the
    synchronisation loss, a mean over each part's pairs.
    ema: decay of a moving average of the weights, which is then what is evaluated; 0 keeps none.
    max_nonfinite: updates with a NaN or an infinity in them that are left out before training stops; each is kept in
    the folder `reports`.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        process: DistributedContext,
        *,
        grad_clip_norm: float | None = None,
        amp: bool = False,
        accumulate: int = 1,
        ema: float = 0.0,
        max_nonfinite_steps: int = 0,
        reports: Path | None = None,
    ) -> None:
        self.module = model.to(process.device)
        self.model: nn.Module = self.module
        if process.world > 1:
            self.model = DistributedDataParallel(self.module, find_unused_parameters=True, broadcast_buffers=False)
        self.optimizer = optimizer
        self.process = process
        self.grad_clip_norm = grad_clip_norm
        self.amp = amp and process.device.type == "cuda" and torch.cuda.is_bf16_supported()
        self.accumulate = accumulate
        average = get_ema_multi_avg_fn(ema)
        self.average = AveragedModel(self.module, multi_avg_fn=average, use_buffers=True) if ema else None
        self.max_nonfinite_steps = max_nonfinite_steps
        self.reports = reports
        self.nonfinite = 0

    @property
    def evaluated(self) -> nn.Module:
        """The weights' moving average where there is one."""
        return self.module if self.average is None else self.average.module

    def step(self, batch: ClipBatch) -> dict[str, Tensor]:
        """One update; the losses by name, detached. Raises NonFiniteError for one too many that cannot be made."""
        rng = torch.get_rng_state()
        buffers = [buffer.clone() for buffer in self.module.buffers()] if self.max_nonfinite_steps else []
        self.optimizer.zero_grad(set_to_none=True)
        losses = self._backward(batch)
        gradients = [p.grad for p in self.module.parameters() if p.grad is not None]
        norm = get_total_norm(gradients)
        if not norm.isfinite():  # on every process alike: their gradients are one mean
            self._leave_out(batch, losses, rng, buffers)
            return losses
        if self.grad_clip_norm is not None:
            nn.utils.clip_grads_with_norm_(self.module.parameters(), self.grad_clip_norm, norm)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.module)
        return losses

    def state(self) -> dict[str, Any]:
        """Everything but the weights."""
        average = None if self.average is None else self.average.state_dict()
        return {"optimizer": self.optimizer.state_dict(), "average": average, "nonfinite": self.nonfinite}

    def restore(self, state: dict[str, Any]) -> None:
        chosen = [{name: group[name] for name in CHOSEN} for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for group, settings in zip(self.optimizer.param_groups, chosen, strict=True):
            group.update(settings)  # today's recipe counts, not the one that was saved
        self.nonfinite = state["nonfinite"]
        if self.average is not None and state["average"] is not None:
            self.average.load_state_dict(state["average"])

    def _backward(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Gradients of the mean over the batch; the losses' means."""
        parts = batch.split(self.accumulate)
        sums: dict[str, Tensor] = {}
        for place, (part, share) in enumerate(zip(parts, self._shares(parts), strict=True)):
            with ExitStack() as stack:
                if isinstance(self.model, DistributedDataParallel) and place < len(parts) - 1:
                    stack.enter_context(self.model.no_sync())
                with torch.autocast(self.process.device.type, torch.bfloat16, enabled=self.amp):
                    losses = self.model(part)
                total = torch.stack([loss.float() for loss in losses.values()]).sum()
                (total * share).backward()
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0) + share * loss.detach()
        return sums

    def _shares(self, parts: list[ClipBatch]) -> list[float]:
        """What each part has of all processes' rows, people or whole clips: losses are means over these."""
        if len(parts) == 1:
            return [1.0]
        rows = {
            "people": torch.tensor([len(part.box_clip) for part in parts], device=self.process.device),
            "clips": torch.tensor([len(part) for part in parts], device=self.process.device),
        }
        rows = self.process.mean(rows)
        count = rows["people"] if rows["people"].any() else rows["clips"]
        return (count / count.sum()).tolist()

    def _leave_out(self, batch: ClipBatch, losses: dict[str, Tensor], rng: Tensor, buffers: list[Tensor]) -> None:
        self.nonfinite += 1
        fault, rank = describe(self.module, batch, losses, rng, self.process)
        clips = ", ".join(f"{video} at {time_s:g} s" for video, time_s in fault.clips)
        where = ""
        if self.reports is not None:
            path = self.reports / f"nonfinite_{self.nonfinite}.pt"
            where = f" {path} holds the batch;"
            if self.process.rank == rank:
                save_report(path, batch, fault.what, losses)
        said = f"{fault.what} is not finite (clips: {clips}, ...);{where}"
        if self.nonfinite > self.max_nonfinite_steps:
            raise NonFiniteError(
                f"{said} lower train.lr, set train.grad_clip_norm, or leave such updates out with "
                f"train.max_nonfinite_steps={self.nonfinite}"
            )
        logger.warning("%s the update is left out (%d of at most %d)", said, self.nonfinite, self.max_nonfinite_steps)
        with torch.no_grad():
            for buffer, before in zip(self.module.buffers(), buffers, strict=True):
                buffer.copy_(before)

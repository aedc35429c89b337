"""Finds where NaN or Inf first occurred in a training step (input, layer, loss or gradient) and saves the batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor, nn

from avdet.distributed import DistributedContext
from avdet.structures import ClipBatch

__all__ = ["NonFiniteError", "NonFiniteSource", "find_nonfinite_layer", "find_nonfinite_source", "report_nonfinite"]


class NonFiniteError(ValueError):
    """A training step produced NaN or Inf; the message names the source and the clips."""


@dataclass(frozen=True)
class NonFiniteSource:
    """The first tensor with NaN or Inf: its `name`, and the first `clips` (video, seconds) of the batch.

    stage: 0 input, 1 layer, 2 loss, 3 gradient.
    """

    stage: int
    name: str
    clips: tuple[tuple[str, float], ...]


def report_nonfinite(
    model: nn.Module,
    batch: ClipBatch,
    losses: Mapping[str, Tensor],
    rng: Tensor,
    process: DistributedContext,
    path: Path,
) -> str:
    """Saves the batch with NaN or Inf to `path`, and returns a message that names the source. Collective."""
    source, rank = find_nonfinite_source(model, batch, losses, rng, process)
    if process.rank == rank:
        _save_batch(path, batch, source.name, losses)
    clips = ", ".join(f"{video} at {time_s:g} s" for video, time_s in source.clips)
    return f"NaN or Inf in {source.name} (clips: {clips}, ...); {path} holds the batch"


def find_nonfinite_source(
    model: nn.Module, batch: ClipBatch, losses: Mapping[str, Tensor], rng: Tensor, process: DistributedContext
) -> tuple[NonFiniteSource, int]:
    """The earliest source over all processes, such as "the output of backbone.slow.res3", and the rank that has it.

    rng: torch's random state before the step, with which the forward pass is repeated. Collective.
    """
    names = [_nonfinite_input(batch), None, _nonfinite_loss(losses), _nonfinite_gradient(model)]
    if not process.any(names[0] is not None):  # all processes repeat the pass, as synchronised batch norm needs them
        names[1] = find_nonfinite_layer(model, batch, rng)
    stage, name = next((stage, name) for stage, name in enumerate(names) if name is not None)
    sources = process.all_gather([NonFiniteSource(stage, name, batch.clips[:3])])
    rank = min(range(len(sources)), key=lambda rank: sources[rank].stage)
    return sources[rank], rank


def _nonfinite_input(batch: ClipBatch) -> str | None:
    for name, tensor in (("audio", batch.audio), ("negative audio", batch.negative_audio)):
        if tensor is not None and not tensor.isfinite().all():
            clip = int((~tensor.isfinite().flatten(1).all(dim=1)).nonzero()[0])
            return f"the {name} of {batch.clips[clip][0]} at {batch.clips[clip][1]:g} s"
    if not batch.boxes_px.isfinite().all():
        return "a box"
    return None


def _nonfinite_loss(losses: Mapping[str, Tensor]) -> str | None:
    return next((f"the loss {name}" for name, loss in losses.items() if not loss.isfinite()), None)


def _nonfinite_gradient(model: nn.Module) -> str:
    gradients = ((name, p.grad) for name, p in model.named_parameters() if p.grad is not None)
    names = (name for name, gradient in gradients if not gradient.isfinite().all())
    return f"the gradient of {next(names, 'the sum of the losses')}"


@torch.no_grad()
def find_nonfinite_layer(model: nn.Module, batch: ClipBatch, rng: Tensor) -> str | None:
    """Repeats the forward pass, and names the first layer whose output has NaN or Inf, if any."""
    torch.set_rng_state(rng)
    with _record_nonfinite_outputs(model) as layers:
        model(batch)
    return f"the output of {layers[0]}" if layers else None


@contextmanager
def _record_nonfinite_outputs(model: nn.Module) -> Iterator[list[str]]:
    layers: list[str] = []
    handles = []
    for name, module in model.named_modules():
        if not list(module.children()):

            def check(_: nn.Module, __: object, output: object, name: str = name) -> None:
                if isinstance(output, Tensor) and output.is_floating_point() and not output.isfinite().all():
                    layers.append(name)

            handles.append(module.register_forward_hook(check))
    try:
        yield layers
    finally:
        for handle in handles:
            handle.remove()


def _save_batch(path: Path, batch: ClipBatch, source: str, losses: Mapping[str, Tensor]) -> None:
    """Saves plain data and tensors, readable with torch.load(weights_only=True)."""
    values = {field.name: getattr(batch, field.name) for field in fields(batch)}
    tensors = {name: value.cpu() for name, value in values.items() if isinstance(value, Tensor)}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(
        {
            "what": source,
            "clips": list(batch.clips),
            "losses": {name: float(loss) for name, loss in losses.items()},
            "labels": {name: label.cpu() for name, label in batch.labels.items()},
            **tensors,
        },
        path,
    )

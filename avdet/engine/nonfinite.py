"""Where a NaN or an infinity came from: said by clip, layer or gradient, and kept with its batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor, nn

from avdet.distributed import DistributedContext
from avdet.structures import ClipBatch

__all__ = ["Fault", "NonFiniteError", "bad_layer", "describe", "save_report"]


class NonFiniteError(ValueError):
    """Training met a number that is none: in which loss, layer or gradient, of which clips."""


@dataclass(frozen=True)
class Fault:
    """What is not finite; the lower its `depth`, the nearer to the cause. `clips`: the first of the batch."""

    depth: int
    what: str
    clips: tuple[tuple[str, float], ...]


def describe(
    model: nn.Module, batch: ClipBatch, losses: Mapping[str, Tensor], rng: Tensor, process: DistributedContext
) -> tuple[Fault, int]:
    """What is wrong, from the input on: "the sound of a.mp4 at 902 s", "the output of backbone.slow.res3", ...

    Of several processes the one that is nearest to the cause tells; its rank comes second, and every process is told.
    rng: torch's state before the step, so that the same is dropped again.
    """
    wrong = [_in_input(batch), None, _in_losses(losses), _in_gradients(model)]  # from the cause on
    if not process.any(wrong[0] is not None):  # norms of all processes need all of them to go through again
        wrong[1] = bad_layer(model, batch, rng)
    depth, what = next((depth, what) for depth, what in enumerate(wrong) if what is not None)
    faults = process.gather([Fault(depth, what, batch.clips[:3])])
    rank = min(range(len(faults)), key=lambda rank: faults[rank].depth)
    return faults[rank], rank


def _in_input(batch: ClipBatch) -> str | None:
    for name, tensor in (("sound", batch.audio), ("misaligned sound", batch.negative_audio)):
        if tensor is not None and not tensor.isfinite().all():
            clip = int((~tensor.isfinite().flatten(1).all(dim=1)).nonzero()[0])
            return f"the {name} of {batch.clips[clip][0]} at {batch.clips[clip][1]:g} s"
    if not batch.boxes_px.isfinite().all():
        return "a box"
    return None


def _in_losses(losses: Mapping[str, Tensor]) -> str | None:
    return next((f"the loss {name}" for name, loss in losses.items() if not loss.isfinite()), None)


def _in_gradients(model: nn.Module) -> str:
    gradients = ((name, p.grad) for name, p in model.named_parameters() if p.grad is not None)
    broken = (name for name, gradient in gradients if not gradient.isfinite().all())
    return f"the gradient of {next(broken, 'the sum of the losses')}"


@torch.no_grad()
def bad_layer(model: nn.Module, batch: ClipBatch, rng: Tensor) -> str | None:
    """The output of the first layer that gives what is not finite when the batch goes through again, if one does."""
    torch.set_rng_state(rng)
    with _watched(model) as found:
        model(batch)
    return f"the output of {found[0]}" if found else None


@contextmanager
def _watched(model: nn.Module) -> Iterator[list[str]]:
    found: list[str] = []
    handles = []
    for name, module in model.named_modules():
        if not list(module.children()):

            def look(_: nn.Module, __: object, output: object, name: str = name) -> None:
                if isinstance(output, Tensor) and output.is_floating_point() and not output.isfinite().all():
                    found.append(name)

            handles.append(module.register_forward_hook(look))
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def save_report(path: Path, batch: ClipBatch, what: str, losses: Mapping[str, Tensor]) -> None:
    """Plain data and tensors, for torch.load(weights_only=True)."""
    tensors = {field.name: getattr(batch, field.name) for field in fields(batch)}
    kept = {name: value.cpu() for name, value in tensors.items() if isinstance(value, Tensor)}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(
        {
            "what": what,
            "clips": list(batch.clips),
            "losses": {name: float(loss) for name, loss in losses.items()},
            "labels": {name: label.cpu() for name, label in batch.labels.items()},
            **kept,
        },
        path,
    )

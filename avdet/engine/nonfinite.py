"""Where a NaN or an infinity came from: said by clip, layer or gradient, and kept with its batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import torch
from torch import Tensor, nn

from avdet.structures import ClipBatch

__all__ = ["NonFiniteError", "bad_layer", "describe", "save_report"]


class NonFiniteError(ValueError):
    """Training met a number that is none: in which loss, layer or gradient, of which clips."""


def describe(model: nn.Module, batch: ClipBatch, losses: Mapping[str, Tensor], rng: Tensor) -> str:
    """What is wrong, from the input on: "the sound of a.mp4 at 902 s", "the output of backbone.slow.res3", ...

    rng: torch's state before the step, so that the same is dropped again.
    """
    for name, tensor in (("sound", batch.audio), ("misaligned sound", batch.negative_audio)):
        if tensor is not None and not tensor.isfinite().all():
            clip = int((~tensor.isfinite().flatten(1).all(dim=1)).nonzero()[0])
            return f"the {name} of {batch.clips[clip][0]} at {batch.clips[clip][1]:g} s"
    if not batch.boxes_px.isfinite().all():
        return "a box"
    layer = bad_layer(model, batch, rng)
    if layer:
        return f"the output of {layer}"
    broken = [name for name, loss in losses.items() if not loss.isfinite()]
    if broken:
        return f"the loss {broken[0]}"
    gradients = (name for name, p in model.named_parameters() if p.grad is not None and not p.grad.isfinite().all())
    return f"the gradient of {next(gradients, 'the sum of the losses')}"


@torch.no_grad()
def bad_layer(model: nn.Module, batch: ClipBatch, rng: Tensor) -> str | None:
    """The first layer whose output is not finite when the batch goes through again; None where all are."""
    torch.set_rng_state(rng)
    with _watched(model) as found:
        model(batch)
    return found[0] if found else None


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

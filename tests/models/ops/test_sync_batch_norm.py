"""Two processes with shared norms give what one gives with both batches."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.multiprocessing.spawn import spawn
from torch.nn.parallel import DistributedDataParallel

from avdet.models.action_model import ActionModel
from avdet.models.build import activation_checkpointing, build_model, convert_sync_batchnorm
from avdet.models.ops.sync_batch_norm import normalise_together
from avdet.structures import ClipBatch
from tests.models.tiny import shake, tiny_batch, tiny_config

BATCH = 4


def whole() -> ClipBatch:
    """Clips of 4, 4, 1 and 1 people, and the last one's pair cannot be told: the processes' shares are uneven."""
    batch = tiny_batch((True,) * BATCH, boxes=4, paired=True)
    keep = torch.tensor([True] * 8 + [True, False, False, False] * 2)
    people = (
        *batch.people[:2],
        *(person.select(torch.tensor([True, False, False, False])) for person in batch.people[2:]),
    )
    assert batch.audio is not None and batch.negative_audio is not None
    return ClipBatch(
        frames=batch.frames,
        audio=batch.audio,
        has_audio=batch.has_audio,
        boxes_px=batch.boxes_px[keep],
        box_clip=batch.box_clip[keep],
        labels={"action": batch.labels["action"][keep]},
        clips=batch.clips,
        people=people,
        negative_audio=torch.cat([batch.negative_audio[:-1], batch.audio[-1:]]),
    )


def model() -> ActionModel:
    torch.manual_seed(0)
    config = tiny_config(avs_stages=("res3", "pool5"), nonlocal_blocks=(0,))
    model = build_model(config, num_classes=3, head="roi")
    convert_sync_batchnorm(model)
    shake(model)
    return model


def step(model: nn.Module, net: nn.Module, batch: ClipBatch) -> float:
    loss = torch.stack(list(net(batch).values())).sum()
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.sub_(0.01 * parameter.grad)
                parameter.grad = None
    return float(loss.detach())


def _train(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    mine = model()
    parallel = DistributedDataParallel(mine, find_unused_parameters=True)
    losses = [step(mine, parallel, whole().split(2)[rank]) for _ in range(3)]
    torch.save({"losses": losses, "state": mine.state_dict()}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    spawn(_train, args=(str(tmp_path),), nprocs=2)
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    alone = model()
    losses = [step(alone, alone, whole()) for _ in range(3)]
    together = [(a + b) / 2 for a, b in zip(parts[0]["losses"], parts[1]["losses"], strict=True)]
    assert together == pytest.approx(losses, rel=1e-4)
    for name, value in alone.state_dict().items():
        assert torch.allclose(parts[0]["state"][name].float(), value.float(), rtol=1e-3, atol=1e-4), name


def test_alone_it_is_batch_norm() -> None:
    norm = nn.BatchNorm2d(3)
    shake(norm)
    other = copy.deepcopy(norm)
    x = torch.randn(4, 3, 5, 2, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    ours, theirs = normalise_together(x, norm), other(y)
    assert torch.allclose(ours, theirs, atol=1e-5)
    for out in (ours, theirs):
        out.square().sum().backward()
    assert x.grad is not None and y.grad is not None and torch.allclose(x.grad, y.grad, atol=1e-4)
    torch.testing.assert_close(norm.state_dict(), other.state_dict())


def test_forgotten_activations_change_nothing_but_memory() -> None:
    torch.manual_seed(0)
    plain = build_model(tiny_config(), num_classes=3, head="roi")
    shake(plain)
    forgetful = copy.deepcopy(plain)
    activation_checkpointing(forgetful)
    kept: list[int] = []

    def count(tensor: torch.Tensor) -> torch.Tensor:
        kept[-1] += tensor.numel()
        return tensor

    for net in (plain, forgetful):
        kept.append(0)
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            loss = torch.stack(list(net(tiny_batch()).values())).sum()
        loss.backward()
    assert kept[1] < 0.7 * kept[0]
    torch.testing.assert_close(forgetful.state_dict(), plain.state_dict())
    for a, b in zip(plain.parameters(), forgetful.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None)
        assert a.grad is None or torch.allclose(a.grad, b.grad, atol=1e-4)  # type: ignore[arg-type]


def test_shared_norms_have_the_gradients_of_plain_ones() -> None:
    """Of a whole model, in float64, in one process."""
    torch.manual_seed(0)
    plain = shake(build_model(tiny_config(), num_classes=3, head="roi")).double()
    shared = copy.deepcopy(plain)
    convert_sync_batchnorm(shared)
    batch = tiny_batch(size=64)
    assert batch.audio is not None
    floats = replace(batch, frames=batch.frames.double() / 255, audio=batch.audio.double())
    for net in (plain, shared):
        torch.stack(list(net(floats).values())).sum().backward()
    for (name, a), b in zip(plain.named_parameters(), shared.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None), name
        if a.grad is not None and b.grad is not None:
            assert torch.allclose(a.grad, b.grad, rtol=1e-6, atol=1e-12), name

"""Synchronised batch norm: two processes train as one does with both batches."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.drop_pathway import DropPathway
from avdet.models.ops.small_channel_bn import BatchNorm
from avdet.models.ops.sync_batch_norm import convert_sync_batchnorm, sync_batch_norm
from avdet.structures import ClipBatch
from tests.models.conftest import RunTwice
from tests.models.tiny import shake, tiny_batch, tiny_config

BATCH = 4


def whole_batch() -> ClipBatch:
    """Clips with 4, 4, 1 and 1 persons, and no valid pair in the last one: the two halves have unequal counts."""
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


def _train(rank: int, folder: Path) -> None:
    network = model()
    parallel = DistributedDataParallel(network, find_unused_parameters=True)
    losses = [step(network, parallel, whole_batch().split(2)[rank]) for _ in range(3)]
    torch.save({"losses": losses, "state": network.state_dict()}, folder / f"{rank}.pt")


def test_two_processes_train_as_one(in_two_processes: RunTwice, tmp_path: Path) -> None:
    in_two_processes(_train, tmp_path)
    results = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    single = model()
    losses = [step(single, single, whole_batch()) for _ in range(3)]
    means = [(a + b) / 2 for a, b in zip(results[0]["losses"], results[1]["losses"], strict=True)]
    assert means == pytest.approx(losses, rel=1e-4)
    for name, value in single.state_dict().items():
        assert torch.allclose(results[0]["state"][name].float(), value.float(), rtol=1e-3, atol=1e-4), name


def test_in_one_process_it_is_batch_norm() -> None:
    norm = nn.BatchNorm2d(3)
    shake(norm)
    other = copy.deepcopy(norm)
    x = torch.randn(4, 3, 5, 2, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    synchronized, plain = sync_batch_norm(x, norm), other(y)
    assert torch.allclose(synchronized, plain, atol=1e-5)
    for out in (synchronized, plain):
        out.square().sum().backward()
    assert x.grad is not None and y.grad is not None and torch.allclose(x.grad, y.grad, atol=1e-4)
    torch.testing.assert_close(norm.state_dict(), other.state_dict())


def test_a_whole_model_has_the_gradients_of_plain_norms() -> None:
    """In float64, in one process."""
    torch.manual_seed(0)
    plain = shake(build_model(tiny_config(), num_classes=3, head="roi")).double()
    synchronized = copy.deepcopy(plain)
    convert_sync_batchnorm(synchronized)
    batch = tiny_batch(size=64)
    assert batch.audio is not None
    floats = replace(batch, frames=batch.frames.double() / 255, audio=batch.audio.double())
    for net in (plain, synchronized):
        torch.stack(list(net(floats).values())).sum().backward()
    for (name, a), b in zip(plain.named_parameters(), synchronized.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None), name
        if a.grad is not None and b.grad is not None:
            assert torch.allclose(a.grad, b.grad, rtol=1e-6, atol=1e-12), name


def test_on_gpus_it_is_torchs(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process, where torch's SyncBatchNorm is plain batch norm and runs on CPUs too."""
    torch.manual_seed(0)
    plain = build_model(tiny_config(), num_classes=3, head="roi")
    shake(plain)
    converted = copy.deepcopy(plain)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    convert_sync_batchnorm(converted)
    count = sum(isinstance(module, BatchNorm) for module in plain.modules())
    assert sum(isinstance(module, nn.SyncBatchNorm) for module in converted.modules()) == count
    assert not any(isinstance(module, BatchNorm) for module in converted.modules())
    assert all(module.synchronized for module in converted.modules() if isinstance(module, DropPathway))
    gradients = []
    for net in (plain, converted):
        torch.stack(list(net(tiny_batch()).values())).sum().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]))
    assert (gradients[0] - gradients[1]).norm() < 1e-3 * gradients[0].norm()
    converted.load_state_dict(plain.state_dict())
    torch.testing.assert_close(converted.eval().predict(tiny_batch()), plain.eval().predict(tiny_batch()))

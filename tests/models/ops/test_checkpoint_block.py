"""Activation checkpointing: the same gradients and running statistics from fewer kept values."""

from __future__ import annotations

import copy

import torch

from avdet.models.build import build_model
from avdet.models.ops.checkpoint_block import activation_checkpointing
from tests.models.tiny import shake, tiny_batch, tiny_config


def test_checkpointing_changes_only_the_memory() -> None:
    torch.manual_seed(0)
    plain = build_model(tiny_config(), num_classes=3, head="roi")
    shake(plain)
    checkpointed = copy.deepcopy(plain)
    activation_checkpointing(checkpointed)
    kept: list[int] = []  # values kept for the backward pass

    def count(tensor: torch.Tensor) -> torch.Tensor:
        kept[-1] += tensor.numel()
        return tensor

    for net in (plain, checkpointed):
        kept.append(0)
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            loss = torch.stack(list(net(tiny_batch()).values())).sum()
        loss.backward()
    assert kept[1] < 0.7 * kept[0]
    torch.testing.assert_close(checkpointed.state_dict(), plain.state_dict())
    for a, b in zip(plain.parameters(), checkpointed.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None)
        assert a.grad is None or torch.allclose(a.grad, b.grad, atol=1e-4)  # type: ignore[arg-type]

"""ClassLoss against torch's losses and numbers worked out by hand."""

from __future__ import annotations

from math import exp, log

import pytest
import torch
from torch.nn import functional as F

from avdet.models.class_loss import ClassLoss


def test_independent_classes_by_hand() -> None:
    """log(1 + e^-x) for a true class, log(1 + e^x) for a false one."""
    logits, labels = torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]])
    assert ClassLoss(2)(logits, labels).item() == pytest.approx((log(2) + log(1 + exp(1))) / 2)
    weighted = ClassLoss(2, positive_weights=torch.tensor([3.0, 5.0]))
    assert weighted(logits, labels).item() == pytest.approx((3 * log(2) + log(1 + exp(1))) / 2)


def test_exclusive_classes_are_a_softmax() -> None:
    logits, labels = torch.randn(4, 3), torch.tensor([0, 2, 1, 2])
    exclusive = ClassLoss(3, exclusive=[range(3)])
    assert exclusive(logits, labels).item() == pytest.approx(F.cross_entropy(logits, labels).item(), abs=1e-6)
    assert torch.allclose(exclusive.scores(logits), logits.softmax(-1))


def test_exclusive_and_independent_classes() -> None:
    """Three exclusive poses and two further actions. The second row has no pose label and so no pose loss."""
    class_loss = ClassLoss(5, exclusive=[[0, 2, 4]])
    logits = torch.randn(2, 5, requires_grad=True)
    labels = torch.tensor([[0, 1, 1, 0, 0], [0, 0, 0, 1, 0]])
    pose = F.cross_entropy(logits[:1, [0, 2, 4]], torch.tensor([1]))
    rest = F.binary_cross_entropy_with_logits(logits[:, [1, 3]], labels[:, [1, 3]].float())
    loss = class_loss(logits, labels)
    assert loss.item() == pytest.approx((pose + rest).item(), abs=1e-6)
    loss.backward()
    assert logits.grad is not None and logits.grad[1, [0, 2, 4]].abs().sum() == 0
    scores = class_loss.scores(logits.detach())
    assert torch.allclose(scores[:, [0, 2, 4]].sum(1), torch.ones(2))
    assert torch.allclose(scores[:, 1], logits[:, 1].detach().sigmoid())


def test_without_rows_the_loss_is_zero_with_a_graph() -> None:
    logits = torch.zeros(0, 4, requires_grad=True)
    loss = ClassLoss(4, exclusive=[[0, 1]])(logits, torch.zeros(0, 4))
    loss.backward()
    assert loss.item() == 0 and logits.grad is not None

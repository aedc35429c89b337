from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from avdet.models.drop_pathway import SyncPair
from avdet.models.sync_loss import SyncLoss, valid_pairs


def identity() -> SyncLoss:
    """Two features that are projected to themselves: the loss can be worked out on paper."""
    loss = SyncLoss(2, 2)
    with torch.no_grad():
        for linear in (loss.pictures, loss.sound):
            linear.weight.copy_(torch.eye(2))
            linear.bias.zero_()
    return loss


def pair(seen: list[list[float]], near: list[list[float]], far: list[list[float]]) -> SyncPair:
    pictures = torch.tensor(seen)[:, :, None, None, None].expand(-1, -1, 2, 3, 3)
    return SyncPair("res3", pictures, torch.tensor(near)[:, :, None], torch.tensor(far)[:, :, None])


@pytest.mark.parametrize(
    ("seen", "near", "far", "expected"),
    [
        ([5.0, 0.0], [2.0, 0.0], [-1.0, 0.0], 0.0),  # same direction; the opposite one is 1 away, over the margin
        ([5.0, 0.0], [-1.0, 0.0], [1.0, 0.0], (1 + 0.99**2) / 2),  # both wrong
        ([1.0, 0.0], [1.0, 0.0], [0.0, 3.0], (0.99 - math.sqrt(0.5)) ** 2 / 2),  # a right angle: 1/2 of sqrt(2)
    ],
)
def test_by_hand(seen: list[float], near: list[float], far: list[float], expected: float) -> None:
    loss = identity()(pair([seen], [near], [far]), torch.tensor([True]))
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_only_pairs_that_can_be_told_count() -> None:
    bad, good = [1.0, 0.0], [-1.0, 0.0]
    pairs = pair([bad, bad, bad], [bad, good, good], [good, bad, bad])
    loss = identity()
    assert loss(pairs, torch.tensor([True, False, False])).item() == pytest.approx(0, abs=1e-6)
    assert loss(pairs, torch.tensor([True, True, False])).item() == pytest.approx((1 + 0.99**2) / 4)
    assert loss(pairs, torch.tensor([False, False, False])).item() == 0


def test_gradient_is_the_numerical_one() -> None:
    torch.manual_seed(0)
    loss = SyncLoss(3, 4).double()
    valid = torch.tensor([True, False, True])

    def run(pictures: Tensor, aligned: Tensor, misaligned: Tensor, *_: Tensor) -> Tensor:
        return loss(SyncPair("res3", pictures, aligned, misaligned), valid)

    shapes = ((3, 3, 2, 1, 1), (3, 3, 2), (3, 3, 2))
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert gradcheck(run, (*inputs, *loss.parameters()))


def test_at_no_distance_the_gradient_is_finite() -> None:
    loss = identity()
    same = loss(pair([[1.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]]), torch.tensor([True]))
    assert same.item() == pytest.approx(0.99**2 / 2)
    same.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in loss.parameters())


def test_silence_and_repeats_carry_no_timing() -> None:
    torch.manual_seed(0)
    noise, other = torch.randn(2, 1, 1, 8, 4)
    flat, faint = torch.full_like(noise, -2.0), 0.09 * noise  # variances 0 and about 0.008
    first = torch.cat([noise, noise, flat, noise, faint])
    second = torch.cat([other, flat, noise, 3 * noise, other])
    assert valid_pairs(first, second).tolist() == [True, False, False, False, False]

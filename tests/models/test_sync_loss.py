"""The AVS loss with numbers worked out by hand, and which pairs it counts."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from avdet.models.drop_pathway import SyncPair
from avdet.models.sync_loss import SyncLoss, valid_pairs


def identity() -> SyncLoss:
    """A loss on two features with identity projections, so that it can be worked out by hand."""
    loss = SyncLoss(2, 2)
    with torch.no_grad():
        for linear in (loss.visual, loss.audio):
            linear.weight.copy_(torch.eye(2))
            linear.bias.zero_()
    return loss


def pair(reference: list[list[float]], aligned: list[list[float]], misaligned: list[list[float]]) -> SyncPair:
    visual = torch.tensor(reference)[:, :, None, None, None].expand(-1, -1, 2, 3, 3)
    return SyncPair("res3", visual, torch.tensor(aligned)[:, :, None], torch.tensor(misaligned)[:, :, None])


@pytest.mark.parametrize(
    ("reference", "aligned", "misaligned", "expected"),
    [
        (
            [5.0, 0.0],
            [2.0, 0.0],
            [-1.0, 0.0],
            0.0,
        ),  # misaligned: at distance 1, beyond the margin
        ([5.0, 0.0], [-1.0, 0.0], [1.0, 0.0], (1 + 0.99**2) / 2),  # both wrong
        (
            [1.0, 0.0],
            [1.0, 0.0],
            [0.0, 3.0],
            (0.99 - math.sqrt(0.5)) ** 2 / 2,
        ),  # misaligned: at distance sqrt(2) / 2
    ],
)
def test_by_hand(reference: list[float], aligned: list[float], misaligned: list[float], expected: float) -> None:
    loss = identity()(pair([reference], [aligned], [misaligned]), torch.tensor([True]))
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_only_valid_pairs_count() -> None:
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

    def run(visual: Tensor, aligned: Tensor, misaligned: Tensor, *_: Tensor) -> Tensor:
        return loss(SyncPair("res3", visual, aligned, misaligned), valid)

    shapes = ((3, 3, 2, 1, 1), (3, 3, 2), (3, 3, 2))
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert gradcheck(run, (*inputs, *loss.parameters()))


def test_the_gradient_is_finite_at_distance_zero() -> None:
    loss = identity()
    same = loss(pair([[1.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]]), torch.tensor([True]))
    assert same.item() == pytest.approx(0.99**2 / 2)
    same.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in loss.parameters())


def test_silence_and_repeats_are_no_valid_pairs() -> None:
    torch.manual_seed(0)
    noise, other = torch.randn(2, 1, 1, 8, 4)
    flat, faint = torch.full_like(noise, -2.0), 0.09 * noise  # variances 0 and about 0.008
    first = torch.cat([noise, noise, flat, noise, faint])
    second = torch.cat([other, flat, noise, 3 * noise, other])
    assert valid_pairs(first, second).tolist() == [True, False, False, False, False]

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional as F

from avdet.models.initialise import initialise
from avdet.models.nonlocal_block import NonLocal
from tests.models.tiny import shake


@pytest.mark.parametrize("softmax", [True, False])
def test_is_attention_over_all_pooled_positions(softmax: bool) -> None:
    """Against the affinities written out in full."""
    torch.manual_seed(0)
    block = shake(NonLocal(6, 3, softmax=softmax)).double().eval()
    assert isinstance(block, NonLocal)
    x = torch.randn(2, 6, 3, 4, 4, dtype=torch.float64)
    pooled = F.max_pool3d(x, (1, 2, 2)).flatten(2)  # (B, C, 12)
    gather = block.gather
    queries = gather.query(x.flatten(2).transpose(1, 2))
    keys, values = gather.key(pooled.transpose(1, 2)), gather.value(pooled.transpose(1, 2))
    affinity = torch.einsum("bqc,bkc->bqk", queries, keys)
    affinity = (affinity * 3**-0.5).softmax(dim=2) if softmax else affinity / 12
    y = gather.out(torch.einsum("bqk,bkc->bqc", affinity, values))
    expected = x + gather.norm(y.transpose(1, 2)).reshape(x.shape)
    torch.testing.assert_close(block(x), expected)


def test_starts_as_the_identity() -> None:
    block = NonLocal(4, 2)
    initialise(block)
    x = torch.randn(1, 4, 2, 4, 4)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("softmax", [True, False])
def test_gradient_is_the_numerical_one(softmax: bool) -> None:
    block = shake(NonLocal(2, 2, softmax=softmax)).double()
    x = torch.randn(2, 2, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x, *_: block(x), (x, *block.parameters()), fast_mode=True)

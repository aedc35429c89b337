from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional as F

from avdet.models.init_weights import init_weights
from avdet.models.nonlocal_block import NonLocal
from avdet.models.ops.channels_last import as_clips, as_frames
from tests.models.tiny import shake


@pytest.mark.parametrize("pool", [(1, 2, 2), (2, 2, 2)])
@pytest.mark.parametrize("softmax", [True, False])
def test_is_attention_over_all_pooled_positions(softmax: bool, pool: tuple[int, int, int]) -> None:
    """Compares with the full affinity matrix."""
    torch.manual_seed(0)
    block = shake(NonLocal(6, 3, softmax=softmax, pool=pool)).double().eval()
    assert isinstance(block, NonLocal)
    x = torch.randn(2, 6, 3, 4, 4, dtype=torch.float64)
    pooled = F.max_pool3d(x, pool).flatten(2)  # (B, C, 12 or 4)
    attention = block.attention
    queries = attention.query(x.flatten(2).transpose(1, 2))
    keys, values = attention.key(pooled.transpose(1, 2)), attention.value(pooled.transpose(1, 2))
    affinity = torch.einsum("bqc,bkc->bqk", queries, keys)
    affinity = (affinity * 3**-0.5).softmax(dim=2) if softmax else affinity / pooled.shape[2]
    y = attention.out(torch.einsum("bqk,bkc->bqc", affinity, values))
    expected = x + attention.norm(y.transpose(1, 2)[..., None]).reshape(x.shape)
    torch.testing.assert_close(as_clips(block(as_frames(x), 3), 3), expected)


def test_starts_as_the_identity() -> None:
    block = NonLocal(4, 2)
    init_weights(block)
    frames = torch.randn(2, 4, 4, 4)
    assert torch.equal(block(frames, 2), frames)


@pytest.mark.parametrize("softmax", [True, False])
def test_gradient_is_the_numerical_one(softmax: bool) -> None:
    block = shake(NonLocal(2, 2, softmax=softmax)).double()
    frames = torch.randn(4, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda frames, *_: block(frames, 2), (frames, *block.parameters()), fast_mode=True)

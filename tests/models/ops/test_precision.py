"""The dtype of convolutions under autocast, and conv1's exception on CPUs with AMX."""

from __future__ import annotations

import pytest
import torch

from avdet.models.ops import precision
from avdet.models.visual_pathway import VisualStem


def test_a_convolutions_dtype_is_autocasts_or_its_inputs() -> None:
    x = torch.zeros(1)
    assert precision.conv_dtype(x) == torch.float32 and precision.conv_dtype(x.double()) == torch.float64
    with torch.autocast("cpu", torch.bfloat16):
        assert precision.conv_dtype(x) == torch.bfloat16


@pytest.mark.parametrize("has_amx", [True, False])
def test_conv1_is_float32_on_cpus_with_amx(monkeypatch: pytest.MonkeyPatch, has_amx: bool) -> None:
    monkeypatch.setattr(precision, "HAS_AMX", has_amx)
    torch.manual_seed(0)
    stem, clips = VisualStem(16, 5).eval(), torch.randn(1, 3, 4, 16, 16)
    exact = stem.conv(clips)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        with precision.conv1_autocast():
            assert torch.is_autocast_enabled("cpu") != has_amx
            assert torch.equal(stem.conv(clips), exact) == has_amx
        assert torch.is_autocast_enabled("cpu")
        assert stem(clips).dtype == torch.bfloat16  # either way

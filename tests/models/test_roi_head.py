from __future__ import annotations

import pytest
import torch
from torchvision.ops import RoIAlign

from avdet.models.avslowfast import Features
from avdet.models.build import _roi_align
from avdet.models.classifier import Classifier
from avdet.models.drop_pathway import AudioState, no_audio
from avdet.models.roi_head import RoIHead


def head(dim: int, dim_audio: int = 0, resolution: int = 2) -> RoIHead:
    classifier = Classifier(dim, {"action": dim}, dropout=0.0)
    weights = classifier.state_dict()
    weights["linear.action.weight"].copy_(torch.eye(dim))
    weights["linear.action.bias"].zero_()
    return RoIHead(_roi_align(resolution, 1 / 16), classifier, dim_audio=dim_audio)


def test_a_grid_by_hand() -> None:
    """A 5 x 5 ramp; the box from (16, 16) to (48, 48) px covers cells 1 to 3; aligned, half a cell is taken off.

    2 x 2 bins of 1 cell with one sample each, in their middle: at 1 + 0.5 - 0.5 and 2 + 0.5 - 0.5 in x and y.
    """
    ramp = torch.arange(25.0).reshape(1, 1, 1, 5, 5).expand(1, 1, 3, 5, 5)  # the same in all three frames
    features = Features((ramp,), no_audio(ramp.device))
    logits = head(1)(features, 1, torch.tensor([[16.0, 16.0, 48.0, 48.0]]), torch.tensor([0]))["action"]
    assert logits.item() == 2 * 5 + 2  # the largest of rows 1, 2 and columns 1, 2


def test_mean_over_time_and_boxes_of_their_own_clip() -> None:
    pictures = torch.zeros(2, 1, 2, 4, 4)
    pictures[0, :, 0], pictures[0, :, 1], pictures[1] = 1, 3, 10
    boxes = torch.tensor([[0.0, 0, 64, 64], [0, 0, 32, 32], [32, 32, 64, 64]])
    logits = head(1)(Features((pictures,), no_audio(boxes.device)), 2, boxes, torch.tensor([1, 0, 0]))["action"]
    assert logits.flatten().tolist() == [10, 2, 2]


def test_slow_fast_and_the_clips_sound_in_this_order() -> None:
    slow, fast = torch.full((2, 2, 2, 4, 4), 1.0), torch.full((2, 1, 4, 4, 4), 2.0)
    sound = AudioState(torch.full((1, 1, 3, 3), 5.0), torch.tensor([1]))
    boxes = torch.tensor([[0.0, 0, 64, 64], [0, 0, 64, 64]])
    logits = head(4, dim_audio=1)(Features((slow, fast), sound), 2, boxes, torch.tensor([0, 1]))["action"]
    assert logits.tolist() == [[1, 1, 2, 0], [1, 1, 2, 5]]  # the first clip has no sound


def test_nobody() -> None:
    pictures = torch.ones(2, 1, 2, 4, 4, requires_grad=True)
    logits = head(1)(Features((pictures,), no_audio(pictures.device)), 2, torch.zeros(0, 4), torch.zeros(0).long())
    assert logits["action"].shape == (0, 1)
    logits["action"].sum().backward()
    assert pictures.grad is not None and not pictures.grad.any()


def test_detectron2_and_torchvision_are_the_same_operator() -> None:
    layers = pytest.importorskip("detectron2.layers")
    torch.manual_seed(0)
    maps, rois = torch.randn(2, 3, 12, 12), torch.tensor([[0.0, -5, -5, 20, 20], [1.0, 3, 9, 190, 100]])
    ours = RoIAlign((7, 7), 1 / 16, sampling_ratio=0, aligned=True)
    theirs = layers.ROIAlign((7, 7), 1 / 16, sampling_ratio=0, aligned=True)
    torch.testing.assert_close(ours(maps, rois), theirs(maps, rois))

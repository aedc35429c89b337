"""The detection head and the classification head, with numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torchvision.ops import RoIAlign

from avdet.models.avslowfast import Features
from avdet.models.drop_pathway import AudioState, no_audio
from avdet.models.heads import Classifier, ClipHead, RoIHead, build_roi_align


def identity(dim: int, first: str, **others: int) -> Classifier:
    """A classifier whose logits of the class set `first` are its input."""
    classifier = Classifier(dim, {first: dim, **others}, dropout=0.0)
    weights = classifier.state_dict()
    weights[f"linear.{first}.weight"].copy_(torch.eye(dim))
    weights[f"linear.{first}.bias"].zero_()
    return classifier


def roi_head(dim: int, dim_audio: int = 0, resolution: int = 2) -> RoIHead:
    return RoIHead(build_roi_align(resolution, 1 / 16), identity(dim, "action"), dim_audio=dim_audio)


def clip_head(dim: int, *, cells: int, dim_audio: int = 0) -> ClipHead:
    return ClipHead(identity(dim, "verb", noun=2), dim_audio=dim_audio, cells=cells)


def test_roi_align_on_a_grid_by_hand() -> None:
    """A 5 x 5 ramp; the box from (16, 16) to (48, 48) px covers cells 1 to 3; `aligned` subtracts half a cell.

    2 x 2 bins of one cell, with one sample in the middle of each: at 1 + 0.5 - 0.5 and 2 + 0.5 - 0.5 in x and y.
    """
    ramp = torch.arange(25.0).reshape(1, 1, 1, 5, 5).expand(1, 1, 3, 5, 5)  # the same in all three frames
    features = Features((ramp,), no_audio(ramp.device))
    logits = roi_head(1)(features, 1, torch.tensor([[16.0, 16.0, 48.0, 48.0]]), torch.tensor([0]))["action"]
    assert logits.item() == 2 * 5 + 2  # the largest of rows 1, 2 and columns 1, 2


def test_unaligned_roi_align_does_not_shift_the_box() -> None:
    """The box of the test above: samples at 1 + 0.5 and 2 + 0.5, where the ramp is 2.5 * 5 + 2.5."""
    ramp = torch.arange(25.0).reshape(1, 1, 5, 5)
    rois = torch.tensor([[0.0, 16.0, 16.0, 48.0, 48.0]])
    assert build_roi_align(2, 1 / 16, aligned=False)(ramp, rois).amax().item() == 2.5 * 5 + 2.5


def test_boxes_use_the_mean_over_time_of_their_own_clip() -> None:
    visual = torch.zeros(2, 1, 2, 4, 4)
    visual[0, :, 0], visual[0, :, 1], visual[1] = 1, 3, 10
    boxes = torch.tensor([[0.0, 0, 64, 64], [0, 0, 32, 32], [32, 32, 64, 64]])
    logits = roi_head(1)(Features((visual,), no_audio(boxes.device)), 2, boxes, torch.tensor([1, 0, 0]))["action"]
    assert logits.flatten().tolist() == [10, 2, 2]


def test_a_box_vector_is_slow_fast_and_the_audio_of_its_clip() -> None:
    slow, fast = torch.full((2, 2, 2, 4, 4), 1.0), torch.full((2, 1, 4, 4, 4), 2.0)
    audio = AudioState(torch.full((1, 1, 3, 3), 5.0), torch.tensor([1]))
    boxes = torch.tensor([[0.0, 0, 64, 64], [0, 0, 64, 64]])
    logits = roi_head(4, dim_audio=1)(Features((slow, fast), audio), 2, boxes, torch.tensor([0, 1]))["action"]
    assert logits.tolist() == [[1, 1, 2, 0], [1, 1, 2, 5]]  # the first clip has no audio


def test_no_boxes() -> None:
    visual = torch.ones(2, 1, 2, 4, 4, requires_grad=True)
    logits = roi_head(1)(Features((visual,), no_audio(visual.device)), 2, torch.zeros(0, 4), torch.zeros(0).long())
    assert logits["action"].shape == (0, 1)
    logits["action"].sum().backward()
    assert visual.grad is not None and not visual.grad.any()


def test_detectron2_and_torchvision_are_the_same_operator() -> None:
    layers = pytest.importorskip("detectron2.layers")
    torch.manual_seed(0)
    maps, rois = torch.randn(2, 3, 12, 12), torch.tensor([[0.0, -5, -5, 20, 20], [1.0, 3, 9, 190, 100]])
    torchvision_layer = RoIAlign((7, 7), 1 / 16, sampling_ratio=0, aligned=True)
    detectron2_layer = layers.ROIAlign((7, 7), 1 / 16, sampling_ratio=0, aligned=True)
    torch.testing.assert_close(torchvision_layer(maps, rois), detectron2_layer(maps, rois))


def test_windows_by_hand() -> None:
    """Means of the 2 x 2 windows of a 3 x 2 map: rows 0, 1 and rows 1, 2."""
    visual = torch.tensor([[1.0, 2], [3, 4], [5, 6]]).reshape(1, 1, 1, 3, 2)
    logits = clip_head(1, cells=2)(Features((visual,), no_audio(visual.device)), 1)
    assert logits["verb"].flatten().tolist() == [2.5, 4.5] and logits["noun"].shape == (1, 2, 2)


def test_frames_of_the_training_size_or_smaller_are_one_window() -> None:
    for height, width in ((2, 2), (1, 2)):
        visual = torch.ones(3, 1, 2, height, width)
        logits = clip_head(1, cells=2)(Features((visual,), no_audio(visual.device)), 3)
        assert logits["verb"].flatten().tolist() == [1, 1, 1]


def test_every_window_uses_the_audio_of_the_whole_clip() -> None:
    slow, fast = torch.full((2, 1, 2, 3, 3), 1.0), torch.full((2, 1, 4, 3, 3), 2.0)
    audio = AudioState(torch.full((1, 1, 3, 3), 5.0), torch.tensor([1]))
    logits = clip_head(3, cells=2, dim_audio=1)(Features((slow, fast), audio), 2)["verb"]
    assert logits.tolist() == [[[1, 2, 0]] * 4, [[1, 2, 5]] * 4]


def test_audio_only() -> None:
    audio = AudioState(torch.full((2, 1, 3, 3), 5.0), torch.tensor([0, 2]))
    assert clip_head(1, cells=7, dim_audio=1)(Features((), audio), 3)["verb"].flatten().tolist() == [5, 0, 5]

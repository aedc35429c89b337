"""Box operations worked out by hand."""

import torch

from avdet.boxes import clip_xyxy, flip_xyxy, iou_xyxy, paired_iou, scale_xyxy, shift_xyxy

BOX = torch.tensor([[10.0, 0.0, 30.0, 5.0]])


def test_scale_and_shift() -> None:
    assert scale_xyxy(torch.tensor([[0.25, 0.5, 0.75, 1.0]]), 320, 240).tolist() == [[80, 120, 240, 240]]
    assert shift_xyxy(BOX, -10, 2).tolist() == [[0, 2, 20, 7]]


def test_flip_mirrors_and_two_flips_cancel() -> None:
    assert flip_xyxy(BOX, 100).tolist() == [[70, 0, 90, 5]]
    assert flip_xyxy(flip_xyxy(BOX, 100), 100).tolist() == BOX.tolist()


def test_clip_empties_a_box_outside() -> None:
    assert clip_xyxy(torch.tensor([[-5.0, 2, 8, 20], [50, 50, 60, 60]]), 20, 10).tolist() == [
        [0, 2, 8, 10],
        [20, 10, 20, 10],
    ]


def test_iou_by_hand() -> None:
    # intersection 10 x 5, union 100 + 100 - 50
    assert iou_xyxy(BOX, torch.tensor([[20.0, 0.0, 40.0, 5.0]])).item() == torch.tensor(50 / 150)


def test_no_boxes() -> None:
    no_boxes = torch.zeros(0, 4)
    assert scale_xyxy(no_boxes, 2, 2).shape == flip_xyxy(no_boxes, 2).shape == clip_xyxy(no_boxes, 2, 2).shape == (0, 4)


def test_paired_iou_is_the_diagonal_of_all_pairs() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [5, 5, 6, 6]])
    others = torch.tensor([[0.0, 0, 10, 5], [20, 20, 30, 30], [0, 0, 10, 10]])
    assert torch.allclose(paired_iou(boxes, others), torch.tensor([0.5, 0.0, 0.01]))
    assert torch.allclose(paired_iou(boxes, others), iou_xyxy(boxes, others).diagonal())

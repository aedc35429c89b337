from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from avdet.people.person_detector import KeyframeImage
from avdet.people.tiny_rcnn import tiny_rcnn
from avdet.people.torchvision_rcnn import MODELS, TorchvisionRCNN, published_weights, torchvision_rcnn
from avdet.structures import PersonBoxes
from tests.people.scenes import draw_frame, person_boxes, scene

CPU = torch.device("cpu")


def tiny(weights: dict[str, Tensor] | None = None) -> TorchvisionRCNN:
    return torchvision_rcnn("tiny", weights, CPU)


def test_random_weights_give_valid_boxes() -> None:
    torch.manual_seed(0)
    wide = KeyframeImage("v", 1.0, draw_frame((10, 10, 40, 90))[:60])
    for found in tiny()([scene(0)[0], wide, scene(1)[0]]):
        assert len(found) > 0
        assert ((found.boxes >= 0) & (found.boxes <= 1)).all() and (found.boxes[:, 2:] >= found.boxes[:, :2]).all()
        assert torch.equal(found.scores, found.scores.sort(descending=True).values)
        assert set(found.person_ids.tolist()) == {-1}


def test_a_batch_equals_single_images() -> None:
    torch.manual_seed(0)
    detector, images = tiny(), [scene(seed)[0] for seed in range(3)]
    for batched, image in zip(detector(images), images, strict=True):
        (single,) = detector([image])
        assert torch.allclose(batched.boxes, single.boxes, atol=1e-5)
        assert torch.allclose(batched.scores, single.scores, atol=1e-5)


class ConstantModel(nn.Module):
    """Predicts the same boxes for every image."""

    def forward(self, images: list[Tensor]) -> list[dict[str, Tensor]]:
        boxes = torch.tensor([[16.0, 12, 80, 120], [0, 0, 160, 60], [-8, 0, 40, 130]])
        return [{"boxes": boxes, "labels": torch.tensor([1, 18, 1]), "scores": torch.tensor([0.9, 0.8, 0.7])}] * len(
            images
        )


def test_only_persons_are_kept_and_boxes_are_normalised() -> None:
    detector = tiny()
    detector.module = ConstantModel()
    (found,) = detector([scene(0)[0]])
    assert torch.allclose(found.boxes, torch.tensor([[0.1, 0.1, 0.5, 1.0], [0.0, 0.0, 0.25, 1.0]]))
    assert found.scores.tolist() == pytest.approx([0.9, 0.7])


def test_an_image_without_persons_gives_finite_losses() -> None:
    losses = tiny().losses([scene(0)[0], scene(1)[0]], [person_boxes(), scene(1)[1]])
    assert set(losses) == {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg"}
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_batch_norm_is_frozen_only_with_given_weights() -> None:
    fresh = tiny()
    before = fresh.module.state_dict()["backbone.0.1.running_mean"].clone()
    fresh.losses(*batch())
    updated = fresh.module.state_dict()["backbone.0.1.running_mean"].clone()
    assert not torch.equal(updated, before)
    again = tiny(fresh.module.state_dict())
    again.losses(*batch())
    assert torch.equal(again.module.state_dict()["backbone.0.1.running_mean"], updated)


def batch() -> tuple[list[KeyframeImage], list[PersonBoxes]]:
    images, labels = zip(*(scene(seed) for seed in range(2)), strict=True)
    return list(images), list(labels)


def test_a_person_only_head_keeps_the_persons_rows() -> None:
    coco = tiny_rcnn(91).state_dict()
    detector = torchvision_rcnn("tiny", coco, CPU, person_only=True)
    state, head = detector.module.state_dict(), "roi_heads.box_predictor."
    assert torch.equal(state[head + "cls_score.weight"], coco[head + "cls_score.weight"][:2])
    assert torch.equal(state[head + "bbox_pred.bias"], coco[head + "bbox_pred.bias"][:8])
    assert torch.equal(state["backbone.0.0.weight"], coco["backbone.0.0.weight"])
    assert len(torchvision_rcnn("tiny", coco, CPU).module.state_dict()[head + "cls_score.bias"]) == 91


def test_a_class_is_selected_by_name() -> None:
    """A dog is number 18 of COCO's 91 classes; the constant model predicts one at the top."""
    coco = tiny_rcnn(91).state_dict()
    detector = torchvision_rcnn("tiny", coco, CPU, person_class="dog")
    detector.module = ConstantModel()
    (found,) = detector([scene(0)[0]])
    assert torch.allclose(found.boxes, torch.tensor([[0.0, 0.0, 1.0, 0.5]])) and found.scores.item() == pytest.approx(
        0.8
    )
    head = "roi_heads.box_predictor."
    state = torchvision_rcnn("tiny", coco, CPU, person_class="dog", person_only=True).module.state_dict()
    assert torch.equal(state[head + "cls_score.weight"], coco[head + "cls_score.weight"][[0, 18]])
    assert torch.equal(state[head + "bbox_pred.bias"][4:], coco[head + "bbox_pred.bias"][72:76])


def test_unknown_classes_are_explained() -> None:
    with pytest.raises(
        ValueError, match=r"no class 'goat'; give --person-class one of person, bicycle, .*, toothbrush$"
    ):
        torchvision_rcnn("tiny", tiny_rcnn(91).state_dict(), CPU, person_class="goat")
    with pytest.raises(ValueError, match=r"give --person-class the number of one: 1, 2, 3$"):
        torchvision_rcnn("tiny", tiny_rcnn(4).state_dict(), CPU)
    with pytest.raises(ValueError, match=r"no class 'dog'; give --person-class one of person$"):
        torchvision_rcnn("tiny", tiny_rcnn(2).state_dict(), CPU, person_class="dog")


def test_weights_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not those of torchvision's mobilenet"):
        torchvision_rcnn("mobilenet", tiny_rcnn(2).state_dict(), CPU)
    with pytest.raises(ValueError, match=r"train it with tools/train_people.py"):
        published_weights("tiny")


@pytest.mark.parametrize("model", ["mobilenet", "resnet50"])
def test_published_weights_have_91_classes_and_1_is_the_person(model: str) -> None:
    published = MODELS[model].published
    assert published is not None
    assert published.meta["categories"][1] == "person" and len(published.meta["categories"]) == 91


def test_a_91_class_model_loads_its_weights() -> None:
    """Random weights with the shapes of torchvision's file."""
    torch.manual_seed(0)
    detector = torchvision_rcnn("mobilenet", MODELS["mobilenet"].build(91).state_dict(), CPU)
    (found,) = detector([scene(0)[0]])
    assert found.boxes.shape == (len(found), 4)

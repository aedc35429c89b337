from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from avdet.people.person_detector import Picture
from avdet.people.tiny_rcnn import tiny_rcnn
from avdet.people.torchvision_rcnn import MODELS, PERSON, TorchvisionRCNN, published_weights, torchvision_rcnn
from avdet.structures import PersonBoxes
from tests.people.scenes import drawn, people, scene

CPU = torch.device("cpu")


def tiny(weights: dict[str, Tensor] | None = None) -> TorchvisionRCNN:
    return torchvision_rcnn("tiny", weights, CPU)


def test_random_weights_answer_in_the_right_form() -> None:
    torch.manual_seed(0)
    wide = Picture("v", 1.0, drawn((10, 10, 40, 90))[:60])
    for found in tiny()([scene(0)[0], wide, scene(1)[0]]):
        assert len(found) > 0
        assert ((found.boxes >= 0) & (found.boxes <= 1)).all() and (found.boxes[:, 2:] >= found.boxes[:, :2]).all()
        assert torch.equal(found.scores, found.scores.sort(descending=True).values)
        assert set(found.person_ids.tolist()) == {-1}


def test_a_batch_finds_what_one_by_one_finds() -> None:
    torch.manual_seed(0)
    detector, pictures = tiny(), [scene(seed)[0] for seed in range(3)]
    for together, picture in zip(detector(pictures), pictures, strict=True):
        (alone,) = detector([picture])
        assert torch.allclose(together.boxes, alone.boxes, atol=1e-5)
        assert torch.allclose(together.scores, alone.scores, atol=1e-5)


class Answers(nn.Module):
    """A network that has one answer."""

    def forward(self, images: list[Tensor]) -> list[dict[str, Tensor]]:
        boxes = torch.tensor([[16.0, 12, 80, 120], [0, 0, 160, 60], [-8, 0, 40, 130]])
        return [{"boxes": boxes, "labels": torch.tensor([1, 18, 1]), "scores": torch.tensor([0.9, 0.8, 0.7])}] * len(
            images
        )


def test_only_people_are_kept_and_boxes_are_shares_of_the_frame() -> None:
    detector = tiny()
    detector.module = Answers()
    (found,) = detector([scene(0)[0]])
    assert torch.allclose(found.boxes, torch.tensor([[0.1, 0.1, 0.5, 1.0], [0.0, 0.0, 0.25, 1.0]]))
    assert found.scores.tolist() == pytest.approx([0.9, 0.7])


def test_nobody_on_a_picture_can_be_learned_from() -> None:
    losses = tiny().losses([scene(0)[0], scene(1)[0]], [people(), scene(1)[1]])
    assert set(losses) == {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg"}
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_batch_norms_stand_still_only_after_weights_were_given() -> None:
    fresh = tiny()
    before = fresh.module.state_dict()["backbone.0.1.running_mean"].clone()
    fresh.losses(*batch())
    learned = fresh.module.state_dict()["backbone.0.1.running_mean"].clone()
    assert not torch.equal(learned, before)
    again = tiny(fresh.module.state_dict())
    again.losses(*batch())
    assert torch.equal(again.module.state_dict()["backbone.0.1.running_mean"], learned)


def batch() -> tuple[list[Picture], list[PersonBoxes]]:
    pictures, labels = zip(*(scene(seed) for seed in range(2)), strict=True)
    return list(pictures), list(labels)


def test_a_head_for_people_alone_starts_from_the_persons_rows() -> None:
    coco = tiny_rcnn(91).state_dict()
    detector = torchvision_rcnn("tiny", coco, CPU, people_alone=True)
    state, head = detector.module.state_dict(), "roi_heads.box_predictor."
    assert torch.equal(state[head + "cls_score.weight"], coco[head + "cls_score.weight"][:2])
    assert torch.equal(state[head + "bbox_pred.bias"], coco[head + "bbox_pred.bias"][:8])
    assert torch.equal(state["backbone.0.0.weight"], coco["backbone.0.0.weight"])
    assert len(torchvision_rcnn("tiny", coco, CPU).module.state_dict()[head + "cls_score.bias"]) == 91


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not those of torchvision's mobilenet"):
        torchvision_rcnn("mobilenet", tiny_rcnn(2).state_dict(), CPU)
    with pytest.raises(ValueError, match=r"train it with tools/train_people.py"):
        published_weights("tiny")


@pytest.mark.parametrize("model", ["mobilenet", "resnet50"])
def test_the_published_weights_have_91_classes_of_which_1_is_the_person(model: str) -> None:
    published = MODELS[model].published
    assert published is not None
    assert published.meta["categories"][PERSON] == "person" and len(published.meta["categories"]) == 91


def test_a_published_network_takes_weights_of_its_form() -> None:
    """Random ones, as a file of torchvision's holds them."""
    torch.manual_seed(0)
    detector = torchvision_rcnn("mobilenet", MODELS["mobilenet"].make(91).state_dict(), CPU)
    (found,) = detector([scene(0)[0]])
    assert found.boxes.shape == (len(found), 4)

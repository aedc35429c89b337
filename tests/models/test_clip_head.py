from __future__ import annotations

import torch

from avdet.models.avslowfast import Features
from avdet.models.classifier import Classifier
from avdet.models.clip_head import ClipHead
from avdet.models.drop_pathway import AudioState, no_audio


def head(dim: int, *, cells: int, dim_audio: int = 0) -> ClipHead:
    classifier = Classifier(dim, {"verb": dim, "noun": 2}, dropout=0.0)
    weights = classifier.state_dict()
    weights["linear.verb.weight"].copy_(torch.eye(dim))
    weights["linear.verb.bias"].zero_()
    return ClipHead(classifier, dim_audio=dim_audio, cells=cells)


def test_windows_by_hand() -> None:
    """Means of the 2 x 2 windows of a 3 x 2 map: rows 0, 1 and rows 1, 2."""
    pictures = torch.tensor([[1.0, 2], [3, 4], [5, 6]]).reshape(1, 1, 1, 3, 2)
    logits = head(1, cells=2)(Features((pictures,), no_audio(pictures.device)), 1)
    assert logits["verb"].flatten().tolist() == [2.5, 4.5] and logits["noun"].shape == (1, 2, 2)


def test_a_picture_of_the_training_size_or_smaller_is_one_window() -> None:
    for height, width in ((2, 2), (1, 2)):
        pictures = torch.ones(3, 1, 2, height, width)
        logits = head(1, cells=2)(Features((pictures,), no_audio(pictures.device)), 3)
        assert logits["verb"].flatten().tolist() == [1, 1, 1]


def test_every_window_hears_the_whole_sound() -> None:
    slow, fast = torch.full((2, 1, 2, 3, 3), 1.0), torch.full((2, 1, 4, 3, 3), 2.0)
    sound = AudioState(torch.full((1, 1, 3, 3), 5.0), torch.tensor([1]))
    logits = head(3, cells=2, dim_audio=1)(Features((slow, fast), sound), 2)["verb"]
    assert logits.tolist() == [[[1, 2, 0]] * 4, [[1, 2, 5]] * 4]


def test_sound_alone() -> None:
    sound = AudioState(torch.full((2, 1, 3, 3), 5.0), torch.tensor([0, 2]))
    assert head(1, cells=7, dim_audio=1)(Features((), sound), 3)["verb"].flatten().tolist() == [5, 0, 5]

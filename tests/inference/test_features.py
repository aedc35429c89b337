"""The classifier's inputs are recorded while a block runs, and no longer."""

import pytest
import torch
from torch import Tensor

from avdet.inference.features import record_features
from avdet.models.build import build_model
from avdet.models.detect import detect
from avdet.structures import ClipBatch
from tests.models.tiny import tiny_batch, tiny_config


class OtherNetwork:
    """Scores without layers that could be observed."""

    def eval(self) -> None: ...

    def predict(self, batch: ClipBatch) -> Tensor:
        return torch.zeros(len(batch.box_clip), 3)


def test_features_are_the_inputs_of_the_classifier() -> None:
    model = build_model(tiny_config(), num_classes=3, head="roi").eval()
    batch = tiny_batch((True, False))
    with record_features(model) as features:
        detections = detect(model, batch, torch.device("cpu"))
    (vectors,) = features
    assert vectors.dtype == torch.float32 and len(vectors) == sum(len(one.people) for one in detections)
    with torch.inference_mode():
        scores = torch.sigmoid(model.head.classifier(vectors)["action"])
    torch.testing.assert_close(scores, torch.cat([one.scores for one in detections]))
    detect(model, batch, torch.device("cpu"))
    assert len(features) == 1


def test_a_network_without_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="gives no features"), record_features(OtherNetwork()):
        pass

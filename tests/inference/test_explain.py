from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from avdet.config import Config
from avdet.data.build import build_clip_extractor
from avdet.inference.detector import ActionDetector
from avdet.inference.explain import Explainer
from avdet.models.build import build_model
from avdet.people.box_table import COLUMNS


@pytest.fixture
def detector(tiny_config: Config) -> ActionDetector:
    torch.manual_seed(0)
    classes = tiny_config.detection_dataset().class_names()
    model = build_model(tiny_config.model, num_classes=len(classes), head="roi")
    device = torch.device("cpu")
    return ActionDetector(model, classes, build_clip_extractor(tiny_config), short_side=48, device=device)


def _boxes(*rows: tuple[float, float]) -> pd.DataFrame:
    boxes = [("sample_val_00", t, x, 0.1, x + 0.3, 0.9, 1.0, 4 + (x > 0.5)) for t, x in rows]
    return pd.DataFrame(boxes, columns=COLUMNS)


def test_logits_equal_those_of_the_detections(sample: Path, detector: ActionDetector) -> None:
    video = sample / "videos/sample_val_00.mp4"
    table = detector.detect(video, _boxes((2.0, 0.1), (2.0, 0.6), (3.0, 0.1)))
    with Explainer(detector, video, table) as explainer:
        found = explainer.at(2.0)
        assert explainer.at(2.0) is found and explainer.at(2.5) is None and explainer.at(902.0) is None
    assert found is not None and found.log_mel is not None
    assert found.start_s + found.span_s / 2 == pytest.approx(2.0)
    assert len(found.persons) == 6  # two persons, three actions each
    for person in found.persons:
        rows = table[(table["timestamp"] == 2.0) & (table["action_id"] == person.action_id)]
        score = rows["score"][np.isclose(rows["x1"], person.box[0])].item()
        assert person.score == pytest.approx(score, abs=1e-5)
        assert (
            person.person_id == 4 + (person.box[0] > 0.5)
            and person.visual_map.shape[0] == 8
            and person.audio_map is not None
        )


def test_detections_of_another_model_are_refused(sample: Path, detector: ActionDetector) -> None:
    video = sample / "videos/sample_val_00.mp4"
    table = detector.detect(video, _boxes((2.0, 0.1))).assign(action_id=999)
    with pytest.raises(ValueError, match="has none of the detections' action ids"):
        Explainer(detector, video, table)

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from avdet.config import Config
from avdet.inference.load_network import load_network, read_checkpoint
from avdet.models.heads import ClipHead, RoIHead
from tests.inference.tiny_classifier import EPIC_SETS, save_tiny_classifier
from tests.inference.tiny_detector import save_tiny_detector


def test_a_detector_and_a_classifier_get_their_heads(tmp_path: Path, tiny_config: Config) -> None:
    detector = load_network(save_tiny_detector(tmp_path / "d.pt", tiny_config), device="cpu")
    assert detector.task == "detection" and isinstance(detector.model.head, RoIHead)
    classifier = load_network(save_tiny_classifier(tmp_path / "c.pt"), device="cpu")
    assert classifier.task == "classification" and isinstance(classifier.model.head, ClipHead)
    assert classifier.classes["action"].label_map == {0: "clap", 1: "sit", 2: "talk"}
    assert not classifier.model.training and classifier.device == torch.device("cpu")


def test_several_class_sets_keep_their_names(tmp_path: Path) -> None:
    network = load_network(save_tiny_classifier(tmp_path / "epic.pt", "epic", EPIC_SETS), device="cpu")
    assert {name: classes.names for name, classes in network.classes.items()} == EPIC_SETS


def test_another_task_is_refused_with_its_tool(tmp_path: Path, tiny_config: Config) -> None:
    detector, classifier = save_tiny_detector(tmp_path / "d.pt", tiny_config), save_tiny_classifier(tmp_path / "c.pt")
    with pytest.raises(ValueError, match=r"c\.pt classifies whole clips \(folders\).*use tools/classify\.py"):
        read_checkpoint(classifier, task="detection")
    with pytest.raises(ValueError, match=r"d\.pt is a detector .*\(ava\).*use tools/detect_actions\.py"):
        read_checkpoint(detector, task="classification")

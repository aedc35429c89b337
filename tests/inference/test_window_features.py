"""FeatureExtractor on detectors and classifiers; the vectors by a second route."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from avdet.config import Config
from avdet.inference.classifier import ActionClassifier
from avdet.inference.window_features import FeatureExtractor
from avdet.media.array_video import ArrayVideo
from tests.inference.tiny_classifier import save_tiny_classifier
from tests.inference.tiny_detector import save_tiny_detector, write_noise_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise_video(tmp_path_factory.mktemp("videos") / "clip.mp4", 6, fps=10.0)


def extractor_of(checkpoint: Path) -> FeatureExtractor:
    return FeatureExtractor.from_checkpoint(checkpoint, device="cpu", precision="float32")


def test_the_classifier_of_a_windows_vector_gives_its_scores(tmp_path: Path) -> None:
    """On square frames of the training size the clip head has one window, so that both pool alike."""
    path = save_tiny_classifier(tmp_path / "best.pt")
    extractor = extractor_of(path)
    extractor.short_side = 32
    frames = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    video = ArrayVideo(frames, fps=10.0)
    vectors = torch.from_numpy(extractor(video, every_s=1.0).vectors)
    linear = extractor.model.head.classifier.linear["action"]
    classifier = ActionClassifier.from_checkpoint(path, device="cpu", precision="float32")
    scores = torch.softmax(linear(vectors).detach(), dim=1)
    classifier.protocol = type(classifier.protocol)(1, 1, "mean", 32)
    np.testing.assert_allclose(scores, classifier(video, every_s=1.0).scores["action"], atol=1e-5)


def test_windows_follow_one_another_by_default(video: Path, tmp_path: Path) -> None:
    extractor = extractor_of(save_tiny_classifier(tmp_path / "best.pt"))
    table = extractor(video)
    starts_s = table.rows["start_s"].to_numpy()
    np.testing.assert_allclose(np.diff(starts_s), extractor.extractor.span_s)
    fewer_at_a_time = extractor(video, batch_size=1)
    np.testing.assert_allclose(fewer_at_a_time.vectors, table.vectors, atol=1e-5)
    assert np.ptp(table.vectors, axis=0).max() > 1e-3


def test_a_detectors_backbone_gives_vectors_too(video: Path, tmp_path: Path, tiny_config: Config) -> None:
    extractor = extractor_of(save_tiny_detector(tmp_path / "d.pt", tiny_config))
    width = tiny_config.model.width + tiny_config.model.fast_width + tiny_config.model.audio_width
    assert extractor(video, every_s=2.0).vectors.shape == (3, 32 * width)


@pytest.mark.parametrize("audio", [False, "only"])
def test_models_of_one_modality(video: Path, tmp_path: Path, audio: object) -> None:
    extractor = extractor_of(save_tiny_classifier(tmp_path / "best.pt", audio=audio))
    vectors = extractor(video, every_s=2.0).vectors
    classes = extractor.model.head.classifier.linear["action"]
    assert vectors.shape == (3, classes.in_features)


def test_a_model_without_classes_has_vectors(video: Path, tmp_path: Path) -> None:
    extractor = extractor_of(save_tiny_classifier(tmp_path / "ssl.pt", class_sets={}))
    assert np.isfinite(extractor(video, every_s=2.0).vectors).all()

"""ActionClassifier gives test_net's scores, for every source of frames and audio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from avdet import ActionClassifier
from avdet.data.build_classification import build_classification_test_loader
from avdet.datasets.classification import SegmentSplit
from avdet.datasets.segments import Segments
from avdet.distributed import DistributedContext
from avdet.engine.aggregate_views import score_segments
from avdet.inference.load_network import load_network
from avdet.media.array_video import ArrayVideo
from avdet.media.video_reader import VideoReader
from tests.inference.tiny_classifier import EPIC_SETS, save_tiny_classifier
from tests.inference.tiny_detector import write_noise_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise_video(tmp_path_factory.mktemp("videos") / "clip.mp4", 6, fps=10.0)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return save_tiny_classifier(tmp_path / "folders.pt")


@pytest.mark.parametrize("kind", ["folders", "charades"])  # mean of softmax scores, maximum of sigmoids
def test_a_whole_video_is_scored_as_by_test_net(video: Path, tmp_path: Path, kind: str) -> None:
    path = save_tiny_classifier(tmp_path / "best.pt", kind)
    network = load_network(path, device="cpu", precision="float32")
    config = network.config.model_copy(update={"data": network.config.data.model_copy(update={"workers": 0})})
    segments = Segments.whole_videos(np.array(["clip"], object), {})
    split = SegmentSplit(segments, {"clip": video}, segments)
    dataset = config.classification_dataset()
    loader = build_classification_test_loader(config, dataset, split)
    alone = DistributedContext(0, 1, torch.device("cpu"))
    expected, _ = score_segments(network.model, loader, 1, dataset.config.test_aggregation, alone)
    scores = ActionClassifier.from_checkpoint(path, device="cpu", precision="float32")(video)
    assert (scores.video, scores.start_s.tolist(), len(scores)) == ("clip", [0.0], 1)
    np.testing.assert_allclose(scores.scores["action"], expected["action"], atol=1e-6)
    is_distribution = abs(float(scores.scores["action"].sum()) - 1) < 1e-5
    assert is_distribution == (kind == "folders")


def test_windows_are_scored_alone(video: Path, checkpoint: Path) -> None:
    classifier = ActionClassifier.from_checkpoint(checkpoint, device="cpu", precision="float32")
    windows = classifier(video, every_s=2.0)
    assert windows.start_s.tolist() == [0.0, 2.0, 4.0]
    assert np.ptp(windows.scores["action"][:, 0]) > 1e-4
    fewer_at_a_time = classifier(video, every_s=2.0, batch_size=1)
    np.testing.assert_allclose(fewer_at_a_time.scores["action"], windows.scores["action"], atol=1e-6)


def test_arrays_and_opened_videos_give_the_scores_of_the_file(video: Path, checkpoint: Path) -> None:
    classifier = ActionClassifier.from_checkpoint(checkpoint, device="cpu", precision="float32")
    expected = classifier(video).scores["action"]
    with VideoReader(video) as reader:
        frames = np.stack([frame for _, frame in reader.play()])
        waveform = reader.audio(0.0, 6.0, 16000)
        of_reader = classifier(reader)
    array = ArrayVideo(frames, fps=10.0, waveform=waveform, sample_rate=16000, name="array")
    np.testing.assert_allclose(of_reader.scores["action"], expected, atol=0.02)  # scaled by another library
    np.testing.assert_allclose(classifier(array).scores["action"], of_reader.scores["action"], atol=2e-3)
    assert of_reader.video == "clip"
    without_audio = classifier(ArrayVideo(frames, fps=10.0)).scores["action"]
    assert np.abs(without_audio - expected).max() > 1e-3


def test_verbs_and_nouns_are_scored_apart(video: Path, tmp_path: Path) -> None:
    path = save_tiny_classifier(tmp_path / "epic.pt", "epic", EPIC_SETS)
    scores = ActionClassifier.from_checkpoint(path, device="cpu", precision="float32")(video)
    assert {name: rows.shape for name, rows in scores.scores.items()} == {"verb": (1, 2), "noun": (1, 3)}
    np.testing.assert_allclose([rows.sum() for rows in scores.scores.values()], 1.0, atol=1e-5)


def test_a_model_without_classes_is_refused(tmp_path: Path) -> None:
    path = save_tiny_classifier(tmp_path / "ssl.pt", class_sets={})
    with pytest.raises(ValueError, match="has no classes; fine-tune it"):
        ActionClassifier.from_checkpoint(path, device="cpu", precision="float32")

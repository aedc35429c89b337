from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from avdet.media.media_file import DecodeError
from avdet.people.labelled_frames import LabelledFrame, LabelledFrameLoader, LabelledFrames, mirrored
from tests.media.make_videos import number_of, write_video
from tests.people.scenes import BrightBoxes, people, scene


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledFrame]:
    movie = write_video(tmp_path_factory.mktemp("movies") / "m.mp4", num_frames=20, fps=10)
    return [LabelledFrame(movie, k / 10, people((0.1, 0.1, 0.3, 0.9), ids=[k])) for k in range(20)]


def test_a_shot_is_the_frame_of_its_time(shots: list[LabelledFrame]) -> None:
    picture, labels = LabelledFrames(shots, mirror=False)[13]
    assert (picture.video, picture.time_s, number_of(picture.rgb)) == ("m", 1.3, 13)
    assert labels.person_ids.tolist() == [13]


def test_boxes_are_mirrored_with_their_picture() -> None:
    picture, labels = scene(3)
    other, flipped = mirrored(picture, labels)
    assert np.array_equal(other.rgb[:, ::-1], picture.rgb)
    (found,) = BrightBoxes()([other])
    order = torch.argsort(flipped.boxes[:, 0])
    assert torch.allclose(found.boxes[torch.argsort(found.boxes[:, 0])], flipped.boxes[order], atol=0.02)


def test_half_of_the_pictures_are_mirrored(shots: list[LabelledFrame]) -> None:
    torch.manual_seed(0)
    pictures = LabelledFrames(shots, mirror=True)
    left = [bool(pictures[k][1].boxes[0, 0] < 0.5) for k in range(20)] + [
        bool(pictures[k][1].boxes[0, 0] < 0.5) for k in range(20)
    ]
    assert 8 <= sum(left) <= 32


@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_hold_every_shot_once(shots: list[LabelledFrame], shuffle: bool) -> None:
    loader = LabelledFrameLoader(LabelledFrames(shots, mirror=False), batch_size=5, workers=0, shuffle=shuffle)
    times = [picture.time_s for batch in loader for picture, _ in batch]
    assert sorted(times) == [k / 10 for k in range(20)]
    assert (times == sorted(times)) is not shuffle


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_cannot_be_read_is_named(shots: list[LabelledFrame], tmp_path: Path, workers: int) -> None:
    (tmp_path / "torn.mp4").write_bytes(shots[0].video.read_bytes()[:500])
    torn = LabelledFrames([*shots[:3], LabelledFrame(tmp_path / "torn.mp4", 0.0, people())], mirror=False)
    with pytest.raises(DecodeError, match=r"torn\.mp4 cannot be opened"):
        list(LabelledFrameLoader(torn, batch_size=2, workers=workers, shuffle=False))

"""MediaFile's facts about a file: fingerprint and frame times."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from avdet.media.media_file import DecodeError, file_fingerprint, file_version, frame_times
from tests.media.make_videos import write_frames, write_video


def test_fingerprint_changes_with_the_file_and_version_ignores_its_path(tmp_path: Path) -> None:
    path, moved = tmp_path / "a.mp4", tmp_path / "b.mp4"
    path.write_bytes(b"one")
    before = file_fingerprint(path)
    assert file_fingerprint(path) == before
    os.utime(path, ns=(0, 5))
    after = file_fingerprint(path)
    assert after != before
    version = file_version(path)
    path.rename(moved)
    assert file_fingerprint(moved) != after and file_version(moved) == version


@pytest.mark.parametrize(("name", "times_s"), [("a.mp4", [0.0, 0.1, 0.12, 0.5]), ("a.avi", [0.0, 0.04, 0.08, 0.12])])
def test_frame_times(tmp_path: Path, name: str, times_s: list[float]) -> None:
    """AVI stores no display times: its frames are evenly spaced."""
    path = write_video(tmp_path / name, times_s=times_s if name == "a.mp4" else None, num_frames=4)
    np.testing.assert_allclose(frame_times(path), times_s, atol=1e-4)


def test_frame_times_need_a_video_stream(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="cannot be opened"):
        frame_times(write_frames(tmp_path / "frames", [1]))

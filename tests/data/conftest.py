from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.one_frame_clips import write_one_frame_videos


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Eight videos of one frame, video0.mp4 to video7.mp4."""
    return write_one_frame_videos(tmp_path)

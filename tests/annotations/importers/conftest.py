from pathlib import Path

import pytest

from avdet.annotations.importers.video_index import VideoIndex
from tests.media.make_videos import write_video


@pytest.fixture(scope="session")
def video_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ "kitchen one" and "garden": 20 frames at 10 fps each, 64 x 48 pixels."""
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "kitchen one.mp4", num_frames=20, fps=10)
    write_video(folder / "garden.mp4", num_frames=20, fps=10)
    return folder


@pytest.fixture
def videos(video_folder: Path) -> VideoIndex:
    return VideoIndex({path.stem: path for path in video_folder.iterdir()})

from __future__ import annotations

from pathlib import Path

import pytest

from avdet.data.safe_dataset import BadClipLog
from avdet.media.video_reader import DecodeError
from avdet.structures import BadClip
from tests.data.one_frame_clips import NUM_VIDEOS, OneFrameClips, loader_of, video_names


def test_training_stops_above_max_bad_clips_and_counts_each_once(
    paths: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for bad in (1, 4, 6):
        paths[bad].write_bytes(b"")
    loader = loader_of(OneFrameClips(paths), BadClipLog(tmp_path / "bad_clips.csv", max_bad_clips=3))
    assert len(video_names(loader)) == len(video_names(loader)) == NUM_VIDEOS  # two epochs
    assert sum("clip at 0.5 s is replaced" in message and "video1" in message for message in caplog.messages) == 1
    stricter = loader_of(OneFrameClips(paths), BadClipLog(tmp_path / "other.csv", max_bad_clips=2))
    with pytest.raises(
        ValueError, match=r"3 training clips cannot be read, more than data.max_bad_clips=2; .*other.csv"
    ):
        video_names(stricter)
    assert len((tmp_path / "other.csv").read_text().splitlines()) == 4


def test_a_resumed_run_continues_the_count(tmp_path: Path) -> None:
    path = tmp_path / "bad_clips.csv"
    BadClipLog(path, max_bad_clips=1).add([BadClip("a", 1.0, "bad, with a comma")])
    resumed = BadClipLog(path, max_bad_clips=1)
    resumed.add([BadClip("a", 1.0, "bad, with a comma")])
    with pytest.raises(ValueError, match="2 training clips"):
        resumed.add([BadClip("b", 2.5, "bad")])
    assert path.read_text().splitlines() == ["video,time,reason", 'a,1,"bad, with a comma"', "b,2.5,bad"]


@pytest.mark.parametrize("workers", [0, 2])
def test_evaluation_raises_the_decoders_message(paths: list[Path], workers: int) -> None:
    paths[3].write_bytes(b"")
    with pytest.raises(DecodeError) as error:
        video_names(loader_of(OneFrameClips(paths), None, workers=workers))
    assert str(error.value).startswith(f"{paths[3]} cannot be opened: Invalid data")


@pytest.mark.parametrize("workers", [0, 1])
def test_training_stops_where_every_clip_is_bad(paths: list[Path], tmp_path: Path, workers: int) -> None:
    for path in paths:
        path.write_bytes(b"")
    bad_clips = BadClipLog(tmp_path / "bad_clips.csv", max_bad_clips=100)
    with pytest.raises(ValueError, match="All of 16 clips drawn one after another failed to decode"):
        video_names(loader_of(OneFrameClips(paths), bad_clips, workers=workers))

"""Re-encoding the videos of a config with cache_videos.py."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from avdet.cli import cache_videos as cli
from avdet.cli.cache_videos import cache_videos, find_targets, main
from avdet.datasets.video_files import videos_by_name
from avdet.media.video_reader import VideoReader
from tests.media.make_videos import write_broken_download, write_video

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encodes in threads, because a process takes seconds to start; `test_command` starts one."""
    monkeypatch.setattr(cli, "ProcessPoolExecutor", lambda workers, _: ThreadPoolExecutor(workers))


@pytest.mark.usefixtures("in_threads")
def test_a_second_run_resumes_and_names_bad_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    videos, cache = tmp_path / "videos", tmp_path / "cache"
    (videos / "more").mkdir(parents=True)
    write_video(videos / "a.mkv", num_frames=5)
    caplog.set_level("INFO")
    cache_videos(find_targets(videos, cache), short_side=32, crf=20, workers=1)
    written = (cache / "a.mp4").stat().st_mtime_ns
    write_video(videos / "more" / "b.mp4", num_frames=6)
    (videos / "c.mp4").write_bytes(b"")
    (videos / "d.mp4").symlink_to("gone.mp4")
    failure = r"2 of 3 videos could not be cached; first error: .*[cd].mp4"
    with pytest.raises(ValueError, match=failure):
        cache_videos(find_targets(videos, cache), short_side=32, crf=20, workers=1)
    assert sorted(str(path.relative_to(cache)) for path in cache.rglob("*.mp4")) == ["a.mp4", "more/b.mp4"]
    assert (cache / "a.mp4").stat().st_mtime_ns == written
    assert "4 videos, 1 of them already cached" in caplog.text and "b.mp4: 6 frames" in caplog.text


@pytest.mark.usefixtures("in_threads")
def test_an_outdated_copy_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, cache = tmp_path / "videos" / "a.mp4", tmp_path / "cache"
    source.parent.mkdir()

    def frames_and_height(short_side: int) -> tuple[int, int]:
        cache_videos(find_targets(source.parent, cache), short_side=short_side, crf=20, workers=1)
        with VideoReader(cache / "a.mp4") as copy:
            return len(list(copy.play())), copy.info.height

    write_video(source, num_frames=5)
    assert frames_and_height(32) == (5, 32)
    assert frames_and_height(48) == (5, 48)
    write_video(source, num_frames=7)
    os.utime(source, (0, 0))  # older than the copy, as downloads keep their date
    caplog.set_level("INFO")
    assert frames_and_height(48) == (7, 48)
    assert "1 copies are replaced, because the video, --short-side or --crf changed" in caplog.text
    caplog.clear()
    assert frames_and_height(48) == (7, 48) and "1 of them already cached" in caplog.text
    write_video(cache / "a.mp4", num_frames=3)
    content = (cache / "a.mp4").read_bytes()
    with pytest.raises(ValueError, match=r"cache/a.mp4 exists and is no copy of this tool; move it"):
        frames_and_height(48)
    assert (cache / "a.mp4").read_bytes() == content


@pytest.mark.usefixtures("in_threads")
def test_a_truncated_video_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_broken_download(tmp_path / "a.mp4")
    cache_videos(find_targets(tmp_path, tmp_path / "cache"), short_side=48, crf=20, workers=1)
    assert "a.mp4 is truncated, and so is its copy: the last frame of 6.0 s is at 2." in caplog.text


def test_two_videos_of_one_name_are_refused_and_copies_are_ignored(tmp_path: Path) -> None:
    for name in ("a.mkv", "cache/b.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_targets(tmp_path, tmp_path / "cache") == {tmp_path / "a.mkv": tmp_path / "cache" / "a.mp4"}
    (tmp_path / "a.avi").touch()
    with pytest.raises(ValueError, match=r"2 videos in .* would be copied to .*a.mp4; rename"):
        find_targets(tmp_path, tmp_path / "cache")


def test_command(sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["--config", str(REPOSITORY / "configs/ava/avslowfast.yaml")]
    options = ["--output", str(tmp_path / "cache"), "--workers", "1", "--short-side", "48"]
    assert main([*config, *options, f"data.videos={sample / 'videos'}"]) == 0
    assert videos_by_name(tmp_path / "cache").keys() == videos_by_name(sample / "videos").keys()
    with pytest.raises(SystemExit) as stop:
        main([*config, *options, "data.videos=nowhere"])
    assert stop.value.code == 2
    assert "nowhere is no folder; correct data.videos" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    for more, message in (
        ([f"data.videos={tmp_path / 'empty'}"], "there is no video in"),
        (["--crf", "52"], "--crf is 52; x264 accepts 0 (best) to 51"),
        (["--output", str(sample / "videos/sample_val_00.mp4")], "is a file; give a folder to write into"),
    ):
        with pytest.raises(SystemExit) as stop:
            main([*config, *options, f"data.videos={sample / 'videos'}", *more])
        assert stop.value.code == 2 and message in capsys.readouterr().err

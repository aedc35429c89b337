"""Batches from files of which some are bad, slow or endless."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, Sampler

from avdet.data.collate import collate
from avdet.data.loader import ClipLoader, StartMethod
from avdet.data.safe_dataset import READING, BadClipLog
from avdet.data.sampler import SampleSpec
from avdet.media.reader import DecodeError, VideoReader
from avdet.structures import BadClip, Clip, ClipBatch
from tests.media.make_videos import numbers_of, write_video

NUM_FILES = 8


class Files:
    """The first picture of each file; its number tells which file it was."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def location(self, index: SampleSpec) -> tuple[Path, float]:
        return self.paths[index.index], 0.5

    def __getitem__(self, index: SampleSpec) -> Clip:
        with VideoReader(self.paths[index.index]) as video:
            frames = video.frames([0.5])
        return Clip(str(numbers_of(frames)[0]), 0.5, torch.from_numpy(frames).permute(3, 0, 1, 2))


class Batches(Sampler[list[SampleSpec]]):
    """Every file once, in batches of two."""

    def __init__(self, size: int = NUM_FILES) -> None:
        self.specs = [SampleSpec(k, 1000 + k) for k in range(size)]

    def __len__(self) -> int:
        return len(self.specs) // 2

    def __iter__(self) -> Iterator[list[SampleSpec]]:
        return iter(BatchSampler(self.specs, 2, drop_last=True))  # type: ignore[arg-type]  # torch wants a sampler


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Eight films of one picture."""
    from tests.media.make_videos import numbered

    return [write_video(tmp_path / f"film{k}.mp4", frames=[numbered(k)], num_frames=1) for k in range(NUM_FILES)]


def _loader(
    paths: list[Path],
    log: BadClipLog | None,
    *,
    workers: int = 0,
    limit_s: float = 60.0,
    start_method: StartMethod | None = None,
) -> ClipLoader[ClipBatch]:
    clips = Files(paths)
    return ClipLoader(
        clips,
        Batches(len(paths)),
        collate,
        workers=workers,
        limit_s=limit_s,
        bad_clips=log,
        start_method=start_method,
    )


def _videos(loader: ClipLoader[ClipBatch]) -> list[str]:
    return [video for batch in loader for video, _ in batch.clips]


@pytest.mark.parametrize(("workers", "start_method"), [(1, "fork"), (2, "fork"), (2, "spawn")])
def test_bad_clips_are_replaced_counted_and_listed_alike_everywhere(
    paths: list[Path], tmp_path: Path, workers: int, start_method: Literal["fork", "spawn"] | None
) -> None:
    paths[1].write_bytes(b"")
    paths[6].write_text("not a video")
    log = BadClipLog(tmp_path / "run" / "bad_clips.csv", max_bad_clips=2)
    videos = _videos(_loader(paths, log, workers=workers, start_method=start_method))
    assert videos == _videos(_loader(paths, BadClipLog(tmp_path / "other.csv", max_bad_clips=2)))
    assert [videos[k] for k in (0, 2, 3, 4, 5, 7)] == ["0", "2", "3", "4", "5", "7"]
    assert {videos[1], videos[6]} <= {"0", "2", "3", "4", "5", "7"}
    lines = log.path.read_text().splitlines()
    assert lines[0] == "video,time,reason"
    assert [line.split(",")[:2] for line in lines[1:]] == [[str(paths[1]), "0.5"], [str(paths[6]), "0.5"]]
    assert all("cannot be opened: Invalid data" in line for line in lines[1:])


def test_training_stops_above_max_bad_and_a_second_epoch_counts_nothing_twice(
    paths: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for bad in (1, 4, 6):
        paths[bad].write_bytes(b"")
    loader = _loader(paths, BadClipLog(tmp_path / "bad_clips.csv", max_bad_clips=3))
    assert len(_videos(loader)) == len(_videos(loader)) == NUM_FILES
    assert sum("clip at 0.5 s is replaced" in message and "film1" in message for message in caplog.messages) == 1
    stricter = _loader(paths, BadClipLog(tmp_path / "other.csv", max_bad_clips=2))
    with pytest.raises(
        ValueError, match=r"3 training clips cannot be read, more than data.max_bad_clips=2; .*other.csv"
    ):
        _videos(stricter)
    assert len((tmp_path / "other.csv").read_text().splitlines()) == 4


def test_a_resumed_run_goes_on_counting(tmp_path: Path) -> None:
    path = tmp_path / "bad_clips.csv"
    BadClipLog(path, max_bad_clips=1).add([BadClip("a", 1.0, "it is, as it were, broken")])
    resumed = BadClipLog(path, max_bad_clips=1)
    resumed.add([BadClip("a", 1.0, "it is, as it were, broken")])
    with pytest.raises(ValueError, match="2 training clips"):
        resumed.add([BadClip("b", 2.5, "so is this")])
    assert path.read_text().splitlines() == [
        "video,time,reason",
        'a,1,"it is, as it were, broken"',
        "b,2.5,so is this",
    ]


@pytest.mark.parametrize("workers", [0, 2])
def test_evaluation_replaces_nothing_and_keeps_the_sentence(paths: list[Path], workers: int) -> None:
    paths[3].write_bytes(b"")
    with pytest.raises(DecodeError) as caught:
        _videos(_loader(paths, None, workers=workers))
    assert str(caught.value).startswith(f"{paths[3]} cannot be opened: Invalid data")


@pytest.mark.parametrize("workers", [0, 1])
def test_when_nothing_can_be_read_the_decoder_is_to_blame(paths: list[Path], tmp_path: Path, workers: int) -> None:
    for path in paths:
        path.write_bytes(b"")
    loader = _loader(paths, BadClipLog(tmp_path / "bad_clips.csv", max_bad_clips=100), workers=workers)
    with pytest.raises(ValueError, match="All of 16 clips drawn one after another failed to decode"):
        _videos(loader)


def test_a_worker_that_waits_for_ever_ends_and_its_clip_is_named(
    paths: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Opening a pipe that nobody writes into blocks in C, for ever."""
    paths[5].unlink()
    os.mkfifo(paths[5])
    loader = _loader(paths, BadClipLog(tmp_path / "bad_clips.csv", max_bad_clips=100), workers=2, limit_s=1.0)
    expected = rf"The clip of {paths[5]} at 0.50 s was not read within 1 s; .* raise data.clip_timeout_s"
    with pytest.raises(ValueError, match=expected):
        _videos(loader)
    assert "media_file.py" in caplog.text and "Current thread" in caplog.text


class Deadly(Files):
    """File 5 kills whoever reads it, as a fault in a decoder does."""

    def __getitem__(self, index: SampleSpec) -> Clip:
        if index.index == 5:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().__getitem__(index)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # torch's socket to the dead worker
def test_a_clip_that_kills_its_worker_is_named(paths: list[Path]) -> None:
    loader = ClipLoader(Deadly(paths), Batches(), collate, workers=2, limit_s=60.0)
    with pytest.raises(
        ValueError, match=rf"The clip of {paths[5]} at 0.50 s killed its worker; repair or remove the file"
    ):
        _videos(loader)


def test_a_worker_that_takes_its_time_to_end_is_waited_for(paths: list[Path]) -> None:
    """Its pipe is closed, and the main process hears of that first."""
    loader = ClipLoader(Files(paths), Batches(), collate, workers=2, limit_s=60.0)
    worker = multiprocessing.Process(target=time.sleep, args=(0.5,))
    worker.start()
    (loader._reports / f"{worker.pid}{READING}").write_text("The clip of late.mp4 at 1.00 s")
    assert str(loader._explain(EOFError())).startswith("The clip of late.mp4 at 1.00 s killed its worker")


def test_without_workers_the_whole_process_ends_with_that_sentence(tmp_path: Path) -> None:
    pipe = tmp_path / "film.mp4"
    os.mkfifo(pipe)
    program = (
        "from avdet.data.time_limit import time_limit\n"
        "from avdet.media.reader import VideoReader\n"
        "with time_limit(0.5, 'The clip of film.mp4 at 2.00 s'):\n"
        f"    VideoReader({str(pipe)!r})\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("The clip of film.mp4 at 2.00 s was not read within 0.5 s; ")
    assert "media_file.py" in ended.stderr


def test_a_limit_that_is_kept_leaves_no_thread(tmp_path: Path) -> None:
    from avdet.data.time_limit import time_limit

    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    before = threads()
    for _ in range(50):
        with time_limit(60.0, "nothing"):
            np.zeros(10)
    end = time.monotonic() + 5.0  # join() returns a moment before the system has done with a thread
    while threads() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert threads() == before


@pytest.mark.slow
def test_five_thousand_clips_through_a_worker_leave_no_memory_behind(paths: list[Path], tmp_path: Path) -> None:
    """Good files and bad ones: under 1 MB more in a thousand clips, in the worker and in the main process."""
    paths[3].write_bytes(b"")
    loader = _Watched(paths, tmp_path / "bad_clips.csv")
    sizes_mb = [[_resident_mb(pid) for pid in loader.processes()] for _ in range(5000 // NUM_FILES) if loader.epoch()]
    for resident in np.array(sizes_mb[125:]).T:
        slope = np.polyfit(np.arange(len(resident)) * NUM_FILES / 1000, resident, 1)[0]
        assert slope < 1.0, sizes_mb


class _Watched:
    """A loader whose worker lives as long as it does."""

    def __init__(self, paths: list[Path], bad_clips: Path) -> None:
        log = BadClipLog(bad_clips, max_bad_clips=100)
        self.loader = ClipLoader(
            Files(paths), Batches(), collate, workers=1, limit_s=60.0, persistent=True, bad_clips=log
        )

    def epoch(self) -> bool:
        return sum(len(batch) for batch in self.loader) == NUM_FILES

    def processes(self) -> list[int]:
        return [os.getpid(), *(child.pid or 0 for child in multiprocessing.active_children())]


def _resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20

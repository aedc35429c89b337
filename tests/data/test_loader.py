"""Workers that meet bad videos, block, or are killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from avdet.data.collate import collate
from avdet.data.loader import ClipLoader, StartMethod
from avdet.data.safe_dataset import READING, BadClipLog
from avdet.data.sampler import SampleSpec
from avdet.structures import Clip, ClipBatch
from tests.data.one_frame_clips import NUM_VIDEOS, OneFrameClips, PairSampler, loader_of, video_names


@pytest.mark.parametrize(
    ("workers", "start_method"),
    [(1, "fork"), (2, "fork"), (2, "forkserver"), pytest.param(2, "spawn", marks=pytest.mark.slow)],
)
def test_replaced_clips_do_not_depend_on_the_workers(
    paths: list[Path], tmp_path: Path, workers: int, start_method: StartMethod | None
) -> None:
    paths[1].write_bytes(b"")
    paths[6].write_text("not a video")
    bad_clips = BadClipLog(tmp_path / "run" / "bad_clips.csv", max_bad_clips=2)
    videos = video_names(loader_of(OneFrameClips(paths), bad_clips, workers=workers, start_method=start_method))
    without_workers = loader_of(OneFrameClips(paths), BadClipLog(tmp_path / "other.csv", max_bad_clips=2))
    assert videos == video_names(without_workers)
    assert [videos[k] for k in (0, 2, 3, 4, 5, 7)] == ["0", "2", "3", "4", "5", "7"]
    assert {videos[1], videos[6]} <= {"0", "2", "3", "4", "5", "7"}
    lines = bad_clips.path.read_text().splitlines()
    assert lines[0] == "video,time,reason"
    assert [line.split(",")[:2] for line in lines[1:]] == [[str(paths[1]), "0.5"], [str(paths[6]), "0.5"]]
    assert all("cannot be opened: Invalid data" in line for line in lines[1:])


def test_a_worker_that_blocks_ends_and_its_clip_is_named(
    paths: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a pipe that has no writer blocks in C code."""

    class BlockingClips(OneFrameClips):
        def __getitem__(self, spec: SampleSpec) -> Clip:
            self.paths[spec.index].open("rb").close()
            return super().__getitem__(spec)

    poll = _MultiProcessingDataLoaderIter._try_get_data
    monkeypatch.setattr(poll, "__defaults__", (0.2,))  # seconds between checks of the workers; torch has 5
    paths[5].unlink()
    os.mkfifo(paths[5])
    bad_clips = BadClipLog(tmp_path / "bad_clips.csv", max_bad_clips=100)
    loader = loader_of(BlockingClips(paths), bad_clips, workers=2, limit_s=1.0)
    message = rf"The clip of {paths[5]} at 0.50 s was not read within 1 s; .* raise data.clip_timeout_s"
    with pytest.raises(ValueError, match=message):
        video_names(loader)
    assert "test_loader.py" in caplog.text and "Current thread" in caplog.text


class StoppedClips(OneFrameClips):
    """Each read sends SIGTERM to its worker, as a service manager does to all processes of a run."""

    def __getitem__(self, spec: SampleSpec) -> Clip:
        os.kill(os.getpid(), signal.SIGTERM)
        return super().__getitem__(spec)


def test_workers_leave_sigterm_to_the_main_process(paths: list[Path]) -> None:
    assert len(video_names(loader_of(StoppedClips(paths), None, workers=2))) == len(paths)


class FatalClips(OneFrameClips):
    """Reading video 5 kills the process, as a fault in a decoder does."""

    def __getitem__(self, spec: SampleSpec) -> Clip:
        if spec.index == 5:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().__getitem__(spec)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # torch's socket to the dead worker
def test_a_clip_that_kills_its_worker_is_named(paths: list[Path]) -> None:
    loader = loader_of(FatalClips(paths), None, workers=2)
    with pytest.raises(
        ValueError, match=rf"The clip of {paths[5]} at 0.50 s killed its worker; repair or remove the file"
    ):
        video_names(loader)


def test_a_worker_is_waited_for_after_its_pipe_has_closed(paths: list[Path]) -> None:
    loader = loader_of(OneFrameClips(paths), None, workers=2)
    worker = multiprocessing.Process(target=time.sleep, args=(0.5,))
    worker.start()
    (loader._reports / f"{worker.pid}{READING}").write_text("The clip of late.mp4 at 1.00 s")
    assert str(loader._explain(EOFError())).startswith("The clip of late.mp4 at 1.00 s killed its worker")


@pytest.mark.slow
def test_memory_is_constant_over_five_thousand_clips(paths: list[Path], tmp_path: Path) -> None:
    """Under 1 MB per thousand clips, one video in eight being bad, in the worker and in the main process."""
    paths[3].write_bytes(b"")
    bad_clips = BadClipLog(tmp_path / "bad_clips.csv", max_bad_clips=100)
    loader: ClipLoader[ClipBatch] = ClipLoader(
        OneFrameClips(paths), PairSampler(), collate, workers=1, limit_s=60.0, persistent=True, bad_clips=bad_clips
    )
    sizes_mb = []
    for _ in range(5000 // NUM_VIDEOS):
        assert sum(len(batch) for batch in loader) == NUM_VIDEOS
        processes = [os.getpid(), *(child.pid or 0 for child in multiprocessing.active_children())]
        sizes_mb.append([resident_mb(process) for process in processes])
    for resident in np.array(sizes_mb[125:]).T:
        slope = np.polyfit(np.arange(len(resident)) * NUM_VIDEOS / 1000, resident, 1)[0]
        assert slope < 1.0, sizes_mb


def resident_mb(process: int) -> float:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096 / 2**20

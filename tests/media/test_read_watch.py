"""A read that the system does not answer ends the process with a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.media.make_videos import write_video

PROGRAM = """
import os, sys, threading, time
from avdet.media import read_watch
from avdet.media.media_file import MediaFile
read_watch.LIMIT_S = 0.5
stalled, way = os.pipe()
class Stalled:
    def demux(self, *streams):
        yield from real.demux()
        os.read(stalled, 1)
    def __getattr__(self, name):
        return getattr(real, name)
file = MediaFile(sys.argv[1])
real, file.container = file.container, Stalled()
if sys.argv[2] == "fork" and (child := os.fork()):
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
for packet in file.packets():
    time.sleep(0.1)
"""


@pytest.mark.parametrize("process", ["same", "fork"])
def test_a_stalled_read_ends_the_process_and_slow_work_between_reads_does_not(tmp_path: Path, process: str) -> None:
    path = write_video(tmp_path / "a.mp4", num_frames=9)
    command = [sys.executable, "-c", PROGRAM, str(path), process]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    expected = f"error: {path} was not read within 0.5 s; check its disk, then run the command again\n"
    assert (result.returncode, result.stderr) == (2, expected)

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from avdet.data.time_limit import time_limit


def test_the_process_ends_with_a_sentence_and_its_stacks(tmp_path: Path) -> None:
    """Opening a pipe that has no writer blocks in C code."""
    pipe = tmp_path / "video.mp4"
    os.mkfifo(pipe)
    program = (
        "from avdet.data.time_limit import time_limit\n"
        "with time_limit(0.5, 'The clip of video.mp4 at 2.00 s'):\n"
        f"    open({str(pipe)!r})\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("The clip of video.mp4 at 2.00 s was not read within 0.5 s; ")
    assert 'File "<string>", line 3' in result.stderr


def test_a_finished_block_leaves_no_thread() -> None:
    def num_threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    before = num_threads()
    for _ in range(50):
        with time_limit(60.0, "nothing"):
            pass
    deadline = time.monotonic() + 5.0  # the system removes a thread shortly after join() returns
    while num_threads() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert num_threads() == before

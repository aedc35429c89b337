"""Locks of outputs: a second process gets a sentence, and the lock of a killed process is free."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from avdet.output_lock import lock_file, lock_folder

HOLD = """
import sys, time
from pathlib import Path
from avdet.output_lock import lock_file, lock_folder
with (lock_folder if sys.argv[1] == "folder" else lock_file)(Path(sys.argv[2])):
    print("locked", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path: Path, kind: str) -> None:
    output, lock = tmp_path / "run", lock_folder if kind == "folder" else lock_file
    with subprocess.Popen([sys.executable, "-c", HOLD, kind, str(output)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None and first.stdout.readline() == "locked\n"
        with pytest.raises(ValueError, match=rf"run is being written by another process \({first.pid}\); wait"):
            lock(output).__enter__()
        first.send_signal(signal.SIGKILL)
        first.wait()
        with lock(output):
            pass
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_only_an_unused_folder_is_removed(tmp_path: Path) -> None:
    for used in (False, True):
        with lock_folder(tmp_path / "run"):
            if used:
                (tmp_path / "run" / "config.yaml").touch()
        assert (tmp_path / "run").exists() == used


def test_one_process_of_torchrun_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    with lock_folder(tmp_path / "run"):
        assert not (tmp_path / "run").exists()

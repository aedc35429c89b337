"""Tools that write a folder refuse one that another process writes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from avdet.cli import cache_videos, classify, detect_actions, export_annotations, extract_features, import_annotations
from tests.cli.refusal import refusal

REPOSITORY = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from avdet.output_lock import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An output folder of another process."""
    folder = tmp_path_factory.mktemp("locked")
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "locked\n"
        yield folder
        process.communicate()


@pytest.mark.parametrize("main", [classify.main, detect_actions.main, extract_features.main])
def test_a_model_does_not_write_into_a_locked_folder(
    main: Callable[[list[str]], int], locked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refusal(main, capsys, locked, "--checkpoint", "best.pt", "--output", locked)
    assert "is being written by another process" in message


def test_annotations_and_copies_do_not_either(locked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, options = tmp_path / "labels.csv", ["--videos", tmp_path, "--output", locked]
    (tmp_path / "a.mp4").touch()
    message = refusal(import_annotations.main, capsys, labels, *options)
    config = ["--config", REPOSITORY / "configs/ava/avslowfast.yaml", f"data.videos={tmp_path}"]
    message += refusal(cache_videos.main, capsys, *config, "--output", locked)
    assert message.count("is being written by another process") == 2
    message = refusal(export_annotations.main, capsys, "--ground-truth", labels, "--to", "via", *options)
    assert "has files, which are not overwritten" in message

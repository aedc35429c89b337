"""The run directory: its files, and the choice of a directory that never overwrites an earlier run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from avdet.atomic_write import atomic_write

__all__ = ["RunDir", "claim_run", "latest_run", "new_run", "restarted_run", "write_config"]

RUNS = Path("runs")


class RunDir:
    """Paths of the files in a run directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.metrics = path / "metrics.jsonl"  # beside TensorBoard's event files
        self.last = path / "checkpoints" / "last.pt"
        self.best = path / "checkpoints" / "best.pt"
        self.detections = path / "detections.csv"
        self.predictions = path / "predictions.csv"
        self.results = path / "results.json"
        self.bad_clips = path / "bad_clips.csv"  # training clips that could not be read and were replaced
        self.annotated = path / "annotated.mp4"


def new_run(name: str, output: Path | None, *, resumable: bool = True) -> RunDir:
    """`output`, or the first free one of runs/NAME, runs/NAME-2, ... Raises ValueError if `output` holds a run."""
    if output is not None:
        if RunDir(output).config.exists():
            resume = "add --resume to resume it or " * resumable
            raise ValueError(f"{output} already holds a run; {resume}choose another --output")
        return RunDir(output)
    run, number = RunDir(RUNS / name), 2
    while run.config.exists():
        run, number = RunDir(RUNS / f"{name}-{number}"), number + 1
    return run


def latest_run(name: str, output: Path | None) -> tuple[RunDir, bool]:
    """The run for --resume, and whether it has a checkpoint: one that was killed before its first starts again.

    It is `output`, or the newest runs/NAME with a checkpoint, else the newest. Raises ValueError if there is none.
    """
    existing = _existing_runs(name, output)
    saved = [run for run in existing if run.last.exists()]
    if not existing:
        raise ValueError(f"--resume found no run in {output or RUNS / name}; start the run without --resume")
    if not saved:
        return max(existing, key=lambda run: run.config.stat().st_mtime), False
    return max(saved, key=lambda run: run.last.stat().st_mtime), True


def restarted_run(name: str, output: Path | None) -> tuple[RunDir, bool]:
    """The run that torchrun restarts after it lost a worker, and whether it has a checkpoint to resume from."""
    started = _existing_runs(name, output)
    if not started:
        return RunDir(output or RUNS / name), False
    run = max(started, key=lambda run: run.config.stat().st_mtime)
    return run, run.last.exists()


def _existing_runs(name: str, output: Path | None) -> list[RunDir]:
    own_name = re.compile(re.escape(name) + r"(-\d+)?")
    folders = [output] if output else [path for path in RUNS.glob("*") if own_name.fullmatch(path.name)]
    return [run for run in map(RunDir, folders) if run.config.exists()]


@contextmanager
def claim_run(run: RunDir, config_yaml: str) -> Iterator[None]:
    """Writes a new run's config.yaml, and removes it if the block fails.

    torchrun can then restart this run instead of an earlier one of the same name, even before its first checkpoint.
    """
    write_config(run, config_yaml)
    try:
        yield
    except BaseException:
        run.config.unlink(missing_ok=True)
        with suppress(OSError):  # the directory holds other files
            run.path.rmdir()
        raise


def write_config(run: RunDir, config_yaml: str) -> None:
    """Writes config.yaml."""
    with atomic_write(run.config) as partial:
        partial.write_text(config_yaml, encoding="utf-8")

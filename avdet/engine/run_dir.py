"""A run's folder and the names of its files; a new run never overwrites an old one."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["RunDir", "latest_run", "new_run", "restarted_run"]

RUNS = Path("runs")


class RunDir:
    """What was run, what it said, what it learned, what it found."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.metrics = path / "metrics.jsonl"  # TensorBoard's events lie beside it
        self.last = path / "checkpoints" / "last.pt"
        self.best = path / "checkpoints" / "best.pt"
        self.detections = path / "detections.csv"
        self.predictions = path / "predictions.csv"
        self.results = path / "results.json"
        self.bad_clips = path / "bad_clips.csv"  # where training had to replace some
        self.annotated = path / "annotated.mp4"


def new_run(name: str, output: Path | None, *, resumable: bool = True) -> RunDir:
    """In `output`, or in runs/NAME, runs/NAME-2, ... whichever is free. Raises ValueError where `output` is taken."""
    if output is not None:
        if RunDir(output).config.exists():
            resume = "add --resume to go on with it or " * resumable
            raise ValueError(f"{output} already holds a run; {resume}choose another --output")
        return RunDir(output)
    run, number = RunDir(RUNS / name), 2
    while run.config.exists():
        run, number = RunDir(RUNS / f"{name}-{number}"), number + 1
    return run


def restarted_run(name: str, output: Path | None) -> tuple[RunDir, bool]:
    """The run that torchrun starts again after a lost worker, and whether it has anything saved to go on with."""
    own_name = re.compile(re.escape(name) + r"(-\d+)?")
    folders = [output] if output else [path for path in RUNS.glob("*") if own_name.fullmatch(path.name)]
    begun = [run for run in map(RunDir, folders) if run.config.exists()]
    if not begun:
        return RunDir(output or RUNS / name), False
    run = max(begun, key=lambda run: run.config.stat().st_mtime)
    return run, run.last.exists()


def latest_run(name: str, output: Path | None) -> RunDir:
    """The run that --resume means: in `output`, or the newest runs/NAME. Raises ValueError where nothing was saved."""
    own_name = re.compile(re.escape(name) + r"(-\d+)?")
    folders = [output] if output else [path for path in RUNS.glob("*") if own_name.fullmatch(path.name)]
    saved = [run for run in map(RunDir, folders) if run.config.exists() and run.last.exists()]
    if not saved:
        raise ValueError(f"--resume found no checkpoint in {output or RUNS / name}; start the run without --resume")
    return max(saved, key=lambda run: run.last.stat().st_mtime)

"""The numbers of a run as they come: a line of JSON an event, and the same as TensorBoard curves."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from torch.utils.tensorboard import SummaryWriter

__all__ = ["MetricsLog"]


class MetricsLog:
    """A context manager. Opened at iteration `resume_at`, it first forgets what a stopped run said after it."""

    def __init__(self, path: Path, *, resume_at: int = 0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        whole = [line for line in lines if line.endswith("}")]  # a killed run may leave half a line
        kept = [line + "\n" for line in whole if json.loads(line)["iteration"] <= resume_at]
        path.write_text("".join(kept), encoding="utf-8")
        self._file = path.open("a", encoding="utf-8")
        self._board = SummaryWriter(path.parent, purge_step=resume_at + 1)

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
        self._board.close()

    def write(self, iteration: int, values: dict[str, Any]) -> None:
        self._file.write(json.dumps({"iteration": iteration, **values}) + "\n")
        self._file.flush()
        for name, value in values.items():
            if isinstance(value, (int, float)):
                self._board.add_scalar(name, value, iteration)

"""How much memory a run has needed."""

from __future__ import annotations

import resource
import sys

import torch

__all__ = ["peak_memory_gb"]


def peak_memory_gb(device: torch.device) -> float:
    """The most that was held so far: of the GPU's memory, or by this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9

"""What every tool asks of the film that it is to write."""

from __future__ import annotations

from pathlib import Path

__all__ = ["require_film_name"]


def require_film_name(output: Path, source: Path) -> None:
    """Raises ValueError where `output` is no mp4, or is what the film is made of."""
    if output.suffix.lower() != ".mp4":
        raise ValueError(f"--output is {output}; it is written as mp4, so give it a name that ends in .mp4")
    if output.resolve() == source.resolve():
        raise ValueError(f"--output {output} is the video itself, which would be written over; give another name")

"""By what a file that was replaced is known."""

from __future__ import annotations

from pathlib import Path

__all__ = ["file_fingerprint", "file_version"]


def file_fingerprint(path: Path) -> dict[str, object]:
    """Where it really lies, and its version; plain data, to compare with what was noted. Raises OSError."""
    real = path.resolve()
    return {"path": str(real), **file_version(real)}


def file_version(path: Path) -> dict[str, object]:
    """The same where a file was moved. Raises OSError."""
    stat = path.stat()
    return {"bytes": stat.st_size, "changed_ns": stat.st_mtime_ns}

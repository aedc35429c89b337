"""MediaFile's facts about a file: fingerprint and frame times."""

from __future__ import annotations

import os
from pathlib import Path

from avdet.media.media_file import file_fingerprint, file_version


def test_fingerprint_changes_with_the_file_and_version_ignores_its_path(tmp_path: Path) -> None:
    path, moved = tmp_path / "a.mp4", tmp_path / "b.mp4"
    path.write_bytes(b"one")
    before = file_fingerprint(path)
    assert file_fingerprint(path) == before
    os.utime(path, ns=(0, 5))
    after = file_fingerprint(path)
    assert after != before
    version = file_version(path)
    path.rename(moved)
    assert file_fingerprint(moved) != after and file_version(moved) == version

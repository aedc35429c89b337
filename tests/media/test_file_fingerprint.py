from __future__ import annotations

import os
from pathlib import Path

from avdet.media.file_fingerprint import file_fingerprint, file_version


def test_a_file_that_changed_is_another(tmp_path: Path) -> None:
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

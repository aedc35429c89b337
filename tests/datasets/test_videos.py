from pathlib import Path

import pytest

from avdet.datasets.video_files import videos_by_name


def test_a_name_means_one_file(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.MKV", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "c.mp4").mkdir()
    assert videos_by_name(tmp_path) == {"a": tmp_path / "a.mp4", "b": tmp_path / "b.MKV"}
    (tmp_path / "a.webm").touch()
    with pytest.raises(ValueError, match=r"has a\.mp4 and a\.webm, both named a in tables; keep only one"):
        videos_by_name(tmp_path)

from __future__ import annotations

from pathlib import Path

import pytest

from avdet.cli.outputs import require_output, require_output_folder, require_video_output


def test_what_can_be_written_passes_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "old.pt").touch()
    require_output(tmp_path / "old.pt", (tmp_path / "in.pt", None))
    require_output(tmp_path / "new" / "folder" / "a.pt")
    require_output_folder(tmp_path / "new")
    require_output_folder(tmp_path)
    require_video_output(tmp_path / "a.MP4", ())
    assert [path.name for path in tmp_path.iterdir()] == ["old.pt"]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    file, link = tmp_path / "a.pt", tmp_path / "link.pt"
    file.touch()
    link.symlink_to(file)
    with pytest.raises(ValueError, match=r"OUT .*link.pt is one of the inputs"):
        require_output(link, (file,), option="OUT")
    with pytest.raises(ValueError, match="is a folder or a device"):
        require_output(tmp_path)
    with pytest.raises(ValueError, match=r"nothing can be written in .*a.pt \(not a directory\)"):
        require_output(file / "below" / "b.pt")
    with pytest.raises(ValueError, match="is a file; give a folder"):
        require_output_folder(file)

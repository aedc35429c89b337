from __future__ import annotations

from pathlib import Path

from avdet.engine import results
from avdet.engine.results import provenance


def fingerprint(videos: Path) -> str:
    return str(provenance([], videos)["data_fingerprint"])


def test_videos_in_class_folders_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    fingerprints = set()
    for size in (3, 4):
        video = tmp_path / str(size) / "train" / "sit" / "a.mp4"
        video.parent.mkdir(parents=True)
        video.write_bytes(b"x" * size)
        fingerprints.add(fingerprint(tmp_path / str(size)))
    assert len(fingerprints) == 2


def test_a_folder_of_frames_counts_by_its_name(tmp_path: Path) -> None:
    """It may hold millions of frames."""
    frames = tmp_path / "video"
    frames.mkdir()
    (frames / "video_000001.jpg").write_bytes(b"x")
    before = fingerprint(tmp_path)
    (frames / "video_000002.jpg").write_bytes(b"x")
    assert fingerprint(tmp_path) == before


def test_dangling_and_cyclic_links_count_by_their_names(tmp_path: Path) -> None:
    before = fingerprint(tmp_path)
    (tmp_path / "missing.mp4").symlink_to("nowhere.mp4")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert fingerprint(tmp_path) != before


def test_a_package_that_is_not_installed_has_no_version() -> None:
    assert results._version("avdet-not-installed") is None

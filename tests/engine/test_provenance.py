from __future__ import annotations

from pathlib import Path

from avdet.engine import provenance
from avdet.engine.provenance import provenance as origin_of


def fingerprint(videos: Path) -> str:
    return str(origin_of([], videos)["data_fingerprint"])


def test_movies_in_folders_of_classes_count(tmp_path: Path) -> None:
    prints = set()
    for size in (3, 4):
        clip = tmp_path / str(size) / "train" / "sit" / "a.mp4"
        clip.parent.mkdir(parents=True)
        clip.write_bytes(b"x" * size)
        prints.add(fingerprint(tmp_path / str(size)))
    assert len(prints) == 2


def test_a_folder_of_frames_counts_by_its_name(tmp_path: Path) -> None:
    """It may hold millions of pictures."""
    frames = tmp_path / "movie"
    frames.mkdir()
    (frames / "movie_000001.jpg").write_bytes(b"x")
    before = fingerprint(tmp_path)
    (frames / "movie_000002.jpg").write_bytes(b"x")
    assert fingerprint(tmp_path) == before


def test_links_that_lead_nowhere_or_back_count_by_their_names(tmp_path: Path) -> None:
    before = fingerprint(tmp_path)
    (tmp_path / "gone.mp4").symlink_to("nowhere.mp4")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert fingerprint(tmp_path) != before


def test_a_package_that_is_not_installed_has_no_version() -> None:
    assert provenance._version("avdet-of-nobody") is None

import json
from dataclasses import replace
from pathlib import Path

import pytest

from avdet.synthetic.make_sample import ensure_sample, fingerprint, is_sample, make_sample
from tests.synthetic.tiny import TINY


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("sample"), workers=1, settings=TINY)


def contents(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_file_names(made: Path) -> None:
    kinds = ("_v2.2.csv", "_excluded_timestamps_v2.2.csv", "_predicted_boxes.csv")
    annotations = [f"annotations/ava_{split}{kind}" for split in ("train", "val") for kind in kinds]
    assert sorted(contents(made)) == sorted([
        "README.txt", "sample.json", "annotations/ava_action_list_v2.2.pbtxt", *annotations,
        "videos/sample_train_00.mp4", "videos/sample_val_00.mp4",
    ])  # fmt: skip


def test_worker_processes_make_equal_files_and_report_progress(made: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    make_sample(tmp_path / "new", workers=2, settings=TINY, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 2), (2, 2)]
    assert contents(tmp_path / "new") == contents(made)
    assert fingerprint(tmp_path / "new") == fingerprint(made)


def test_a_complete_set_is_kept_and_other_settings_are_not_it(made: Path) -> None:
    stamp = (made / "videos/sample_val_00.mp4").stat().st_mtime_ns
    assert ensure_sample(made, workers=1, settings=TINY) == made
    assert (made / "videos/sample_val_00.mp4").stat().st_mtime_ns == stamp
    assert not is_sample(made, seed=1, settings=TINY)
    assert not is_sample(made, settings=replace(TINY, off_screen=0.5))


@pytest.mark.parametrize(
    "damage", ["missing video", "truncated annotations", "interrupted", "truncated manifest", "old version"]
)
def test_an_incomplete_set_is_recognised_and_made_again(made: Path, damage: str) -> None:
    before, manifest = contents(made), made / "sample.json"
    if damage == "missing video":
        (made / "videos/sample_val_00.mp4").unlink()
    elif damage == "truncated annotations":
        (made / "annotations/ava_train_v2.2.csv").write_bytes(before["annotations/ava_train_v2.2.csv"][:-5])
    elif damage == "interrupted":
        manifest.write_text('{"complete": false}')
    elif damage == "truncated manifest":
        manifest.write_text('{"complete": tr')
    else:
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "version": 0}))
    assert not is_sample(made, settings=TINY)
    ensure_sample(made, workers=1, settings=TINY)
    assert is_sample(made, settings=TINY) and contents(made) == before


def test_a_smaller_set_removes_the_videos_of_a_larger_one(made: Path, tmp_path: Path) -> None:
    make_sample(tmp_path, workers=1, settings=replace(TINY, num_train=2))
    make_sample(tmp_path, workers=1, settings=TINY)
    assert contents(tmp_path) == contents(made)


def test_a_folder_with_other_files_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/ava_train_v2.2.csv").write_text("other")
    with pytest.raises(ValueError, match=r"holds files but no sample\.json.*empty or a new folder"):
        make_sample(tmp_path, settings=TINY)
    assert contents(tmp_path) == {"annotations/ava_train_v2.2.csv": b"other"}


def test_a_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is a file; give a folder"):
        make_sample(tmp_path / "file", settings=TINY)

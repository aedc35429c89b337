"""Makes the detection sample set in a folder: videos, annotations in AVA's format, and a manifest."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import cv2

from avdet.atomic_write import atomic_write
from avdet.synthetic.ava_files import write_annotations
from avdet.synthetic.classes import label_map_pbtxt
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.scene_video import write_scene_video
from avdet.synthetic.synthetic_settings import SampleSettings, manifest_entry

__all__ = [
    "Progress",
    "check_folder",
    "ensure_sample",
    "fingerprint",
    "is_sample",
    "make_sample",
    "process_map",
    "read_manifest",
    "write_manifest",
]

VERSION = 6  # increase it when videos or annotations change
MANIFEST = "sample.json"
VIDEOS = "sample_*.mp4"
SPLITS = ("train", "val")
Progress = Callable[[int, int], None]
Item = TypeVar("Item")

README = """The sample set of avdet: made by `python tools/make_sample.py`, all of it drawn and played by a program.

videos/        H.264 320x240 30 fps with AAC sound
annotations/   in the form of AVA v2.2; timestamps are whole seconds of each video's own clock
sample.json    seed, version and a fingerprint of every file; written last
"""


def make_sample(
    folder: str | Path,
    *,
    seed: int = 0,
    workers: int = 2,
    progress: Progress | None = None,
    settings: SampleSettings | None = None,
) -> Path:
    """Makes the sample set in `folder`, replacing an existing one, and returns the folder.

    Equal seeds and settings give the same annotation files everywhere and the same videos on the same machine.
    `progress(done, total)` is called after each video. Workers are spawned: a script that uses more than one must
    guard its main code with `if __name__ == "__main__"`. Raises ValueError if the folder holds other files.
    """
    folder, settings = Path(folder), settings or SampleSettings()
    check_folder(folder, MANIFEST)
    for name in ("videos", "annotations"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_manifest(folder / MANIFEST, {"complete": False})
    for old in (folder / "videos").glob(VIDEOS):
        old.unlink()
    scenes_of_split = {split: write_scenes(settings, split, seed) for split in SPLITS}
    (folder / "README.txt").write_text(README, encoding="utf-8")
    (folder / "annotations" / "ava_action_list_v2.2.pbtxt").write_text(label_map_pbtxt(), encoding="utf-8")
    for split, scenes in scenes_of_split.items():
        write_annotations(scenes, split, folder / "annotations", settings)
    scenes = [scene for split in SPLITS for scene in scenes_of_split[split]]
    process_map(partial(_write_video, folder=folder / "videos", settings=settings), scenes, workers, progress)
    files = {"files": _file_fingerprints(folder)}
    write_manifest(folder / MANIFEST, {"complete": True, **manifest_entry(VERSION, seed, settings), **files})
    return folder


def ensure_sample(
    folder: str | Path,
    seed: int = 0,
    *,
    workers: int = 2,
    progress: Progress | None = None,
    settings: SampleSettings | None = None,
) -> Path:
    """Returns the folder; makes the sample set unless the folder already holds the same one."""
    folder = Path(folder)
    if is_sample(folder, seed=seed, settings=settings):
        return folder
    return make_sample(folder, seed=seed, workers=workers, progress=progress, settings=settings)


def is_sample(folder: str | Path, *, seed: int = 0, settings: SampleSettings | None = None) -> bool:
    """Returns whether the folder holds the complete set of this version, seed and settings (checks file sizes)."""
    folder = Path(folder)
    manifest = read_manifest(folder / MANIFEST)
    expected = {"complete": True, **manifest_entry(VERSION, seed, settings or SampleSettings())}
    if any(manifest.get(key) != value for key, value in expected.items()):
        return False
    files: dict[str, dict[str, Any]] = manifest["files"]
    sizes = {folder / name: entry["bytes"] for name, entry in files.items()}
    return all(path.is_file() and path.stat().st_size == size for path, size in sizes.items())


def fingerprint(folder: str | Path) -> str:
    """Returns one hash over all files of a complete set, from its manifest."""
    return hashlib.sha256(
        json.dumps(read_manifest(Path(folder) / MANIFEST)["files"], sort_keys=True).encode()
    ).hexdigest()


def check_folder(folder: Path, manifest: str) -> None:
    """Raises ValueError if `folder` is a file, or holds files but no sample set's manifest."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; give a folder for the sample set")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / manifest).is_file():
        raise ValueError(
            f"{folder} holds files but no {manifest}, so it is not a sample set and is not overwritten; "
            "give an empty or a new folder"
        )


def process_map(work: Callable[[Item], None], items: Sequence[Item], workers: int, progress: Progress | None) -> None:
    """Calls `work` (picklable) for each item in `workers` processes, and `progress(done, total)` after each item."""
    for done, _ in enumerate(_results(work, items, workers), start=1):
        if progress is not None:
            progress(done, len(items))


def _results(work: Callable[[Item], None], items: Sequence[Item], workers: int) -> Iterator[None]:
    if workers < 2:
        yield from map(work, items)
        return
    # A forked child of a multi-threaded process may deadlock; a spawned one cannot.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(work, items)


def _write_video(scene: Scene, folder: Path, settings: SampleSettings) -> None:
    cv2.setNumThreads(1)
    write_scene_video(scene, folder / f"{scene.name}.mp4", settings)


def _file_fingerprints(folder: Path) -> dict[str, dict[str, Any]]:
    paths = sorted([*(folder / "videos").glob(VIDEOS), *(folder / "annotations").glob("ava_*")])
    return {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in paths
    }


def read_manifest(path: Path) -> dict[str, Any]:
    """Returns the manifest's content; empty if the file is missing or invalid."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def write_manifest(path: Path, content: dict[str, Any]) -> None:
    """Writes the manifest atomically as JSON."""
    with atomic_write(path) as partial_path:
        partial_path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

"""Makes the sample set on disk: videos, annotations in AVA's form, and a manifest that says it is whole."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2

from avdet.synthetic.ava_files import write_annotations
from avdet.synthetic.classes import label_map_pbtxt
from avdet.synthetic.record import record
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings

VERSION = 6  # of what the code here makes: raised whenever videos or annotations change
MANIFEST = "sample.json"
VIDEOS = "sample_*.mp4"
SPLITS = ("train", "val")
Progress = Callable[[int, int], None]

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
    """Makes the set in `folder`, anew if one is there, and returns the folder.

    One seed and settings give the same annotation files anywhere and the same videos on the same machine.
    `progress(done, total)` is called after each video. Workers are started afresh ("spawn"), so a script that
    calls this with more than one keeps its own work under `if __name__ == "__main__"`. ValueError where the
    folder holds files but no sample set: nothing is written over then.
    """
    folder, settings = Path(folder), settings or SampleSettings()
    _check_free(folder)
    for name in ("videos", "annotations"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _write_manifest(folder, {"complete": False})
    for old in (folder / "videos").glob(VIDEOS):
        old.unlink()
    stories = {split: write_scenes(settings, split, seed) for split in SPLITS}
    (folder / "README.txt").write_text(README, encoding="utf-8")
    (folder / "annotations" / "ava_action_list_v2.2.pbtxt").write_text(label_map_pbtxt(), encoding="utf-8")
    for split, scenes in stories.items():
        write_annotations(scenes, split, folder / "annotations", settings)
    scenes = [scene for split in SPLITS for scene in stories[split]]
    for done, _ in enumerate(_recorded(scenes, folder / "videos", settings, workers), start=1):
        if progress is not None:
            progress(done, len(scenes))
    _write_manifest(folder, {"complete": True, **_identity(seed, settings), "files": _fingerprints(folder)})
    return folder


def ensure_sample(
    folder: str | Path,
    seed: int = 0,
    *,
    workers: int = 2,
    progress: Progress | None = None,
    settings: SampleSettings | None = None,
) -> Path:
    """The folder with the whole set in it: made by `make_sample` unless the same one is there already."""
    folder = Path(folder)
    if is_whole(folder, seed=seed, settings=settings):
        return folder
    return make_sample(folder, seed=seed, workers=workers, progress=progress, settings=settings)


def is_whole(folder: str | Path, *, seed: int = 0, settings: SampleSettings | None = None) -> bool:
    """Whether the folder holds this version's set of this seed, with every file in its full size."""
    folder = Path(folder)
    manifest = _read_manifest(folder)
    wanted = {"complete": True, **_identity(seed, settings or SampleSettings())}
    if any(manifest.get(key) != value for key, value in wanted.items()):
        return False
    files: dict[str, dict[str, Any]] = manifest["files"]
    paths = {folder / name: entry["bytes"] for name, entry in files.items()}
    return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())


def fingerprint(folder: str | Path) -> str:
    """One hash over all files of a whole set, from its manifest."""
    return hashlib.sha256(json.dumps(_read_manifest(Path(folder))["files"], sort_keys=True).encode()).hexdigest()


def _recorded(scenes: list[Scene], folder: Path, settings: SampleSettings, workers: int) -> Iterator[str]:
    if workers < 2:
        yield from (_record_one(scene, folder, settings) for scene in scenes)
        return
    # Forked children of a process with threads may hang; a fresh one cannot.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(_record_one, scenes, [folder] * len(scenes), [settings] * len(scenes))


def _record_one(scene: Scene, folder: Path, settings: SampleSettings) -> str:
    cv2.setNumThreads(1)
    record(scene, folder / f"{scene.name}.mp4", settings)
    return scene.name


def _identity(seed: int, settings: SampleSettings) -> dict[str, Any]:
    """What a set is made from, as JSON gives it back."""
    identity: dict[str, Any] = json.loads(
        json.dumps({"version": VERSION, "seed": seed, "settings": asdict(settings)})
    )  # fmt: skip
    return identity


def _fingerprints(folder: Path) -> dict[str, dict[str, Any]]:
    paths = sorted([*(folder / "videos").glob(VIDEOS), *(folder / "annotations").glob("ava_*")])
    return {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in paths
    }


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; give a folder for the sample set")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise ValueError(
            f"{folder} holds files but no {MANIFEST}, so it is not a sample set and nothing is written over; "
            "give an empty or a new folder"
        )


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    partial = folder / f"{MANIFEST}.partial"
    partial.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    partial.replace(folder / MANIFEST)

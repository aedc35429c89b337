"""Makes the classification sample set in a folder: one person per video, in every benchmark's file format.

`synthetic_settings.UNLABELLED` makes the set for self-supervised pre-training: short natural videos.
"""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path

import cv2

from avdet.synthetic.benchmark_files import UNSEEN_PARTICIPANT, SampleVideo, write_benchmark_files
from avdet.synthetic.make_sample import Progress, check_folder, process_map, read_manifest, write_manifest
from avdet.synthetic.scene_script import MAX_ATTEMPTS, natural_scene, write_scenes
from avdet.synthetic.scene_video import write_scene_video
from avdet.synthetic.synthetic_settings import ClipSampleSettings, SampleSettings, manifest_entry

__all__ = ["ensure_clip_sample", "is_clip_sample", "make_clip_sample", "plan_videos"]

VERSION = 4  # increase it when videos or annotations change
MANIFEST = "clip_sample.json"
VIDEOS_PER_PARTICIPANT = 4


def make_clip_sample(
    folder: Path,
    *,
    seed: int = 0,
    workers: int = 2,
    settings: ClipSampleSettings | None = None,
    progress: Progress | None = None,
) -> Path:
    """Makes the sample set in `folder` and returns the folder.

    It holds videos/P01_01.mp4, clips/CLASS/v_CLASS_P01_01_c01.mp4, the same clips in folders/{train,val}/CLASS, and
    the benchmarks' files in annotations/. Raises ValueError if the folder holds other files.
    """
    settings = settings or ClipSampleSettings()
    check_folder(folder, MANIFEST)
    write_manifest(folder / MANIFEST, {})  # incomplete
    videos = plan_videos(settings.scenes, seed, natural=settings.natural)
    write_benchmark_files(videos, folder / "annotations")
    process_map(partial(_write_video, folder=folder, settings=settings), videos, workers, progress)
    entry = {**manifest_entry(VERSION, seed, settings), "fingerprint": _fingerprint(folder)}
    write_manifest(folder / MANIFEST, entry)
    return folder


def ensure_clip_sample(
    folder: Path, *, settings: ClipSampleSettings | None = None, progress: Progress | None = None
) -> Path:
    """Returns the folder; makes the sample set unless the folder already holds the same one."""
    if is_clip_sample(folder, settings=settings):
        return folder
    return make_clip_sample(folder, settings=settings, progress=progress)


def is_clip_sample(folder: Path, *, seed: int = 0, settings: ClipSampleSettings | None = None) -> bool:
    """Returns whether the folder holds the complete set of this version, seed and settings (checks file sizes)."""
    manifest = read_manifest(folder / MANIFEST)
    expected = manifest_entry(VERSION, seed, settings or ClipSampleSettings())
    if any(manifest.get(key) != value for key, value in expected.items()):
        return False
    return bool(manifest["fingerprint"] == _fingerprint(folder))


def plan_videos(settings: SampleSettings, seed: int, *, natural: bool = False) -> list[SampleVideo]:
    """Returns train and val scenes as videos of participants; the participant of some val videos is not in train."""
    max_attempts = 1 if natural else MAX_ATTEMPTS  # natural scenes need no balance
    videos = []
    for split in ("train", "val"):
        for i, scene in enumerate(write_scenes(settings, split, seed, max_attempts=max_attempts)):
            participant = f"P{i // VIDEOS_PER_PARTICIPANT + 1:02d}"
            if split == "val" and i % VIDEOS_PER_PARTICIPANT == 0:
                participant = UNSEEN_PARTICIPANT
            number = i + 1 if split == "train" else settings.num_train + i + 1
            name = f"{participant}_{number:02d}"
            videos.append(SampleVideo(name, split, natural_scene(scene) if natural else scene))
    return videos


def _write_video(video: SampleVideo, folder: Path, settings: ClipSampleSettings) -> None:
    cv2.setNumThreads(1)
    path = folder / "videos" / f"{video.name}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_scene_video(video.scene, path, settings.scenes)
    if settings.trimmed:
        for name, segment in video.clips():
            clip = folder / "clips" / f"{name}.mp4"
            clip.parent.mkdir(parents=True, exist_ok=True)
            write_scene_video(video.scene, clip, settings.scenes, start_s=segment.start_s, end_s=segment.end_s)
            link = folder / "folders" / video.split / f"{name}.mp4"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            os.link(clip, link)


def _fingerprint(folder: Path) -> str:
    """Hashes all names and sizes, and the contents of the annotations."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}".encode())
        if path.suffix != ".mp4":
            digest.update(path.read_bytes())
    return digest.hexdigest()

"""Makes the classification form of the sample world: one person a video, who does one thing after another.

Without labels there is a set of its own, of short videos as people upload them.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2

from avdet.synthetic.benchmark_files import UNSEEN, Take, write_benchmark_files
from avdet.synthetic.natural_scenes import natural_scenes
from avdet.synthetic.record import record
from avdet.synthetic.scene_script import MOST_TAKES, write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings

__all__ = ["UNLABELLED", "ClipSampleSettings", "ensure_clip_sample", "is_clip_sample", "make_clip_sample"]

VERSION = 3
MANIFEST = "clip_sample.json"
PER_PARTICIPANT = 4
Progress = Callable[[int, int], None]


def _one_person() -> SampleSettings:
    return SampleSettings(
        num_train=72, num_val=36, duration_s=(13.5, 15.5), width_px=160, height_px=120, gop=30,
        people={1: 1.0}, act_s=(3, 4), stray_change=0.0, music_s=(0, 0, 4, 5, 6),
    )  # fmt: skip


@dataclass(frozen=True)
class ClipSampleSettings:
    """`trimmed`: also a file an act, as UCF101 and HMDB51 have them; without, only whole videos are filmed.

    from_life: sound and place go with what is seen, as in from_life.py.
    """

    world: SampleSettings = field(default_factory=_one_person)
    trimmed: bool = True
    from_life: bool = False


UNLABELLED = ClipSampleSettings(
    replace(
        _one_person(), num_train=960, num_val=80, duration_s=(4.4, 5.2), music_s=(0,),
        looks={"idle": 1, "wave": 1, "clap": 1, "mouth": 1, "drum": 1},
    ),
    trimmed=False, from_life=True,
)  # fmt: skip


def make_clip_sample(
    folder: Path,
    *,
    seed: int = 0,
    workers: int = 2,
    settings: ClipSampleSettings | None = None,
    progress: Progress | None = None,
) -> Path:
    """videos/P01_01.mp4, clips/CLASS/v_CLASS_P01_01_c01.mp4 and the benchmarks' files in annotations/.

    folders/{train,val}/CLASS holds the clips once more, as a data set of one's own would.
    Raises ValueError where the folder holds other files.
    """
    settings = settings or ClipSampleSettings()
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise ValueError(f"{folder} holds files but no {MANIFEST}; give an empty or a new folder for the sample set")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_text("{}\n", encoding="utf-8")
    takes = write_takes(settings.world, seed, from_life=settings.from_life)
    write_benchmark_files(takes, folder / "annotations")
    for done, _ in enumerate(_filmed(takes, folder, settings, workers), start=1):
        if progress is not None:
            progress(done, len(takes))
    content = {**_identity(seed, settings), "fingerprint": _fingerprint(folder)}
    (folder / MANIFEST).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return folder


def is_clip_sample(folder: Path, *, seed: int = 0, settings: ClipSampleSettings | None = None) -> bool:
    """Whether the folder holds this version's set of this seed with every file in its full size."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    wanted = _identity(seed, settings or ClipSampleSettings())
    return {**found, **wanted} == found and found["fingerprint"] == _fingerprint(folder)


def ensure_clip_sample(
    folder: Path, *, settings: ClipSampleSettings | None = None, progress: Progress | None = None
) -> Path:
    """The folder with the whole set in it: made unless the same one is there already."""
    if is_clip_sample(folder, settings=settings):
        return folder
    return make_clip_sample(folder, settings=settings, progress=progress)


def write_takes(settings: SampleSettings, seed: int, *, from_life: bool = False) -> list[Take]:
    """Train and val scenes as videos of participants; some of those in val are by one whom training never saw."""
    most_takes = 1 if from_life else MOST_TAKES  # what life is like needs no balance
    takes = []
    for split in ("train", "val"):
        for i, scene in enumerate(write_scenes(settings, split, seed, most_takes=most_takes)):
            who = f"P{i // PER_PARTICIPANT + 1:02d}"
            if split == "val" and i % PER_PARTICIPANT == 0:
                who = UNSEEN
            number = i + 1 if split == "train" else settings.num_train + i + 1
            takes.append(Take(f"{who}_{number:02d}", split, natural_scenes(scene) if from_life else scene))
    return takes


def _filmed(takes: list[Take], folder: Path, settings: ClipSampleSettings, workers: int) -> Iterator[str]:
    if workers < 2:
        yield from (_film(take, folder, settings) for take in takes)
        return
    context = multiprocessing.get_context("spawn")  # forked children of a process with threads may hang
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(_film, takes, [folder] * len(takes), [settings] * len(takes))


def _film(take: Take, folder: Path, settings: ClipSampleSettings) -> str:
    cv2.setNumThreads(1)
    path = folder / "videos" / f"{take.name}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    record(take.scene, path, settings.world)
    if settings.trimmed:
        for name, act in take.clip_names():
            clip = folder / "clips" / f"{name}.mp4"
            clip.parent.mkdir(parents=True, exist_ok=True)
            record(take.scene, clip, settings.world, start_s=act.start_s, end_s=act.end_s)
            link = folder / "folders" / take.split / f"{name}.mp4"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            os.link(clip, link)
    return take.name


def _identity(seed: int, settings: ClipSampleSettings) -> dict[str, Any]:
    identity: dict[str, Any] = json.loads(json.dumps({"version": VERSION, "seed": seed, "settings": asdict(settings)}))
    return identity


def _fingerprint(folder: Path) -> str:
    """Of all names and sizes, and of what stands in the annotations."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}".encode())
        if path.suffix != ".mp4":
            digest.update(path.read_bytes())
    return digest.hexdigest()

"""Every reader of files that may come from anywhere, by kind of file."""

from __future__ import annotations

import json
import pickle
import shutil
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ava_eval import read_boxes, read_detections, read_excluded, read_ground_truth, read_label_groups, read_label_map
from ava_eval.gttubes import TubeTruth, read_gttubes
from ava_eval.tube_files import read_pickle
from avdet.annotations.importers import read_all
from avdet.annotations.importers.rows import Context
from avdet.annotations.importers.video_index import VideoIndex
from avdet.annotations.importers.write_dataset import merge_tables, write_dataset
from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.config import load_config
from avdet.datasets.charades import read_charades, read_charades_classes
from avdet.datasets.class_names import ClassNames, read_class_list
from avdet.datasets.epic import read_epic, read_epic_classes
from avdet.datasets.kinetics import read_kinetics
from avdet.datasets.proposals import read_proposals
from avdet.datasets.timestamp_offset import candidate_offsets
from avdet.datasets.video_files import VideoIndex as FolderIndex
from avdet.datasets.video_files import index_videos
from avdet.engine.metrics_log import MetricsLog
from avdet.engine.predictions_csv import read_predictions
from avdet.engine.run_comparison import compare_runs
from avdet.inference.load_network import load_network
from avdet.inference.resume_folder import ResumeFolder, require_free_names
from avdet.inference.video_names import VideoJob
from avdet.media.cache import read_cache_key
from avdet.media.frames_dir import FramesDir
from avdet.media.media_file import frame_times
from avdet.media.video_reader import VideoReader
from avdet.people.box_table import ResumableBoxesFile
from avdet.people.build_detector import build_person_detector
from avdet.resume_journal import ResumeJournal, arrays_from_bytes
from avdet.synthetic.make_sample import read_manifest
from tests.annotations.importers.label_files import LABEL_MAP
from tests.checkpoints.reference_names import slowfast
from tests.fuzz.seeds import JOURNAL_HEADER, write_seeds
from tests.media.make_videos import write_video

__all__ = ["Kind", "kinds"]

CLASSES = ClassNames.numbered(["sit", "stand", "wave"])


@dataclass(frozen=True)
class Kind:
    """Files of one kind, and what reads them. weight: how often one is chosen; those that take long are chosen less."""

    name: str
    weight: float
    seeds: Sequence[Path]
    read: Callable[[Path], object]

    @property
    def is_json(self) -> bool:
        """Whether `read` makes another file of JSON, which therefore stays JSON."""
        return self.name in {"arrays", "checkpoint_content"}


def kinds(folder: Path) -> list[Kind]:
    """Writes the valid files into `folder`, unless it exists."""
    if not folder.exists():
        write_seeds(folder)
        (folder / "videos").mkdir()
        for name in ("garden", "kitchen one"):
            write_video(folder / f"videos/{name}.mp4", num_frames=20, fps=10)
    seeds = {place.name: sorted(place.iterdir()) for place in folder.iterdir()}
    videos = {path.stem: path for path in seeds["videos"]}
    tubes = read_gttubes(folder / "pickle/gttubes2.pkl", 1)
    own = load_checkpoint(folder / "checkpoint/own.pt").model_state
    readers: list[tuple[str, float, Callable[[Path], object]]] = [
        ("table", 8, partial(_read_by_one, [read_ground_truth, read_detections, read_boxes, read_excluded])),
        ("label_map", 8, partial(_read_by_one, [read_label_map, read_label_groups, read_class_list])),
        ("clip_list", 8, partial(_read_clip_list, index_videos(folder / "videos"))),
        ("annotations", 12, partial(_read_annotations, videos)),
        ("pickle", 8, partial(_read_pickle, tubes)),
        ("arrays", 8, partial(_read_arrays, tubes)),
        ("yaml", 8, load_config),
        ("checkpoint_content", 3, partial(_read_content, own)),
        ("checkpoint", 1, _read_checkpoint),
        ("person_checkpoint", 0.2, _read_person_detector),
        ("onnx", 1, _read_person_detector),
        ("record", 6, _read_record),
        ("journal", 6, _read_journal),
        ("image", 6, _read_image),
        ("media", 6, _read_media),
    ]
    return [Kind(name, weight, seeds[name], read) for name, weight, read in readers]


def _read_by_one(readers: Sequence[Callable[[Path], object]], path: Path) -> None:
    """By the reader that the file's content chooses."""
    readers[zlib.crc32(path.read_bytes()) % len(readers)](path)


def _read_clip_list(videos: FolderIndex, path: Path) -> None:
    pairs = {"verb": CLASSES, "noun": CLASSES}
    readers: list[Callable[[Path], object]] = [
        lambda path: read_kinetics(path, CLASSES, videos),
        lambda path: read_kinetics(path, CLASSES, videos, multilabel=True),
        lambda path: read_charades(path, CLASSES),
        read_charades_classes,
        lambda path: read_epic(path, pairs),
        read_epic_classes,
        lambda path: candidate_offsets(path, {}),
        lambda path: read_predictions(path, {"action": CLASSES}),
    ]
    _read_by_one(readers, path)


def _read_annotations(videos: dict[str, Path], path: Path) -> None:
    context = Context(VideoIndex(videos), label_map=LABEL_MAP)
    table = merge_tables(read_all([path], context), context.omitted)
    write_dataset(table, set(), path.parent / "dataset")


def _read_pickle(truth: TubeTruth, path: Path) -> None:
    _read_by_one([read_proposals, partial(read_gttubes, split=1), partial(read_pickle, truth=truth)], path)


def _read_arrays(truth: TubeTruth, path: Path) -> None:
    """The pickle of a content given as JSON."""
    packed = path.with_suffix(".pkl")
    packed.write_bytes(pickle.dumps(_with_arrays(json.loads(path.read_text(encoding="utf-8")))))
    _read_pickle(truth, packed)


def _with_arrays(tree: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(tree, dict):
        return {int(key) if key.isdecimal() and len(key) < 9 else key: _with_arrays(tree[key]) for key in tree}
    if isinstance(tree, list) and tree and all(isinstance(row, list) for row in tree):
        with suppress(ValueError, OverflowError):
            return np.array(tree)
    return [_with_arrays(entry) for entry in tree] if isinstance(tree, list) else tree


def _read_content(weights: Mapping[str, Tensor], path: Path) -> None:
    """A checkpoint with a content given as JSON; its `shapes` are those of further or changed weights."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        shapes, names = content.pop("shapes", {}), content.get("class_names")
        base = slowfast() if "cfg" in content else weights
        content.setdefault("model_state", {**base, **{name: _weight(shape) for name, shape in _items(shapes)}})
        if isinstance(names, dict):
            content["class_names"] = {int(key) if key.isdecimal() else key: names[key] for key in names}
    checkpoint = path.with_suffix(".pt")
    torch.save(content, checkpoint)
    _read_checkpoint(checkpoint)


def _items(tree: Any) -> Iterable[tuple[str, Any]]:  # noqa: ANN401  (JSON)
    return tree.items() if isinstance(tree, dict) else ()


def _weight(shape: Any) -> object:  # noqa: ANN401  (JSON)
    try:
        return torch.zeros(1).expand(shape)
    except (TypeError, RuntimeError, OverflowError):
        return shape


def _read_checkpoint(path: Path) -> None:
    load_network(path, device="cpu")


def _read_person_detector(path: Path) -> None:
    build_person_detector(weights=path, device="cpu")


def _read_record(path: Path) -> None:
    """Files of avdet's own runs, damaged by a disk or an editor."""
    output = path.parent / "output"
    _read_by_one([partial(read, output) for read in (_results, _boxes, _note, _settings, _metrics, _manifest)], path)


def _results(output: Path, path: Path) -> None:
    for name in (path.stem, "other"):
        (output / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, output / name / "results.json")
    compare_runs([output / path.stem, output / "other"])


def _boxes(output: Path, path: Path) -> None:
    output.mkdir(exist_ok=True)
    table = output / f"{path.stem}.csv"
    table.write_text("v0,1,0,0,1,1,0.5,-1,--------\n" * 2, encoding="utf-8")
    shutil.copy(path, table.with_name(f"{table.name}.journal"))
    ResumableBoxesFile(table, {"a": 1}, {"v0": 1, "v1": 1})


def _note(output: Path, path: Path) -> None:
    parts = output / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, parts / f"{path.stem}.finished.json")
    job = VideoJob(path, path.stem)
    folder = ResumeFolder(output, {})
    folder.note(job), list(folder.notes())
    require_free_names(output, [job], [])


def _settings(output: Path, path: Path) -> None:
    parts = output / path.stem / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    (parts / "a.part").touch()
    shutil.copy(path, parts / "settings.json")
    ResumeFolder(output / path.stem, {"every": None})


def _metrics(output: Path, path: Path) -> None:
    folder = output / path.stem
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, folder / "metrics.jsonl")
    with MetricsLog(folder / "metrics.jsonl", resume_at=1):
        pass
    shutil.rmtree(folder)


def _manifest(_: Path, path: Path) -> None:
    read_manifest(path)


def _read_journal(path: Path) -> None:
    for content in ResumeJournal(path, JOURNAL_HEADER).contents():
        arrays_from_bytes(content)


def _read_image(path: Path) -> None:
    folder = path.parent / path.stem
    folder.mkdir()
    shutil.copy(path, folder / f"0000001{path.suffix}")
    try:
        with FramesDir(folder) as video:
            video.frames([0.0])
    finally:
        shutil.rmtree(folder)


def _read_media(path: Path) -> None:
    read_cache_key(path)
    frame_times(path)
    with VideoReader(path, short_side=32) as video:
        assert video.info.duration_s >= 0
        video.frames([0.0, 0.4, 1e6])
        if video.info.has_audio:
            video.audio(0.1, 0.5, 16000)
        list(islice(video.play(), 50))

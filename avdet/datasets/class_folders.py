"""Any folder of class folders: train/CLASS/clip.mp4, and val/CLASS/clip.mp4 or a part of train that is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from avdet.datasets.class_names import ClassNames
from avdet.datasets.classification import ClassificationConfig, ClassificationDataset
from avdet.datasets.dataset import Split
from avdet.datasets.draw_val import draw_val, group_names, one_sided
from avdet.datasets.segments import Segments
from avdet.datasets.video_files import VideoIndex, is_video, strip_video_suffix, videos_and_others

__all__ = ["ClassFolders", "ClassFoldersConfig", "read_class_folders", "read_folder_names"]


class ClassFoldersConfig(ClassificationConfig):
    """Own videos in folders of classes."""

    kind: Literal["folders"] = "folders"
    videos: Path = Field(Path("data/own/videos"), description="Folder of the split folders.")
    annotations: Path = Field(Path("data/own/videos"), description="Not used; the same folder.")
    train_folder: Path = Field(Path("train"), description="Folder of the training classes.")
    val_folder: Path = Field(
        Path("val"), description="Folder of the validation classes; if it does not exist, val is drawn from train."
    )
    val_fraction: float = Field(0.2, gt=0, lt=1, description="Fraction of the videos that is drawn for val.")
    group_by: str | None = Field(
        None, description="Regular expression in the videos' paths; videos with the same match are drawn together."
    )


class ClassFolders(ClassificationDataset[ClassFoldersConfig]):
    """The folders' names are the labels; there are no annotation files."""

    Config = ClassFoldersConfig

    def files(self, split: Split) -> dict[str, Path]:
        return {}

    def benchmark_classes(self) -> dict[str, ClassNames]:
        return {"action": read_folder_names(self.config.videos / self.config.train_folder)}

    def read_segments(
        self, split: Split, classes: Mapping[str, ClassNames], videos: VideoIndex
    ) -> tuple[Segments, list[str]]:
        config, names = self.config, classes["action"]
        if (config.videos / config.val_folder).is_dir():
            folder = config.train_folder if split == "train" else config.val_folder
            return read_class_folders(config.videos, folder, names)
        segments, faults = read_class_folders(config.videos, config.train_folder, names)
        labels = {
            str(video): [names.names[i]] for video, i in zip(segments.videos, segments.labels["action"], strict=True)
        }
        groups = group_names(labels, config.group_by)
        val = draw_val(labels, groups, fraction=config.val_fraction, seed=0)
        alone = one_sided(labels, groups, val)
        if alone:
            faults.append(f"{len(alone)} classes are in train or val alone, such as {alone[0]}; add videos")
        return segments.select(np.array([(video in val) == (split == "val") for video in segments.videos])), faults


def read_folder_names(folder: Path) -> ClassNames:
    """The names of the folders in `folder` as classes."""
    folders = folder.iterdir() if folder.is_dir() else ()
    names = sorted(path.name for path in folders if path.is_dir() and not path.name.startswith("."))
    if not names:
        raise ValueError(f"{folder} has no class folder; put the clips of each class into {folder}/CLASS")
    return ClassNames.numbered(names)


def read_class_folders(root: Path, split_folder: Path, classes: ClassNames) -> tuple[Segments, list[str]]:
    """Every clip of `root/split_folder/CLASS`, and sentences on empty classes and skipped files.

    Raises ValueError for a folder that is not one of `classes`.
    """
    folder = root / split_folder
    unknown = set(read_folder_names(folder).names) - set(classes.names)
    if unknown:
        raise ValueError(
            f"{folder} has the class {min(unknown)!r}, which training does not have; add its clips there or remove the "
            "folder"
        )
    files = {name: videos_and_others(folder / name) for name in classes.names}
    paths = [path for videos, _ in files.values() for path in videos]
    names = [strip_video_suffix(path.relative_to(root).as_posix()) for path in paths]
    if len(set(names)) < len(names):
        name = max(names, key=names.count)
        one, other = [path.name for path, own in zip(paths, names, strict=True) if own == name][:2]
        raise ValueError(f"{root / name}: {one} and {other} differ only in their suffix; rename one of them")
    labels = [classes.names.index(path.relative_to(folder).parts[0]) for path in paths]
    segments = Segments.whole_videos(np.array(names, object), {"action": np.array(labels, np.int64)})
    return segments, _skipped(folder, files)


def _skipped(folder: Path, files: Mapping[str, tuple[list[Path], list[Path]]]) -> list[str]:
    """files: videos and other files by class."""
    empty = [name for name, (videos, _) in files.items() if not videos]
    others = [path for _, found in files.values() for path in found]
    outside = [path for path in sorted(folder.iterdir()) if path.is_file() and is_video(path)]
    faults = []
    if empty:
        faults.append(f"{len(empty)} of {len(files)} classes have no video in {folder}, such as {empty[0]}")
    if others:
        suffixes = ", ".join(sorted({path.suffix.lower() or "no suffix" for path in others}))
        faults.append(
            f"{len(others):,} files in {folder} do not have a video's name ({suffixes}; first: {others[0]}); skipped"
        )
    if outside:
        faults.append(f"{len(outside):,} videos lie outside the class folders, such as {outside[0]}; skipped")
    return faults

"""UCF101 and HMDB51 by their official lists, and any folder of classes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from avdet.datasets.keyframes import ClassNames
from avdet.datasets.segments import Segments, foreign_classes
from avdet.datasets.tables import read_lines
from avdet.datasets.video_files import name_of
from avdet.datasets.videos import files_below, is_video

__all__ = ["folder_classes", "hmdb51_classes", "read_folders", "read_hmdb51", "read_ucf101", "ucf101_classes"]

Split = Literal["train", "val"]
HMDB_FLAGS = {"train": "1", "val": "2"}  # 0: in neither


def folder_classes(folder: Path) -> ClassNames:
    """The names of the folders in `folder`."""
    folders = folder.iterdir() if folder.is_dir() else ()
    names = sorted(path.name for path in folders if path.is_dir() and not path.name.startswith("."))
    if not names:
        raise ValueError(f"{folder} holds no folder of a class; put the clips of each class into {folder}/CLASS")
    return _classes(names)


def read_folders(root: Path, split_folder: Path, classes: ClassNames) -> tuple[Segments, list[str]]:
    """Every clip of `root/split_folder/CLASS`; classes without one and other files are counted, in sentences.

    Raises ValueError for a folder that is no class.
    """
    unknown = set(folder_classes(root / split_folder).names) - set(classes.names)
    if unknown:
        raise ValueError(
            f"{root / split_folder} has the class {min(unknown)!r}, which training does not have; add its clips there "
            "or remove the folder"
        )
    files = {name: files_below(root / split_folder / name) for name in classes.names}
    paths = [path for found in files.values() for path in found if is_video(path)]
    names = [path.relative_to(root).with_suffix("").as_posix() for path in paths]
    if len(set(names)) < len(names):
        name = max(names, key=names.count)
        one, other = [path.name for path, own in zip(paths, names, strict=True) if own == name][:2]
        raise ValueError(f"{root / name}: {one} and {other} differ in their suffix alone; rename one of them")
    folders = [path.relative_to(root / split_folder).parts[0] for path in paths]
    loose = [path for path in sorted((root / split_folder).iterdir()) if path.is_file() and is_video(path)]
    faults = _passed_over(root / split_folder, files)
    if loose:
        faults.append(f"{len(loose):,} videos lie beside the folders of classes, such as {loose[0]}; left out")
    return _whole_clips(names, folders, classes), faults


def _passed_over(folder: Path, files: Mapping[str, Sequence[Path]]) -> list[str]:
    empty = [name for name, found in files.items() if not any(map(is_video, found))]
    others = [path for found in files.values() for path in found if not is_video(path)]
    faults = []
    if empty:
        faults.append(f"{len(empty)} of {len(files)} classes have no video in {folder}, such as {empty[0]}")
    if others:
        kinds = ", ".join(sorted({path.suffix.lower() or "no suffix" for path in others}))
        faults.append(
            f"{len(others):,} files in {folder} have no name of a video ({kinds}; first: {others[0]}); left out"
        )
    return faults


def ucf101_classes(annotations: Path) -> ClassNames:
    """classInd.txt: `1 ApplyEyeMakeup` a line."""
    path = annotations / "classInd.txt"
    names = [line.split()[-1] for line in read_lines(path)]
    if not names or len(set(names)) < len(names):
        fault = f"names {max(names, key=names.count)!r} twice" if names else "names no class"
        raise ValueError(f"{path} {fault}; give UCF101's own list of classes")
    return _classes(names)


def read_ucf101(annotations: Path, split: Literal[1, 2, 3], part: Split, classes: ClassNames) -> Segments:
    """trainlistNN.txt or testlistNN.txt: `Class/v_Class_g01_c01.avi`, in the training lists with a number beside it."""
    path = annotations / f"{'train' if part == 'train' else 'test'}list{split:02d}.txt"
    lines = [re.sub(r"\s+\d+$", "", line).replace("\\", "/") for line in read_lines(path)]
    folders = [PurePosixPath(line).parent.name for line in lines]
    unknown = [folder for folder in folders if folder not in classes.names]
    if unknown:
        raise foreign_classes(unknown, classes, path)
    return _whole_clips([name_of(line) for line in lines], folders, classes)


def hmdb51_classes(annotations: Path, split: Literal[1, 2, 3]) -> ClassNames:
    """Every CLASS_test_splitN.txt is a class. Raises ValueError where the splits do not have the same."""
    of_all, own = _hmdb51_lists(annotations, "[123]"), _hmdb51_lists(annotations, str(split))
    if missing := sorted(of_all - own):
        raise ValueError(
            f"{annotations} lacks {len(missing)} of {len(of_all)} classes' lists of split {split}, such as "
            f"{missing[0]}_test_split{split}.txt; unpack all of HMDB51's lists there"
        )
    return _classes(sorted(own))


def _hmdb51_lists(annotations: Path, split: str) -> set[str]:
    return {re.sub(r"_test_split\d", "", path.stem) for path in annotations.glob(f"[!.]*_test_split{split}.txt")}


def read_hmdb51(annotations: Path, split: Literal[1, 2, 3], part: Split, classes: ClassNames) -> Segments:
    """CLASS_test_splitN.txt: `clip.avi 1` (training), 2 (test) or 0 (neither) a line."""
    names, folders = [], []
    for folder in classes.names:
        path = annotations / f"{folder}_test_split{split}.txt"
        for line in read_lines(path):
            clip, flag = (["", *line.rsplit(None, 1)])[-2:]
            if flag not in {"0", "1", "2"} or not clip:
                raise ValueError(f"{path} has the line {line!r}; HMDB51's lists say `clip.avi 0`, 1 or 2")
            if flag == HMDB_FLAGS[part]:
                names.append(f"{folder}/{name_of(clip.strip())}")
                folders.append(folder)
    return _whole_clips(names, folders, classes)


def _classes(names: Sequence[str]) -> ClassNames:
    return ClassNames(tuple(range(len(names))), tuple(names))


def _whole_clips(names: Sequence[str], folders: Sequence[str], classes: ClassNames) -> Segments:
    index = {name: i for i, name in enumerate(classes.names)}
    labels = {"action": np.array([index[folder] for folder in folders], np.int64)}
    column = np.array(names, object)
    return Segments(column, column, np.zeros(len(names)), np.full(len(names), np.inf), labels)

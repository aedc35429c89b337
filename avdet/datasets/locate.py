"""Is the data set there? Asked before anything slow is imported, so that the answer takes no second."""

from __future__ import annotations

from pathlib import Path

from avdet.datasets.data_settings import Data, EpicData, FoldersData, Hmdb51Data, Ucf101Data

__all__ = ["annotation_files", "require_data"]

HOW_TO_GET_IT = {"ava": "docs/data.md"}  # and docs/benchmarks.md of all other kinds
SETTINGS = {  # of a split's annotation files, by kind of data
    "ava": ("label_map", "{split}_csv", "{split}_excluded", "{split}_boxes"),
    "kinetics": ("label_map", "classes", "{split}_csv"),
    "charades": ("label_map", "{split}_csv"),
    "epic": (
        "verb_classes", "noun_classes", "train_csv", "{split}_csv", "unseen_participants", "tail_verbs", "tail_nouns",
        "many_shot_verbs", "many_shot_nouns", "many_shot_actions",
    ),
}  # fmt: skip


def annotation_files(data: Data, split: str) -> dict[str, Path]:
    """The annotation files that a split ("train" or "val") reads, by the name of their setting."""
    if isinstance(data, FoldersData):
        return {}
    if isinstance(data, Ucf101Data):
        lists = f"{'train' if split == 'train' else 'test'}list{data.split:02d}.txt"
        return {f"data.annotations' {name}": data.annotations / name for name in ("classInd.txt", lists)}
    if isinstance(data, Hmdb51Data):
        found = sorted(data.annotations.glob(f"*_test_split{data.split}.txt"))
        missing = data.annotations / f"CLASS_test_split{data.split}.txt"
        return {f"data.annotations' {path.name}": path for path in found or [missing]}
    names = [name.format(split=split) for name in SETTINGS[data.kind]]
    if isinstance(data, EpicData) and data.val_participants:
        names = [name for name in names if name != "val_csv"]  # their rows are held out of train_csv
    files = {f"data.{name}": getattr(data, name, None) for name in names}
    return {setting: data.annotations / file for setting, file in files.items() if file is not None}


def require_data(data: Data, splits: tuple[str, ...] = ("train", "val")) -> None:
    """Raises ValueError that names what is missing, where it was looked for and what to do."""
    wanted = {"data.videos": data.videos}
    if not isinstance(data, FoldersData):
        wanted["data.annotations"] = data.annotations
    missing = {setting: path for setting, path in wanted.items() if not path.is_dir()}
    if "data.annotations" not in missing:
        files = {k: v for split in splits for k, v in annotation_files(data, split).items()}
        missing |= {setting: path for setting, path in files.items() if not path.is_file()}
    if missing:
        looked = ", ".join(f"{path.absolute()} ({setting})" for setting, path in missing.items())
        if all(setting.endswith("_boxes") for setting in missing):
            split = next(iter(missing)).removeprefix("data.").removesuffix("_boxes")
            raise ValueError(
                f"The people of {split} are not there: looked for {looked}; tools/detect_people.py --config CONFIG "
                f"--split {split} --output FILE finds them"
            )
        page = HOW_TO_GET_IT.get(data.kind, "docs/benchmarks.md")
        raise ValueError(
            f"The data is not there: looked for {looked}. {page} says how to get it and where to put it; to run the "
            "same recipe now on the built-in sample set, add --sample"
        )

"""Is the data set there? Asked before anything slow is imported, so that the answer takes no second."""

from __future__ import annotations

from pathlib import Path

from avdet.settings import DataConfig

__all__ = ["annotation_files", "require_data"]

HOW_TO_GET_IT = "docs/data.md"


def annotation_files(data: DataConfig, split: str) -> dict[str, Path]:
    """The annotation files that a split ("train" or "val") reads, by the name of their setting."""
    names = ["label_map", f"{split}_csv", f"{split}_excluded", f"{split}_boxes"]
    files = {f"data.{name}": getattr(data, name) for name in names}
    return {setting: data.annotations / file for setting, file in files.items() if file is not None}


def require_data(data: DataConfig, splits: tuple[str, ...] = ("train", "val")) -> None:
    """Raises ValueError that names what is missing, where it was looked for and what to do."""
    wanted = {"data.videos": data.videos, "data.annotations": data.annotations}
    missing = {setting: path for setting, path in wanted.items() if not path.is_dir()}
    if "data.annotations" not in missing:
        files = {k: v for split in splits for k, v in annotation_files(data, split).items()}
        missing |= {setting: path for setting, path in files.items() if not path.is_file()}
    if missing:
        looked = ", ".join(f"{path.absolute()} ({setting})" for setting, path in missing.items())
        raise ValueError(
            f"The data is not there: looked for {looked}. {HOW_TO_GET_IT} says how to get it and where to put it; to "
            "run the same recipe now on the built-in sample set, add --sample"
        )

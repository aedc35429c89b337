"""Saves and loads checkpoints: one file holds weights, settings, class names and, to resume, the training state.

Files are written atomically and read with torch's weights_only unpickler, which refuses files that would run code.
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path
from types import NoneType
from typing import Any

import torch
from torch import Tensor

from avdet.atomic_write import atomic_write
from avdet.checkpoints.check_content import content_fault
from avdet.checkpoints.weights import LoadReport, load_state, select_classes

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "LoadReport",
    "UnsafeContentError",
    "keep_previous",
    "load_checkpoint",
    "load_newest",
    "load_weights",
    "parse_checkpoint",
    "read_tensors",
    "save_checkpoint",
]

logger = logging.getLogger(__name__)
# What torch's unpickler reports if a file names anything but tensors and plain data.
_CODE_PHRASES = ("GLOBAL", "Trying to call", "Trying to instantiate", "Can only build")
FORMAT = "avdet"
_MAX_EXPANSION = 10
VERSION = 2  # 1: avdet 0.1, with other names of settings and tensors
_TYPES = {
    "version": int, "model_state": dict, "config": dict, "class_names": dict, "training_state": dict | NoneType,
}  # fmt: skip


class CheckpointError(ValueError):
    """A checkpoint file cannot be read or written."""


class UnsafeContentError(CheckpointError):
    """A checkpoint file holds objects other than tensors and plain data."""


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint file.

    class_names: by class id. training_state: what resuming needs; None in a file for inference.
    """

    model_state: dict[str, Tensor]
    config: dict[str, Any]
    class_names: dict[int, str]
    training_state: dict[str, Any] | None


def save_checkpoint(
    path: Path,
    *,
    model_state: Mapping[str, Tensor],
    config: Mapping[str, Any],
    class_names: Mapping[int, str],
    training_state: Mapping[str, Any] | None = None,
) -> None:
    """Writes a checkpoint atomically; it may hold only tensors and plain data.

    Raises CheckpointError if the disk cannot take it; the previous file stays.
    """
    content = {
        "format": FORMAT,
        "version": VERSION,
        "model_state": dict(model_state),
        "config": dict(config),
        "class_names": dict(class_names),
        "training_state": None if training_state is None else dict(training_state),
    }
    try:
        with atomic_write(path) as partial, partial.open("wb") as file:
            torch.save(content, file)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        reason = " ".join(str(error).split())[:120]
        previous = "; the previous checkpoint is intact" if path.exists() else ""
        raise CheckpointError(
            f"{path} cannot be written ({reason}){previous}; free disk space and continue with --resume"
        ) from None


def keep_previous(path: Path, count: int) -> None:
    """Keeps `path`, before it is rewritten, also as NAME-1, the one before as NAME-2, and so on up to NAME-`count`.

    Continues where a killed process stopped: two names of one file are already rotated.
    """
    names = [path, *(path.with_name(f"{path.stem}-{age}{path.suffix}") for age in range(1, count + 1))]
    pending = list(takewhile(lambda pair: not _are_same_file(*pair), pairwise(names)))
    for newer, older in reversed(pending):
        if newer.exists():
            with atomic_write(older) as partial:
                try:
                    os.link(newer, partial)  # a link instead of a move: `path` exists at all times
                except OSError:
                    shutil.copyfile(newer, partial)


def _are_same_file(newer: Path, older: Path) -> bool:
    return newer.exists() and older.exists() and older.samefile(newer)


def load_newest(path: Path) -> Checkpoint:
    """Loads `path` or, if it cannot be read, the newest readable NAME-1, NAME-2, ..; logs a warning.

    Raises the CheckpointError of `path` if none can be read.
    """
    try:
        return load_checkpoint(path)
    except CheckpointError as error:
        older = sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"), key=lambda p: (len(p.name), p.name))
        for previous in older:
            with suppress(CheckpointError):
                checkpoint = load_checkpoint(previous)
                logger.warning("%s; continuing with %s", error, previous)
                return checkpoint
        raise


def load_checkpoint(path: Path) -> Checkpoint:
    """Loads a checkpoint to the CPU. Raises CheckpointError if there is none or avdet did not write it."""
    return parse_checkpoint(read_tensors(path), path)


def parse_checkpoint(content: Any, path: Path) -> Checkpoint:  # noqa: ANN401  (any content)
    """Checks the content of the file at `path`. Raises CheckpointError if it is none of avdet's checkpoints."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is a PyTorch file but not a checkpoint of avdet; convert one of another code base with "
            "tools/convert_checkpoint.py"
        )
    invalid = [name for name, kind in _TYPES.items() if not isinstance(content.get(name, ...), kind)]
    if invalid:
        raise CheckpointError(f"{path} has no valid entry {invalid[0]!r}; use another checkpoint")
    if content["version"] < VERSION:
        raise CheckpointError(
            f"{path} was written by avdet 0.1, whose settings and tensors have other names; use it with that version "
            "or train again"
        )
    if content["version"] > VERSION:
        raise CheckpointError(
            f"{path} has format version {content['version']}, but this avdet reads up to {VERSION}; update avdet"
        )
    fault = content_fault(content["model_state"], content["class_names"], content["config"])
    if fault is not None:
        raise CheckpointError(f"{path} {fault}")
    return Checkpoint(content["model_state"], content["config"], content["class_names"], content["training_state"])


def load_weights(
    model: torch.nn.Module, checkpoint: Checkpoint, class_names: Mapping[int, str] | None = None
) -> LoadReport:
    """Loads a checkpoint whose head or modality may differ into `model`; reports loaded, new and unused tensors.

    class_names: the data set's, by id. If the checkpoint has all of these names, the head takes their rows (say, 60 of
    AVA's 80); otherwise it is re-initialised. With None, a head of the same size is loaded as it is.
    Raises ValueError if less than 90 % of the backbone matches.
    """
    state = checkpoint.model_state
    if class_names is not None:
        state = select_classes(state, checkpoint.class_names, class_names)
    return load_state(model, state)


def read_tensors(path: Path) -> Any:  # noqa: ANN401  (any content)
    """Returns the tensors and plain data of any file written by torch.save. Raises CheckpointError."""
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint at {path}; give the path of a .pt file")
    _refuse_expansion(path)
    if _is_damaged(path):
        raise CheckpointError(f"{path} is damaged: a checksum does not match; copy it again")
    if not _has_torch_magic(path):
        raise CheckpointError(f"{path} is not a PyTorch file; give a checkpoint of avdet or torch.save")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if any(phrase in str(error) for phrase in _CODE_PHRASES):
            raise UnsafeContentError(
                f"{path} holds more than tensors and plain data and might run code when read, so it is refused"
            ) from None
        raise CheckpointError(
            f"{path} is not a PyTorch file; give a checkpoint written by avdet or torch.save"
        ) from None
    except Exception as error:  # a damaged pickle can raise any exception
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise CheckpointError(f"{path} cannot be read and is probably cut short ({reason}); copy it again") from None


def _has_torch_magic(path: Path) -> bool:
    """Whether it starts as a zip archive or a pickle, or is empty: torch's error for a text file is not readable."""
    with path.open("rb") as file:
        return file.read(1) in {b"P", b"\x80", b""}


def _refuse_expansion(path: Path) -> None:
    """Raises CheckpointError for a zip archive that expands far beyond its size: torch compresses nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            expanded = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # no archive, or a damaged one
    if expanded > _MAX_EXPANSION * path.stat().st_size:
        raise CheckpointError(f"{path} expands to {expanded / 1e6:,.0f} MB, so it is refused; use the original file")


def _is_damaged(path: Path) -> bool:
    """Checks the checksums of the zip archive, which torch.load ignores."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is not None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError):
        return True

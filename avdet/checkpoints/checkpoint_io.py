"""One file a checkpoint: weights, settings and class names together, written whole or not at all.

Files are read with torch's weights_only unpickler: a file that wants to run code is refused.
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

from avdet.checkpoints.weights import LoadReport, choose_classes, load_state

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "LoadReport",
    "keep_previous",
    "load_checkpoint",
    "load_newest",
    "load_weights",
    "save_checkpoint",
]

logger = logging.getLogger(__name__)
FORMAT = "avdet"
VERSION = 1
_KINDS = {
    "version": int, "model_state": dict, "config": dict, "class_names": dict, "training_state": dict | NoneType,
}  # fmt: skip


class CheckpointError(ValueError):
    """A file that is no checkpoint of ours: which one, why, the next step."""


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds. `class_names`: by class id; `training_state`: what resuming needs, else None."""

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
    """Writes beside the file, then takes its place: a crash leaves the old one. Tensors and plain data only.

    Raises CheckpointError where the disk does not take it; the old one stands.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "model_state": dict(model_state),
        "config": dict(config),
        "class_names": dict(class_names),
        "training_state": None if training_state is None else dict(training_state),
    }
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch's own writer reports a full disk as the latter
        reason = " ".join(str(error).split())[:120]
        stands = "; the one before it still stands" if path.exists() else ""
        raise CheckpointError(
            f"{path} cannot be written ({reason}){stands}; make room and go on with --resume"
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def keep_previous(path: Path, count: int) -> None:
    """Before `path` is written anew: the old one also stands as NAME-1, the one before as NAME-2, up to `count`.

    Where a process was killed in the midst of this, some of it is done already: two names are of one file.
    """
    names = [path, *previous_of(path, count)]
    left = list(takewhile(lambda pair: not _are_one(*pair), pairwise(names)))
    for newer, older in reversed(left):
        if newer.exists():
            beside = older.with_name(f".{older.name}.{os.getpid()}.part")
            try:
                os.link(newer, beside)  # not moved: at every moment there is one under its own name
            except OSError:
                shutil.copyfile(newer, beside)
            beside.replace(older)


def _are_one(newer: Path, older: Path) -> bool:
    return newer.exists() and older.exists() and older.samefile(newer)


def remove_unfinished(folder: Path) -> None:
    """What processes that were killed left of the files they were writing."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)


def previous_of(path: Path, count: int) -> list[Path]:
    """last-1.pt, last-2.pt, ... of last.pt, whether they are there or not."""
    return [path.with_name(f"{path.stem}-{age}{path.suffix}") for age in range(1, count + 1)]


def load_newest(path: Path) -> Checkpoint:
    """`path`, or where it cannot be read the newest of its previous ones that can; a warning says so.

    Raises the CheckpointError of `path` where none can.
    """
    try:
        return load_checkpoint(path)
    except CheckpointError as error:
        older = sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"), key=lambda p: (len(p.name), p.name))
        for previous in older:
            with suppress(CheckpointError):
                checkpoint = load_checkpoint(previous)
                logger.warning("%s; going on with %s", error, previous)
                return checkpoint
        raise


def load_checkpoint(path: Path) -> Checkpoint:
    """On the CPU. Raises CheckpointError where there is none, or none of ours."""
    content = read_tensors(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is a PyTorch file but no checkpoint of avdet; if PySlowFast or AVSlowFast wrote it, convert it "
            "with tools/convert_checkpoint.py"
        )
    wrong = [name for name, kind in _KINDS.items() if not isinstance(content.get(name, ...), kind)]
    if wrong:
        raise CheckpointError(
            f"{path} lacks {wrong[0]}, or holds something else there than checkpoints of avdet do; take another one"
        )
    if content["version"] > VERSION:
        raise CheckpointError(
            f"{path} has format version {content['version']}, this avdet reads up to {VERSION}; update avdet"
        )
    return Checkpoint(content["model_state"], content["config"], content["class_names"], content["training_state"])


def load_weights(
    model: torch.nn.Module, checkpoint: Checkpoint, class_names: Mapping[int, str] | None = None
) -> LoadReport:
    """Fills `model` from a checkpoint whose head or modality may differ; says what was loaded, new and unused.

    class_names: the data's, by id. Where the checkpoint knows them all by name, its head's rows for them are taken (60
    of AVA's 80, say); where it does not, the head starts anew. Without them, a head of the same size is taken as it is.
    Raises ValueError where less than 90 % of the trunk fits.
    """
    state = checkpoint.model_state
    if class_names is not None:
        state = choose_classes(state, checkpoint.class_names, class_names)
    return load_state(model, state)


def read_tensors(path: Path) -> Any:  # noqa: ANN401  (whatever the file holds)
    """Tensors and plain data of a file that torch.save wrote, by anybody."""
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint at {path}; give the path of a .pt file")
    if _is_damaged(path):
        raise CheckpointError(f"{path} is damaged: its checksums do not fit its bytes; copy it again")
    if not _begins_well(path):
        raise CheckpointError(f"{path} is no PyTorch file; give a checkpoint that avdet or torch.save wrote")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if any(sign in str(error) for sign in ("GLOBAL", "Trying to call", "Trying to instantiate", "Can only build")):
            raise CheckpointError(
                f"{path} holds more than tensors and plain data and might run code when read; it is refused"
            ) from None
        raise CheckpointError(f"{path} is no PyTorch file; give a checkpoint that avdet or torch.save wrote") from None
    except Exception as error:  # what broken pickles raise has no end
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise CheckpointError(f"{path} cannot be read and is probably cut short ({reason}); copy it again") from None


def _begins_well(path: Path) -> bool:
    """As a zip archive or a pickle: of a text torch says only the code of a letter. An empty file is cut short."""
    with path.open("rb") as file:
        return file.read(1) in {b"P", b"\x80", b""}


def _is_damaged(path: Path) -> bool:
    """torch writes zip archives and does not look at their checksums when it reads them."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is not None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError):
        return True

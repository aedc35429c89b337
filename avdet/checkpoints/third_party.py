"""Reads checkpoints of PySlowFast, AVSlowFast, Caffe2, PyTorchVideo, MMAction2 and GluonCV without running code."""

from __future__ import annotations

import logging
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ava_eval.restricted_unpickler import REFUSED, restricted_load
from avdet.checkpoints.check_content import weights_fault
from avdet.checkpoints.checkpoint_io import (
    FORMAT,
    Checkpoint,
    CheckpointError,
    UnsafeContentError,
    parse_checkpoint,
    read_tensors,
)
from avdet.checkpoints.convert import from_caffe2, from_gluoncv, from_mmaction2, from_pytorchvideo, from_reference
from avdet.checkpoints.infer_config import infer_model_settings
from avdet.checkpoints.public_class_names import public_class_names
from avdet.checkpoints.published_settings import gluoncv_settings, mmaction2_settings, pytorchvideo_settings
from avdet.checkpoints.pyslowfast_config import Settings, pyslowfast_settings

__all__ = ["CLASSIFIER", "ThirdPartyCheckpoint", "load_any_checkpoint", "read_third_party"]

logger = logging.getLogger(__name__)
TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle in files of torch before 1.6
CLASSIFIER = "head.classifier.linear.action.bias"
WRAPPERS = ("module.", "_orig_mod.", "model.")  # DataParallel's, torch.compile's and Lightning's
SHARED_HEAD = "roi_head.shared_head."


@dataclass(frozen=True)
class ThirdPartyCheckpoint:
    """Weights under avdet's names.

    settings: what the file determines of sections model and data; without `slow_frames` if it does not tell the number
    of input frames.
    """

    code_base: str
    model_state: dict[str, Tensor]
    settings: Settings

    @property
    def has_all_settings(self) -> bool:
        return "slow_frames" in self.settings["model"]

    @property
    def num_classes(self) -> int:
        return len(self.model_state[CLASSIFIER])

    def class_names(self) -> dict[int, str]:
        """The public list with as many classes, because the files hold no names; logs which."""
        kind = self.settings["data"].get("kind")
        return public_class_names(self.num_classes, detector=None if kind is None else kind == "ava")


def load_any_checkpoint(path: Path, *, needs_settings: bool = True) -> Checkpoint:
    """Loads a checkpoint of avdet, or of another code base as it is. Raises CheckpointError if it is neither.

    needs_settings: raises CheckpointError for a file that does not determine the model; else its config may be empty.
    """
    content = _read_any(path)
    if isinstance(content, dict) and content.get("format") == FORMAT:
        return parse_checkpoint(content, path)
    foreign = _convert(content, path)
    if needs_settings and not foreign.has_all_settings:
        raise CheckpointError(
            f"{path} does not contain the number of input frames; convert it with tools/convert_checkpoint.py and the "
            "--config that docs/model_zoo.md lists for it"
        )
    logger.info("%s: %s's checkpoint, %d tensors", path, foreign.code_base, len(foreign.model_state))
    config = {"name": path.stem, **foreign.settings} if foreign.has_all_settings else {}
    return Checkpoint(foreign.model_state, config, foreign.class_names(), None)


def read_third_party(path: Path) -> ThirdPartyCheckpoint:
    """Reads the checkpoint of another code base, recognised by its content instead of its suffix.

    Raises CheckpointError if the file is of none of them, is truncated, would run code, or has a part that avdet lacks.
    """
    content = _read_any(path)
    if isinstance(content, dict) and content.get("format") == FORMAT:
        raise CheckpointError(f"{path} is already a checkpoint of avdet; use it directly")
    return _convert(content, path)


def _convert(content: Any, path: Path) -> ThirdPartyCheckpoint:  # noqa: ANN401  (any content)
    try:
        foreign = _recognise(content, path)
    except CheckpointError:
        raise
    except ValueError as error:
        reason = str(error)
        raise CheckpointError(f"{path}: {reason[0].lower()}{reason[1:]}") from None
    if CLASSIFIER not in foreign.model_state:
        raise CheckpointError(f"{path} has no classifier, so it is no complete model; give a trained checkpoint")
    fault = weights_fault(foreign.model_state)
    if fault is not None:
        raise CheckpointError(f"{path} {fault}")
    return foreign


def _recognise(content: Any, path: Path) -> ThirdPartyCheckpoint:  # noqa: ANN401  (any content)
    if isinstance(content, dict) and isinstance(content.get("blobs"), dict):
        arrays = {name: blob for name, blob in content["blobs"].items() if not isinstance(blob, str | bytes)}
        _check_entries(np.ndarray | np.generic | int | float, arrays, path)
        state = from_caffe2({name: torch.from_numpy(np.asarray(blob)) for name, blob in arrays.items()})
        return ThirdPartyCheckpoint("Caffe2", state, {"model": infer_model_settings(state), "data": {}})
    tensors = _state_dict(content)
    if not tensors:
        raise CheckpointError(
            f"{path} has neither model_state (PySlowFast, AVSlowFast, PyTorchVideo) nor state_dict (MMAction2) nor "
            "blobs (Caffe2) nor tensors alone (GluonCV); give a checkpoint of one of them"
        )
    _check_entries(Tensor, tensors, path)
    tensors = {_unwrapped(name): tensor for name, tensor in tensors.items()}
    shared = next((name for name in tensors if name.startswith(SHARED_HEAD)), None)
    if shared is not None:
        raise ValueError(
            f"The file holds {shared} of MMAction2's shared head (LFB or ACRN), which avdet does not have; give a "
            "model with the plain head"
        )
    if any(name.startswith("blocks.0.") for name in tensors):
        return _pytorchvideo(tensors, path)
    if any(name.startswith(("backbone.slow_path.", "backbone.conv1.")) for name in tensors):
        return _mmaction2(tensors, content.get("meta"), path)
    if "slow_conv1.weight" in tensors:
        return _gluoncv(tensors, path)
    return _pyslowfast(tensors, content.get("cfg"))


def _state_dict(content: Any) -> dict[Any, Any]:  # noqa: ANN401  (any content)
    """The named weights: an entry of the file, or the file itself."""
    if not isinstance(content, dict):
        return {}
    for entry in ("model_state", "state_dict"):
        if isinstance(content.get(entry), dict):
            return dict(content[entry])
    return content if all(isinstance(value, Tensor) for value in content.values()) else {}


def _unwrapped(name: str) -> str:
    for prefix in WRAPPERS:
        name = name.removeprefix(prefix)
    return name


def _pyslowfast(tensors: dict[str, Tensor], text: object) -> ThirdPartyCheckpoint:
    state = from_reference(tensors)
    settings: Settings = {"model": infer_model_settings(state), "data": {}}
    if isinstance(text, str):
        known = pyslowfast_settings(text)
        settings = {"model": {**settings["model"], **known["model"]}, "data": known["data"]}
    return ThirdPartyCheckpoint("PySlowFast", state, settings)


def _pytorchvideo(tensors: dict[str, Tensor], path: Path) -> ThirdPartyCheckpoint:
    state = from_pytorchvideo(tensors)
    model = infer_model_settings(state)
    num_classes, detector = len(state.get(CLASSIFIER, ())), "detection_head.proj.weight" in tensors
    known = pytorchvideo_settings(model, path.name, num_classes=num_classes, detector=detector)
    return ThirdPartyCheckpoint("PyTorchVideo", state, {"model": {**model, **known["model"]}, "data": known["data"]})


def _mmaction2(tensors: dict[str, Tensor], meta: object, path: Path) -> ThirdPartyCheckpoint:
    texts = [meta.get(name) for name in ("cfg", "config")] if isinstance(meta, dict) else []
    text = "\n".join([path.name, *(text for text in texts if isinstance(text, str))])
    state = from_mmaction2(tensors)
    model = infer_model_settings(state)
    known = mmaction2_settings(model, text, detector="roi_head.bbox_head.fc_cls.weight" in tensors)
    return ThirdPartyCheckpoint("MMAction2", state, {"model": {**model, **known["model"]}, "data": known["data"]})


def _gluoncv(tensors: dict[str, Tensor], path: Path) -> ThirdPartyCheckpoint:
    state = from_gluoncv(tensors)
    model = infer_model_settings(state)
    known = gluoncv_settings(model, path.name, num_classes=len(state.get(CLASSIFIER, ())))
    return ThirdPartyCheckpoint("GluonCV", state, {"model": {**model, **known["model"]}, "data": known["data"]})


def _check_entries(kind: type | UnionType, entries: dict[Any, Any], path: Path) -> None:
    invalid = next((name for name, x in entries.items() if not (isinstance(name, str) and isinstance(x, kind))), None)
    if invalid is not None:
        raise CheckpointError(f"{path} holds {invalid!r}, which is not a named weight; give the original checkpoint")


def _read_any(path: Path) -> Any:  # noqa: ANN401  (any content)
    if not path.is_file() or _is_archive(path):  # torch writes zip archives
        return _read_torch(path)
    try:
        content = restricted_load(path)
    except ValueError as error:
        raise CheckpointError(str(error)) from None
    return _read_torch(path) if content == TORCH_LEGACY_MAGIC else content


def _read_torch(path: Path) -> Any:  # noqa: ANN401  (any content)
    try:
        return read_tensors(path)
    except UnsafeContentError:
        try:
            return _load_stepping_over(path)
        except ValueError as error:
            raise CheckpointError(str(error)) from None


def _is_archive(path: Path) -> bool:
    """Checks the first bytes only, because zipfile does not recognise a truncated archive."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _load_stepping_over(path: Path) -> Any:  # noqa: ANN401  (any content)
    """Returns the tensors and plain data of a file of torch.save, with a `SteppedOver` for each OpenMMLab object.

    Runs no code of the file. Raises ValueError if it names anything else.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=False, pickle_module=_TorchPickle)
    except pickle.UnpicklingError as error:
        raise ValueError(f"{path} is refused: {error}; get it as tensors from a source you trust") from None
    except OSError:
        raise
    except Exception as error:  # a damaged pickle can raise any exception
        raise ValueError(f"{path} cannot be read ({type(error).__name__}); download it again") from None


class SteppedOver:
    """Stands for an object of a file: takes any arguments, state and items, and keeps none."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def ignore(self, *_: object) -> None:
        pass

    __setstate__ = __setitem__ = append = extend = add = ignore


class _TorchUnpickler(pickle.Unpickler):
    """Resolves what rebuilds tensors; torch itself resolves their storages."""

    ALLOWED: Mapping[tuple[str, str], object] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch", "Size"): torch.Size,
        ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
        ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
    }
    # Of MMEngine's `meta` and `message_hub`: objects, their values, and getattr, which names their methods.
    STEPPED_OVER = frozenset({"mmaction", "mmcv", "mmdet", "mmengine", "numpy", "collections", "datetime"})
    GETATTR = frozenset({("__builtin__", "getattr"), ("builtins", "getattr")})

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  (the base class returns Any)
        known = self.ALLOWED.get((module, name))
        if known is not None:
            return known
        if module.partition(".")[0] in self.STEPPED_OVER or (module, name) in self.GETATTR:
            return SteppedOver
        raise pickle.UnpicklingError(f"it names {module}.{name} and {REFUSED}")


class _TorchPickle:
    """What torch.load asks of a pickle module."""

    Unpickler = _TorchUnpickler

    @staticmethod
    def load(file: Any, **options: Any) -> Any:  # noqa: ANN401  (as pickle.load)
        return _TorchUnpickler(file, **options).load()

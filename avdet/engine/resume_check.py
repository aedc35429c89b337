"""Whether a run may resume: its classes, data and settings are compared with those of its checkpoint by name."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from avdet.checkpoints.checkpoint_io import Checkpoint
from avdet.data.safe_dataset import ClipSource
from avdet.data.sampler import EpochSampler, SampleSpec
from avdet.datasets.dataset import Dataset

__all__ = ["data_version", "require_resumable"]

logger = logging.getLogger(__name__)

NEW_RUN = "or start a new run with model.weights"
# Settings that the weights depend on: another value gives the same tensors another meaning.
MEANING = {
    "data": {
        "kind", "task", "multilabel", "classes", "exclusive_groups", "nominal_fps", "frames_fps", "audio_track",
        "timestamp_offset",
    },
    "model": {
        "slow_frames", "slow_stride", "alpha", "slow_sampling", "fast_to_slow_norm", "nonlocal_form", "nonlocal_pool",
        "audio", "audio_frames", "mel_bins", "fusion", "roi_resolution", "roi_aligned", "res5_dilation", "pixel_mean",
        "pixel_std", "channel_order",
    },
}  # fmt: skip
ORDER = {"seed", "train.batch_size", "data.repeat_threshold"}  # with the clips they determine the order of an epoch
WITHOUT_EFFECT = {
    "name", "model.weights", "data.videos", "data.annotations", "data.workers", "data.require_all_videos",
    "data.max_bad_clips", "data.clip_timeout_s", "train.epochs", "train.amp", "train.activation_checkpointing",
    "train.compile", "train.max_nonfinite_steps", "train.keep_checkpoints", "train.eval_every", "train.log_every",
    "test.batch_size",
}  # fmt: skip


def data_version(dataset: Dataset, clips: ClipSource[SampleSpec], sampler: EpochSampler) -> dict[str, Any]:
    """What resuming compares: the training clips in their order and the content of the annotation files, by setting.

    A clip is its video's name without suffix and its second, so that cached copies of the videos are the same clips.
    """
    files = dataset.files("train") | dataset.files("val")
    order = hashlib.sha256(b"" if sampler.repeats is None else sampler.repeats.tobytes())
    for index in range(len(clips)):
        path, time_s = clips.location(SampleSpec(index, 0))
        order.update(f"{path.stem}\0{time_s:.6f}\n".encode(errors="surrogateescape"))
    return {
        "iterations_per_epoch": len(sampler),
        "num_clips": len(clips),
        "clips": order.hexdigest(),
        "files": {
            name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if path.is_file()
        },
    }


def require_resumable(
    run: Path,
    checkpoint: Checkpoint,
    config: Mapping[str, Any],
    class_names: Mapping[int, str],
    version: Mapping[str, Any],
) -> None:
    """Raises ValueError if training could not continue as it began; logs a warning for other changes.

    config: all settings as plain data. class_names: of the data set, in the order of the model's outputs. version: of
    `data_version`.
    """
    state = checkpoint.training_state
    assert state is not None, "the caller has refused a checkpoint without training state"
    if list(checkpoint.class_names.items()) != list(class_names.items()):
        raise ValueError(
            f"{run} was trained with the classes {_listed(checkpoint.class_names)}, but the data now have "
            f"{_listed(class_names)}; restore the classes and their order, {NEW_RUN}"
        )
    changed = dict(_changed_settings(checkpoint.config, config))
    meaning = {f"{section}.{name}" for section, names in MEANING.items() for name in names}
    if other := [text for name, text in changed.items() if name in meaning]:
        raise ValueError(f"{run} was trained with other settings ({', '.join(other)}); set them back, {NEW_RUN}")
    saved = {**version, **state}  # checkpoints of older versions have only the number of iterations
    files = sorted(name for name, digest in version["files"].items() if saved["files"].get(name, digest) != digest)
    reordered = [text for name, text in changed.items() if name in ORDER]
    if saved["clips"] != version["clips"]:
        reordered.append(f"training clips: {saved['num_clips']:,} -> {version['num_clips']:,}")
    reasons = ", ".join([*reordered, *(f"{name} has another content" for name in files)])
    per_epoch = version["iterations_per_epoch"]
    if saved["iterations_per_epoch"] != per_epoch:
        raise ValueError(
            f"{run} has {saved['iterations_per_epoch']} iterations per epoch, but these settings give "
            f"{per_epoch}{f' ({reasons})' * bool(reasons)}; resume with the same data and train.batch_size, {NEW_RUN}"
        )
    if reordered and state["iteration"] % per_epoch:
        raise ValueError(
            f"{run} stopped within an epoch, whose order of clips no longer exists ({reasons}); restore the data and "
            f"settings, {NEW_RUN}"
        )
    others = [text for name, text in changed.items() if name not in ORDER | WITHOUT_EFFECT]
    if reasons or others:
        logger.warning("%s resumes with changes: %s", run, ", ".join(filter(None, [reasons, *others])))
    if any(name.startswith("data.val_") for name in files):
        logger.warning("the validation data changed, so earlier scores and best.pt cannot be compared with new ones")


def _changed_settings(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(section.key, "section.key old -> new") of each setting that both configs have and that differs."""
    for key in before.keys() & now.keys():
        if isinstance(before[key], dict) and isinstance(now[key], dict):
            yield from _changed_settings(before[key], now[key], f"{prefix}{key}.")
        elif before[key] != now[key]:
            yield f"{prefix}{key}", f"{prefix}{key} {before[key]} -> {now[key]}"


def _listed(class_names: Mapping[int, str]) -> str:
    """`1: rest, 2: graze`, at most ten."""
    shown = [f"{number}: {name}" for number, name in list(class_names.items())[:10]]
    return ", ".join(shown) + f", ... ({len(class_names)})" * (len(class_names) > len(shown))

"""Sentences for invalid settings, with the new name of a renamed one."""

from __future__ import annotations

import difflib

from pydantic import ValidationError

from avdet.settings import Section

__all__ = ["RENAMED", "RENAMED_VALUES", "describe_error"]

RENAMED = {
    "model.drop_pathway": "drop_pathway_rate",
    "model.drop_pathway_kind": "drop_pathway_mode",
    "model.sync_stages": "avs_stages",
    "model.sync_weight": "avs_weight",
    "train.lr_batch": "base_batch_size",
    "train.step_epochs": "milestones",
    "train.accumulate": "accumulation_steps",
    "train.clip_gradient": "grad_clip_norm",
    "train.keep": "keep_checkpoints",
    "train.frozen": "freeze",
    "train.forget_activations": "activation_checkpointing",
    "train.max_nonfinite": "max_nonfinite_steps",
    "data.max_bad": "max_bad_clips",
    "data.strict": "require_all_videos",
    "data.learn": "task",
    "data.repeat_rare": "repeat_threshold",
    "data.exclusive": "exclusive_groups",
    "data.hard_negatives": "hard_negative_fraction",
    "data.lighting": "pca_lighting",
    "data.test_clips": "test_num_clips",
    "data.test_crops": "test_num_crops",
    "data.test_pool": "test_aggregation",
    "data.time_origin": "timestamp_offset",
}  # before version 0.2; refused, with the new name
RENAMED_VALUES = {
    "model.fusion": {"a_fs": "a_to_fs", "a_f_s": "a_to_f_to_s"},
    "model.drop_pathway_mode": {"altogether": "full"},
    "data.task": {"classes": "classification", "nothing": "none"},
}


def describe_error(error: ValidationError, prefix: str, section: type[Section]) -> str:
    """pydantic's first error as one sentence."""
    first = error.errors()[0]
    location = [*([prefix] if prefix else []), *(str(part) for part in first["loc"])]
    key = ".".join(location)
    if first["type"] == "extra_forbidden":
        return _describe_unknown(key, _keys(section, prefix))
    message = first["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list, as in [a,b]")
    if len(location) == 3 and not location[-1].isdecimal():  # a setting of several types, and the first of these
        key = ".".join(location[:-1])
        same_key = [other["msg"] for other in error.errors() if other["loc"][:-1] == first["loc"][:-1]]
        message = f"Input should be {' or '.join(text.removeprefix('Input should be ') for text in same_key)}"
    renamed = RENAMED_VALUES.get(key, {}).get(first["input"] if isinstance(first["input"], str) else "")
    if renamed:
        return f"{key}: {first['input']!r} is not a valid value; did you mean {renamed}?"
    if first["type"] == "value_error":
        return f"{key}: {message}" if key else message
    return f"{key}: {first['input']!r} is not valid ({message[0].lower()}{message[1:]})"


def _describe_unknown(key: str, keys: list[str]) -> str:
    section = key.rpartition(".")[0]
    if key in RENAMED:
        return f"unknown key {key}; did you mean {section}.{RENAMED[key]}?"
    siblings = [name for name in keys if name.rpartition(".")[0] == section]
    close = difflib.get_close_matches(key, siblings, n=1) or difflib.get_close_matches(key, keys, n=1)
    return f"unknown key {key}; " + (f"did you mean {close[0]}?" if close else f"known are {', '.join(siblings)}")


def _keys(section: type[Section], prefix: str) -> list[str]:
    """All keys as written in a config."""
    keys: list[str] = []
    for name, field in section.model_fields.items():
        key = f"{prefix}.{name}" if prefix else name
        keys.append(key)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            keys += _keys(field.annotation, key)
    return keys

"""Loads weights into a model that may differ in its head, modality or lateral connections, and reports each tensor."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from rich import box
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

__all__ = ["LoadReport", "load_state", "load_whole", "select_classes", "settings_that_differ"]

MIN_MATCH = 0.9
HEAD = "head."
CONCATENATED = re.compile(r"backbone\.slow\.res\d\.block0\.(branch\.a|shortcut)\.conv\.weight|head\..*weight")
PATHWAYS = ("backbone.slow.", "backbone.fast.", "backbone.audio.")


@dataclass(frozen=True)
class LoadReport:
    """Tensor names by what happened to them; `str()` gives a table.

    loaded: whole. sliced: partly, because one side has more inputs. new: as initialised. unused: only in the
    checkpoint. notes: what this means, in sentences.
    """

    loaded: tuple[str, ...]
    sliced: tuple[str, ...]
    new: tuple[str, ...]
    unused: tuple[str, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        table = Table("part", "loaded", "sliced", "new", "unused", box=box.SIMPLE)
        columns = (self.loaded, self.sliced, self.new, self.unused)
        for part in sorted({_part(name) for column in columns for name in column}):
            table.add_row(part, *(str(sum(_part(name) == part for name in column)) for column in columns))
        text = io.StringIO()
        Console(file=text, width=100).print(table)
        lines = [line.rstrip() for line in text.getvalue().splitlines() if line.strip()]
        return "\n".join([*lines, *self.notes])


def _part(name: str) -> str:
    """backbone.slow.res2.block0.a.conv.weight -> backbone.slow.res2."""
    depth = 3 if name.startswith("backbone.") else 1
    return ".".join(name.split(".")[:depth])


def select_classes(
    state: Mapping[str, Tensor], source: Mapping[int, str], target: Mapping[int, str]
) -> dict[str, Tensor]:
    """Returns `state` with the head's rows for the `target` classes, ordered by class id.

    source, target: class names by id, of the checkpoint and of the data set. If a target name is unknown, a head of the
    target's size is left out, because its rows belong to other classes.
    """
    rows = {source[i]: row for row, i in enumerate(sorted(source))}
    names = [target[i] for i in sorted(target)]
    if not rows.keys() >= set(names):
        return {name: x for name, x in state.items() if not (name.startswith(HEAD) and len(x) == len(names))}
    selected = torch.tensor([rows[name] for name in names], dtype=torch.long)
    return {name: x[selected] if name.startswith(HEAD) and len(x) == len(source) else x for name, x in state.items()}


@torch.no_grad()
def load_state(model: nn.Module, state: Mapping[str, Tensor]) -> LoadReport:
    """Copies `state` into `model`.

    A head of another size stays as initialised. Where one side concatenates more inputs, the shared inputs are loaded:
    the additional ones are last (a lateral connection, pooled audio), or first if one side is audio only. Raises
    ValueError if less than 90 % of the backbone matches.
    """
    target = model.state_dict()
    loaded = [name for name in target if name in state and state[name].shape == target[name].shape]
    sliced = [name for name in target if name in state and _has_other_inputs(name, state[name], target[name])]
    _check_architecture(target, state, {*loaded, *sliced})
    for name in loaded:
        target[name].copy_(state[name])
    both_visual = all(_has(side, PATHWAYS[0]) for side in (target, state))
    for name in sliced:
        inputs = min(state[name].shape[1], target[name].shape[1])
        shared = slice(inputs) if both_visual else slice(-inputs, None)
        target[name][:, shared].copy_(state[name][:, shared])
    used = {*loaded, *sliced}
    new = [name for name in target if name not in used]
    unused = [name for name in state if name not in used]
    notes = _notes(target, state, len(loaded), sliced)
    return LoadReport(tuple(loaded), tuple(sliced), tuple(new), tuple(unused), tuple(notes))


def load_whole(model: nn.Module, state: Mapping[str, Tensor], source: object) -> LoadReport:
    """Copies `state` into `model`. Raises ValueError unless every tensor of both has its counterpart.

    source: the file that the error names.
    """
    report = load_state(model, state)
    if report.new or report.unused or report.sliced:
        name = (report.new + report.unused + report.sliced)[0]
        raise ValueError(
            f"the model of {source} cannot be inferred from its weights ({name} has no counterpart); give its config "
            "with --config of tools/convert_checkpoint.py"
        )
    return report


PREDICTION_SETTINGS = (
    "slow_frames", "slow_stride", "alpha", "slow_sampling", "fast_to_slow_norm", "nonlocal_form", "nonlocal_pool",
    "roi_resolution", "roi_aligned", "res5_dilation", "pixel_mean", "pixel_std", "channel_order",
)  # fmt: skip


def settings_that_differ(source: Mapping[str, Any], target: Mapping[str, Any]) -> list[str]:
    """Returns a sentence per setting on which predictions depend and that differs from the checkpoint's.

    source, target: section model of the checkpoint's config and of the model's.
    """
    pairs = [(name, _as_list(source[name]), _as_list(target[name])) for name in PREDICTION_SETTINGS if name in source]
    return [f"The checkpoint has model.{name} {old}, this model has {new}." for name, old, new in pairs if old != new]


def _as_list(value: object) -> object:
    """Tuples as in JSON."""
    return list(value) if isinstance(value, tuple) else value


def _has(state: Mapping[str, Tensor], pathway: str) -> bool:
    return any(name.startswith(pathway) for name in state)


def _has_other_inputs(name: str, source: Tensor, target: Tensor) -> bool:
    """Whether the shapes differ only in dimension 1, because one side concatenates more inputs."""
    if not CONCATENATED.match(name) or source.shape[1] == target.shape[1]:
        return False
    return source.shape[0] == target.shape[0] and source.shape[2:] == target.shape[2:]


def _check_architecture(target: Mapping[str, Tensor], state: Mapping[str, Tensor], used: set[str]) -> None:
    """Raises ValueError unless the pathways that both sides have match."""
    shared = [pathway for pathway in PATHWAYS if _has(state, pathway) and _has(target, pathway)]
    backbone = [name for name in target if name.startswith(tuple(shared))] if shared else []
    matches = sum(name in used for name in backbone)
    advice = "take the settings of section model from the checkpoint's own config"
    if not backbone:
        raise ValueError(
            f"The checkpoint has none of the model's pathways (it has {next(iter(state), 'no tensors')}, ...); give "
            "last.pt or best.pt of an action model's run"
        )
    if matches < MIN_MATCH * len(backbone):
        raise ValueError(
            f"The checkpoint is of another architecture: {matches} of {len(backbone)} backbone tensors match, but "
            f"{MIN_MATCH:.0%} are required; {advice}"
        )
    for name, tensor in state.items():
        if name.startswith(tuple(shared)) and name not in used:
            expected = f"the model's {tuple(target[name].shape)}" if name in target else "the model has none"
            raise ValueError(
                f"The checkpoint is of another architecture: its {name} is {tuple(tensor.shape)}, {expected}; {advice}"
            )


def _notes(target: Mapping[str, Tensor], state: Mapping[str, Tensor], loaded: int, sliced: list[str]) -> list[str]:
    notes = [
        f"The checkpoint has {len(state[name])} classes, the data set has {len(target[name])}: head re-initialised, "
        f"{loaded} of {len(target)} tensors loaded."
        for name in target
        if name.startswith(HEAD) and name.endswith("weight") and name in state and len(state[name]) != len(target[name])
    ]
    if any(name.startswith(HEAD) and name not in state for name in target):
        notes.append("The checkpoint has other classes than the data set: head re-initialised.")
    source_has_audio, target_has_audio = (_has(side, PATHWAYS[2]) for side in (state, target))
    if source_has_audio and not target_has_audio:
        notes.append("The checkpoint has an Audio pathway and this model has none: the model is video only.")
    if target_has_audio and not source_has_audio:
        notes.append("The checkpoint has no Audio pathway and this model has one: it is trained from scratch.")
    return notes + [
        f"{name}: {min(a, b)} of the checkpoint's {a} inputs loaded into the model's {b}."
        for name in sliced
        for a, b in [(state[name].shape[1], target[name].shape[1])]
    ]

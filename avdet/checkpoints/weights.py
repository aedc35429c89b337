"""Weights into a model that may differ in its head, its modality or its laterals: nothing is skipped in silence."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from rich import box
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

__all__ = ["LoadReport", "choose_classes", "load_state"]

MIN_TRUNK = 0.9
HEAD = "head."
CONCATENATED = re.compile(r"backbone\.slow\.res\d\.block0\.(branch\.a|shortcut)\.conv\.weight|head\..*weight")
PATHWAYS = ("backbone.slow.", "backbone.fast.", "backbone.audio.")


@dataclass(frozen=True)
class LoadReport:
    """Names of tensors: `loaded` whole, `sliced` (part of the checkpoint's or of the model's was used), `new` (as they
    were initialised), `unused` (of the checkpoint). `notes` say in words what that means."""

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
    """backbone.slow.res2.block0.a.conv.weight belongs to backbone.slow.res2."""
    depth = 3 if name.startswith("backbone.") else 1
    return ".".join(name.split(".")[:depth])


def choose_classes(state: Mapping[str, Tensor], have: Mapping[int, str], want: Mapping[int, str]) -> dict[str, Tensor]:
    """`state` with its head's rows for the classes `want`, in the order of their ids.

    Where one of these is unknown, no row may be taken for another's: a head of the same size is left out.
    """
    rows = {have[i]: row for row, i in enumerate(sorted(have))}
    names = [want[i] for i in sorted(want)]
    if not rows.keys() >= set(names):
        return {name: x for name, x in state.items() if not (name.startswith(HEAD) and len(x) == len(names))}
    chosen = torch.tensor([rows[name] for name in names], dtype=torch.long)
    return {name: x[chosen] if name.startswith(HEAD) and len(x) == len(have) else x for name, x in state.items()}


@torch.no_grad()
def load_state(model: nn.Module, state: Mapping[str, Tensor]) -> LoadReport:
    """Copies `state` into `model`.

    A head of another size stays new. Inputs that only one side has come last in a concatenation (a lateral connection,
    pooled sound) or first (all that is seen, where one side only hears), and the rest of such a weight is used. Raises
    ValueError where under 90 % of the trunk fits.
    """
    own = model.state_dict()
    loaded = [name for name in own if name in state and state[name].shape == own[name].shape]
    sliced = [name for name in own if name in state and _takes_more_inputs(name, state[name], own[name])]
    _refuse_foreign(own, state, {*loaded, *sliced})
    for name in loaded:
        own[name].copy_(state[name])
    both_see = all(_has(side, PATHWAYS[0]) for side in (own, state))
    for name in sliced:
        inputs = min(state[name].shape[1], own[name].shape[1])
        shared = slice(inputs) if both_see else slice(-inputs, None)
        own[name][:, shared].copy_(state[name][:, shared])
    used = {*loaded, *sliced}
    new = [name for name in own if name not in used]
    unused = [name for name in state if name not in used]
    notes = _notes(own, state, len(loaded), sliced)
    return LoadReport(tuple(loaded), tuple(sliced), tuple(new), tuple(unused), tuple(notes))


def _has(state: Mapping[str, Tensor], pathway: str) -> bool:
    return any(name.startswith(pathway) for name in state)


def _takes_more_inputs(name: str, theirs: Tensor, ours: Tensor) -> bool:
    """Alike but for dimension 1, where one side has a concatenation that the other lacks."""
    if not CONCATENATED.match(name) or theirs.shape[1] == ours.shape[1]:
        return False
    return theirs.shape[0] == ours.shape[0] and theirs.shape[2:] == ours.shape[2:]


def _refuse_foreign(own: Mapping[str, Tensor], state: Mapping[str, Tensor], used: set[str]) -> None:
    """The trunk is each pathway that both sides have."""
    shared = [pathway for pathway in PATHWAYS if _has(state, pathway) and _has(own, pathway)]
    trunk = [name for name in own if name.startswith(tuple(shared))] if shared else []
    fits = sum(name in used for name in trunk)
    advice = "take the settings of section model from the checkpoint's own config"
    if not trunk:
        raise ValueError(
            f"The checkpoint holds none of the model's pathways (it has {next(iter(state), 'no tensors')}, ...); give "
            "last.pt or best.pt of an action model's run"
        )
    if fits < MIN_TRUNK * len(trunk):
        raise ValueError(
            f"The checkpoint is of another architecture: {fits} of the {len(trunk)} tensors of the trunk fit, "
            f"{MIN_TRUNK:.0%} are needed; {advice}"
        )
    for name, theirs in state.items():
        if name.startswith(tuple(shared)) and name not in used:
            ours = f"the model's {tuple(own[name].shape)}" if name in own else "the model has none"
            raise ValueError(
                f"The checkpoint is of another architecture: its {name} is {tuple(theirs.shape)}, {ours}; {advice}"
            )


def _notes(own: Mapping[str, Tensor], state: Mapping[str, Tensor], loaded: int, sliced: list[str]) -> list[str]:
    notes = [
        f"Checkpoint has {len(state[name])} classes, the data has {len(own[name])}: head re-initialised, "
        f"{loaded} of {len(own)} tensors loaded."
        for name in own
        if name.startswith(HEAD) and name.endswith("weight") and name in state and len(state[name]) != len(own[name])
    ]
    if any(name.startswith(HEAD) and name not in state for name in own):
        notes.append("The checkpoint's classes are not the data's: head re-initialised.")
    heard, uses_audio = (_has(side, PATHWAYS[2]) for side in (state, own))
    if heard and not uses_audio:
        notes.append("The checkpoint hears and this model does not: it runs on pictures alone.")
    if uses_audio and not heard:
        notes.append("The checkpoint does not hear and this model does: its Audio pathway starts anew.")
    return notes + [
        f"{name}: {min(a, b)} of the {a} inputs of the checkpoint's fill as many of the model's {b}."
        for name in sliced
        for a, b in [(state[name].shape[1], own[name].shape[1])]
    ]

"""AVA's own names and ids of the nine actions, and which of them follow from look, sound and music."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Pose = Literal["stand", "sit", "walk"]
Look = Literal["idle", "wave", "clap", "mouth", "drum"]

TWIN_LOOKS: tuple[Look, ...] = ("clap", "mouth", "drum")


@dataclass(frozen=True)
class ActionClass:
    id: int
    name: str
    kind: str


CLASSES = (
    ActionClass(11, "sit", "PERSON_MOVEMENT"),
    ActionClass(12, "stand", "PERSON_MOVEMENT"),
    ActionClass(14, "walk", "PERSON_MOVEMENT"),
    ActionClass(29, "eat", "OBJECT_MANIPULATION"),
    ActionClass(37, "listen (e.g., to music)", "OBJECT_MANIPULATION"),
    ActionClass(41, "play musical instrument", "OBJECT_MANIPULATION"),
    ActionClass(67, "hand clap", "PERSON_INTERACTION"),
    ActionClass(69, "hand wave", "PERSON_INTERACTION"),
    ActionClass(79, "talk to (e.g., self, a person, a group)", "PERSON_INTERACTION"),
)
POSE_IDS: dict[Pose, int] = {"sit": 11, "stand": 12, "walk": 14}
LISTEN_ID = 37
# (look, heard) -> action; what is not here is no action: idling, miming a clap, miming a drum.
LOOK_IDS: dict[tuple[Look, bool], int] = {
    ("wave", False): 69,
    ("clap", True): 67,
    ("mouth", True): 79,
    ("mouth", False): 29,
    ("drum", True): 41,
}


def action_ids(pose: Pose, look: Look, heard: bool, music: bool) -> tuple[int, ...]:
    """The ids of what one person does: a pose, what is seen and heard of them, and listening where music plays."""
    seen = LOOK_IDS.get((look, heard))
    return (POSE_IDS[pose], *([] if seen is None else [seen]), *([LISTEN_ID] if music else []))


def label_map_pbtxt() -> str:
    """The nine classes in the form of ava_action_list_v2.2.pbtxt."""
    return "".join(
        f'label {{\n  name: "{one.name}"\n  label_id: {one.id}\n  label_type: {one.kind}\n}}\n' for one in CLASSES
    )

"""The nine AVA classes of the synthetic data set, and how they follow from pose, gesture and audio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Pose = Literal["stand", "sit", "walk"]
Gesture = Literal["idle", "wave", "clap", "mouth", "drum"]

# With and without audible beats, each of these gestures is another action.
AUDIO_DEPENDENT_GESTURES: tuple[Gesture, ...] = ("clap", "mouth", "drum")


@dataclass(frozen=True)
class ActionClass:
    """One entry of the label map: AVA's id, name and group."""

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
# (gesture, audible) -> action id. Idling, silent clapping and silent drumming have no action of their own.
GESTURE_IDS: dict[tuple[Gesture, bool], int] = {
    ("wave", False): 69,
    ("clap", True): 67,
    ("mouth", True): 79,
    ("mouth", False): 29,
    ("drum", True): 41,
}


def action_ids(pose: Pose, gesture: Gesture, audible: bool, music: bool) -> tuple[int, ...]:
    """Returns a person's action ids: the pose, the gesture's action if it has one, and "listen" while music plays."""
    gesture_id = GESTURE_IDS.get((gesture, audible))
    return (POSE_IDS[pose], *([] if gesture_id is None else [gesture_id]), *([LISTEN_ID] if music else []))


def label_map_pbtxt() -> str:
    """Returns the nine classes in the format of ava_action_list_v2.2.pbtxt."""
    return "".join(
        f'label {{\n  name: "{one.name}"\n  label_id: {one.id}\n  label_type: {one.kind}\n}}\n' for one in CLASSES
    )

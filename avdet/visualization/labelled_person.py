"""A person box with its actions, as the annotated video and the page draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Action", "Box", "Keyframes", "LabelledPerson"]

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2, normalised."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a person. Ground truth has score 1."""

    action_id: int
    name: str
    score: float
    score_without_audio: float | None = None

    @property
    def best_score(self) -> float:
        """The higher score of the two."""
        return self.score if self.score_without_audio is None else max(self.score, self.score_without_audio)


@dataclass(frozen=True)
class LabelledPerson:
    """A person box with its actions, best score first. person_id: -1 if unknown."""

    box: Box
    person_id: int
    actions: tuple[Action, ...]
    is_ground_truth: bool = False


Keyframes = Mapping[float, Sequence[LabelledPerson]]
"""The persons of each keyframe, by time in seconds."""

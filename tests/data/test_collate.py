from dataclasses import replace

import torch

from avdet.data.collate import collate, collate_by_size
from avdet.models.sync_loss import valid_pairs
from avdet.structures import Clip, PersonBoxes


def clip(num_persons: int, *, width: int = 8, audio: bool = True, label: torch.Tensor | None = None) -> Clip:
    boxes = torch.full((num_persons, 4), float(num_persons))
    return Clip(
        "v", 1.0, torch.zeros(3, 2, 6, width, dtype=torch.uint8),
        torch.full((4, 5), 7.0) if audio else None,
        boxes_px=boxes, people=PersonBoxes.from_boxes(boxes),
        labels={"action": torch.ones(num_persons, 3) if label is None else label},
    )  # fmt: skip


def test_boxes_of_all_clips_are_concatenated_with_their_clip() -> None:
    batch = collate([clip(2), clip(0), clip(1)])
    assert batch.frames.shape == (3, 3, 2, 6, 8)
    assert batch.box_clip.tolist() == [0, 0, 2]
    assert batch.labels["action"].shape == (3, 3)
    assert [len(persons) for persons in batch.people] == [2, 0, 1]


def test_a_clip_without_audio_gets_zeros_and_a_flag() -> None:
    batch = collate([clip(1), clip(1, audio=False)])
    assert batch.audio is not None
    assert batch.audio.shape == (2, 1, 4, 5)
    assert batch.has_audio.tolist() == [True, False]
    assert batch.audio[1].abs().max() == 0
    assert collate([clip(1, audio=False)]).audio is None


def test_labels_of_clips_are_stacked() -> None:
    assert collate([clip(0, label=torch.tensor(4)), clip(0, label=torch.tensor(2))]).labels["action"].tolist() == [4, 2]
    assert collate([clip(0, label=torch.ones(3)), clip(0, label=torch.ones(3))]).labels["action"].shape == (2, 3)


def test_clips_of_different_sizes_become_separate_batches() -> None:
    batches = collate_by_size([clip(1), clip(1), clip(1, width=10), clip(1)])
    assert [(len(batch), batch.frames.shape[-1]) for batch in batches] == [(3, 8), (1, 10)]


def test_a_clip_without_misaligned_audio_repeats_its_own() -> None:
    """A hard negative does not exist in a short video; zeros would enter the statistics of the audio batch norms."""
    with_negative = replace(clip(1), negative_audio=torch.full((4, 5), 2.0))
    batch = collate([with_negative, clip(1), clip(1, audio=False)])
    assert batch.negative_audio is not None and batch.audio is not None
    assert batch.negative_audio[:, 0, 0, 0].tolist() == [2.0, 7.0, 0.0] and not batch.has_audio[2]
    assert not valid_pairs(batch.audio, batch.negative_audio)[1]
    assert collate([clip(1), clip(1)]).negative_audio is None

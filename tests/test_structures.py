"""ClipBatch.split keeps boxes and labels with their clips."""

import pytest
import torch

from avdet.structures import ClipBatch, PersonBoxes


def batch(boxes: list[int], labels: torch.Tensor) -> ClipBatch:
    """A batch of clips with the given numbers of boxes; clip k has the grey value k."""
    size = len(boxes)
    return ClipBatch(
        frames=torch.arange(size, dtype=torch.uint8).reshape(-1, 1, 1, 1, 1).expand(-1, 3, 1, 2, 2),
        audio=None,
        has_audio=torch.zeros(size, dtype=torch.bool),
        boxes_px=torch.arange(sum(boxes)).reshape(-1, 1).expand(-1, 4).float(),
        box_clip=torch.arange(size).repeat_interleave(torch.tensor(boxes)),
        labels={"action": labels},
        clips=tuple((f"v{k}", 0.0) for k in range(size)),
        people=tuple(PersonBoxes.from_boxes(torch.zeros(count, 4)) for count in boxes),
    )


def test_split_keeps_boxes_and_labels() -> None:
    parts = batch([2, 0, 1], torch.tensor([[10], [11], [12]])).split(2)
    assert [len(part) for part in parts] == [2, 1]
    assert parts[0].labels["action"].flatten().tolist() == [10, 11] and parts[0].box_clip.tolist() == [0, 0]
    assert parts[1].labels["action"].flatten().tolist() == [12] and parts[1].box_clip.tolist() == [0]
    assert parts[1].clips == (("v2", 0.0),) and int(parts[1].frames[0, 0, 0, 0, 0]) == 2


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_labels_of_whole_clips_follow_their_clips(count: int) -> None:
    batches = batch([0, 0, 0], torch.tensor([5, 6, 7])).split(count)
    assert [int(label) for part in batches for label in part.labels["action"]] == [5, 6, 7]
    assert len(batches) == min(count, 3) and all(len(part) for part in batches)

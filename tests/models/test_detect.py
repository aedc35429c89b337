from __future__ import annotations

import torch

from avdet.data.collate import collate
from avdet.models.detect import average_views, detect
from avdet.structures import Clip, ClipBatch, Detections, PersonBoxes


class LeftBrightness:
    """Scores a box by the mean of the frames left of its right side: it changes when the frames are mirrored."""

    def eval(self) -> object:
        return self

    def predict(self, batch: ClipBatch) -> torch.Tensor:
        rows = [
            batch.frames[clip, :, :, :, : int(box[2])].float().mean() / 255
            for box, clip in zip(batch.boxes_px, batch.box_clip, strict=True)
        ]
        return torch.stack(rows)[:, None]


def detection(time_s: float, *scores: float) -> Detections:
    people = PersonBoxes.from_boxes(torch.zeros(len(scores), 4))
    return Detections("v", time_s, people, torch.tensor(scores)[:, None])


def test_scores_are_averaged_per_box_over_a_keyframe_s_views() -> None:
    first, second = average_views(
        [detection(1.0, 0.2, 0.8), detection(2.0, 0.5), detection(1.0, 0.4, 0.0), detection(1.0, 0.6, 0.1)]
    )
    assert torch.allclose(first.scores, torch.tensor([[0.4], [0.3]]))
    assert second.time_s == 2.0 and second.scores.tolist() == [[0.5]]


def test_both_directions_together_score_a_video_as_its_mirror_image() -> None:
    frames = torch.randint(0, 256, (3, 2, 8, 10), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    box, mirrored_box = torch.tensor([[1.0, 0.0, 4.0, 8.0]]), torch.tensor([[6.0, 0.0, 9.0, 8.0]])
    people = PersonBoxes.from_boxes(torch.zeros(1, 4))

    def scores(*views: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        batch = collate([Clip("v", 1.0, frames, boxes_px=boxes, people=people) for frames, boxes in views])
        (average,) = average_views(detect(LeftBrightness(), batch, torch.device("cpu")))
        return average.scores

    seen, mirrored = (frames, box), (frames.flip(-1), mirrored_box)
    assert not torch.equal(scores(seen), scores(mirrored))
    assert torch.allclose(scores(seen, mirrored), scores(mirrored, seen))

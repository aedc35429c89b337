from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.datasets.segments import Segments, drop_duplicate_ids, find_overlap, unlabelled_segments


def segments_of(*rows: tuple[str, str, float, float], action: list[int] | None = None) -> Segments:
    """Segments from rows of id, video, start and end."""
    ids, videos, start_s, end_s = (list(column) for column in zip(*rows, strict=True))
    labels = {"action": np.array(action or [0] * len(rows))}
    return Segments(np.array(ids, object), np.array(videos, object), np.array(start_s), np.array(end_s), labels)


def test_repeated_ids_are_dropped_and_counted() -> None:
    rows = [(name, name, 0.0, np.inf) for name in ("a", "b", "a", "b", "a")]
    kept, faults = drop_duplicate_ids(segments_of(*rows, action=[1, 0, 1, 2, 1]))
    assert kept.ids.tolist() == ["a", "b"] and kept.labels["action"].tolist() == [1, 0]
    assert faults == ["3 of 5 rows repeat an id, 1 of them with another label (first: a); skipped"]
    assert drop_duplicate_ids(kept) == (kept, [])


@pytest.mark.parametrize(("start_s", "overlaps"), [(0.0, True), (3.9, True), (4.0, False), (9.0, False)])
def test_val_segments_may_not_overlap_training_segments_of_a_file(start_s: float, overlaps: bool) -> None:
    """The training segments lie at 1 s to 2 s and 2 s to 4 s of the file; the names of the video differ."""
    train = segments_of(("t0", "a", 1.0, 2.0), ("t1", "a", 2.0, 4.0))
    val = segments_of(("v0", "x/a", start_s, start_s + 5.0))
    message = find_overlap(train, val, {"a": Path("a.mp4"), "x/a": Path("a.mp4")})
    expected = "1 clips of val overlap training clips in time, such as v0 of a.mp4; remove them from one"
    assert message == (expected if overlaps else None)


def test_class_sets_without_labels_are_reported() -> None:
    segments = segments_of(("a", "a", 0.0, 1.0), ("b", "b", 0.0, 1.0), action=[-1, 3])
    assert unlabelled_segments(segments) == ["1 of 2 clips have no action label (first: a) and are not scored by it"]
    assert unlabelled_segments(segments.select(np.array([True, False]))) == [
        "no clip has a action label, so action is not scored"
    ]

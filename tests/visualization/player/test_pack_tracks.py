"""The packed columns read back, read here by a second route; the browser tests read them with read_tracks.js."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
import pytest

from avdet.visualization.player.pack_tracks import pack_tracks
from avdet.visualization.player.tracks import Track, TrackSet
from tests.visualization.tables import LEFT, RIGHT


def columns(packed: dict[str, Any]) -> dict[str, Any]:
    """The columns, summed up within each track."""
    data, keyframes, entries = (
        zlib.decompress(base64.b64decode(packed["bytes"])),
        sum(packed["counts"]),
        packed["entries"],
    )
    values = []
    for width, count in [(4, keyframes), *[(2, keyframes)] * 5, (2, entries), *[(1, entries)] * packed["models"]]:
        planes, data = np.frombuffer(data[: width * count], np.uint8).reshape(width, count), data[width * count :]
        values.append(planes.T.copy().view(f"<i{width}" if width > 1 else np.uint8)[:, 0].astype(int))
    assert data == b""
    ends = np.cumsum(packed["counts"])[:-1]
    sums = [np.concatenate([np.cumsum(part) for part in np.split(one, ends)]).tolist() for one in values[:5]]
    names = ("times", "x1", "y1", "x2", "y2", "counts", "classes", "scores", "others")
    return dict(zip(names, [*sums, *(one.tolist() for one in values[5:])], strict=False))


def test_times_boxes_and_scores_of_two_tracks() -> None:
    """Steps are 1/10000 s, 1/2000 of the frame and 1/200 of a score; entries are sorted by class."""
    left = Track(id=3, times=[1.0, 2.0], boxes=[[*LEFT], [*RIGHT]], scores=[[[7, 0.7], [0, 0.2]], [[300, 0.5]]])
    right = Track(id=8, times=[-0.5], boxes=[[-0.1, 0.0, 1.0, 1.1]], scores=[[[0, 1.0]]])
    packed = pack_tracks(TrackSet(0.5, [left, right]))
    assert (packed["ids"], packed["counts"], packed["entries"], packed["halfInterval"]) == ([3, 8], [2, 1], 4, 0.5)
    assert columns(packed) == {
        "times": [10000, 20000, -5000],
        "x1": [200, 1200, -200],
        "y1": [400, 400, 0],
        "x2": [800, 1800, 2000],
        "y2": [1800, 1800, 2200],
        "counts": [2, 1, 1],
        "classes": [0, 7, 300, 0],
        "scores": [40, 140, 100, 200],
    }


def test_scores_are_rounded_down_so_that_none_passes_a_threshold_it_misses() -> None:
    scores = [0.299, 0.3, 0.304, 0.305, 0.9999, 0.0]
    track = Track(id=0, times=[0.0], boxes=[[*LEFT]], scores=[[[k, score] for k, score in enumerate(scores)]])
    assert columns(pack_tracks(TrackSet(0.5, [track])))["scores"] == [59, 60, 60, 61, 199, 0]


def test_a_second_model_has_a_column_of_its_own() -> None:
    track = Track(id=0, times=[0.0], boxes=[[*LEFT]], scores=[[[1, 0.9, 0.4], [0, 0.1, 0.8]]])
    read = columns(pack_tracks(TrackSet(0.5, [track], num_models=2)))
    assert (read["classes"], read["scores"], read["others"]) == ([0, 1], [20, 180], [160, 80])


def test_without_tracks_all_columns_are_empty() -> None:
    assert columns(pack_tracks(TrackSet(0.5, [])))["times"] == []


@pytest.mark.parametrize("count", [1, 500])
def test_a_still_person_costs_almost_nothing(count: int) -> None:
    track = Track(
        id=0, times=[float(t) for t in range(count)], boxes=[[*LEFT]] * count, scores=[[[0, 0.9]] for _ in range(count)]
    )
    assert len(str(pack_tracks(TrackSet(0.5, [track]))["bytes"])) < 200

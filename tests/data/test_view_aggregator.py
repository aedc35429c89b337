from __future__ import annotations

import numpy as np
import pytest

from avdet.data.view_aggregator import Aggregation, ViewAggregator


@pytest.mark.parametrize(("aggregation", "expected"), [("mean", [0.5, 0.25]), ("max", [0.75, 0.375])])
def test_views_are_combined_by_segment(aggregation: Aggregation, expected: list[float]) -> None:
    """Segment 3 has two views, segment 1 one."""
    aggregator = ViewAggregator(aggregation)
    for segment, scores in ((3, [0.75, 0.125]), (1, [0.5, 0.5]), (3, [0.25, 0.375])):
        aggregator.add(segment, {"action": np.array(scores)})
    results = dict(aggregator.result())
    assert results[3]["action"].tolist() == expected
    assert results[1]["action"].tolist() == [0.5, 0.5]

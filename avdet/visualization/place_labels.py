"""Where labels go: beside their boxes, clear of one another and of heads, in time linear in the number of labels."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np

__all__ = ["LabelPlacer", "Rectangle"]

Rectangle = tuple[int, int, int, int]
"""left, top, right, bottom in pixels."""

_CELL_PX = 4
_LABEL_COST, _HEAD_COST = 4, 1  # labels on top of each other are illegible
_STACKED = 4  # labels above and below one another


class LabelPlacer:
    """Places the labels of one frame after another; a label keeps its side of the box while nothing is in its way."""

    def __init__(self) -> None:
        self._side: dict[Hashable, int] = {}

    def place(
        self,
        sizes: Sequence[tuple[int, int]],
        boxes: Sequence[Rectangle],
        keys: Sequence[Hashable],
        occupied: Sequence[Rectangle],
        frame_size: tuple[int, int],
    ) -> list[Rectangle]:
        """A rectangle for each label, inside the frame.

        sizes, frame_size: (width, height). boxes, keys: of the labels' persons. occupied: other labels.
        """
        cost = np.zeros([-(-side // _CELL_PX) + 1 for side in reversed(frame_size)], np.float32)
        for left, top, right, bottom in boxes:
            head_bottom = top + (bottom - top) // 3  # the head is likely in the upper third
            cost[_cells((left, top, right, head_bottom))] += _HEAD_COST
        for rectangle in occupied:
            cost[_cells(rectangle, outwards=True)] += _LABEL_COST
        places = []
        for size, box, key in zip(sizes, boxes, keys, strict=True):
            corners = list(_corners(box, size))
            previous = self._side.get(key)
            best: tuple[float, int, Rectangle] | None = None
            for side in [*([] if previous is None else [previous]), *range(len(corners))]:
                place = _moved_inside(corners[side], size, frame_size)
                place_cost = float(cost[_cells(place)].sum())
                if best is None or place_cost < best[0]:
                    best = place_cost, side, place
                if place_cost == 0:
                    break
            assert best is not None
            self._side[key] = best[1]
            places.append(best[2])
            cost[_cells(best[2], outwards=True)] += _LABEL_COST
        return places


def _corners(box: Rectangle, size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Upper left corners of the label: at the box, then further above and below it."""
    width, height = size
    left, top, right, bottom = box
    yield from ((left, top - height), (right - width, top - height), (left, bottom), (right - width, bottom))
    yield from ((left, bottom - height), (right - width, bottom - height), (right, top), (left - width, top))
    yield left, top
    for row in range(1, _STACKED):
        yield from ((left, top - (row + 1) * height), (left, bottom + row * height))


def _moved_inside(corner: tuple[int, int], size: tuple[int, int], frame_size: tuple[int, int]) -> Rectangle:
    left, top = (max(min(corner[axis], frame_size[axis] - size[axis]), 0) for axis in (0, 1))
    return left, top, left + size[0], top + size[1]


def _cells(rectangle: Rectangle, *, outwards: bool = False) -> tuple[slice, slice]:
    """The cells of a rectangle, rounded to the nearest cell, or outwards."""
    left, top, right, bottom = (max(side, 0) for side in rectangle)
    early, late = (0, _CELL_PX - 1) if outwards else (_CELL_PX // 2, _CELL_PX // 2)
    return (
        slice((top + early) // _CELL_PX, (bottom + late) // _CELL_PX),
        slice((left + early) // _CELL_PX, (right + late) // _CELL_PX),
    )

"""Class names of the public benchmarks, for checkpoints of other code bases, which hold none.

class_lists/ has `ID NAME` per line, in the order of the models' outputs. The lists are AVA's own (v2.2; the ids of
v2.1 mean the same), Charades', UCF101's and HMDB51's own, and those of MMAction2 for Kinetics and Something-Something,
whose order is alphabetical, as in the class_names file of PySlowFast and PyTorchVideo.
"""

from __future__ import annotations

import logging
from pathlib import Path

__all__ = ["public_class_names"]

logger = logging.getLogger(__name__)
FOLDER = Path(__file__).parent / "class_lists"
OF_BOXES = {
    80: ("ava_80.txt", "AVA's"),
    60: ("ava_60.txt", "the 60 that AVA scores"),
}
OF_CLIPS = {
    400: ("kinetics_400.txt", "Kinetics-400's"),
    600: ("kinetics_600.txt", "Kinetics-600's"),
    700: ("kinetics_700.txt", "Kinetics-700's"),
    157: ("charades.txt", "Charades'"),
    174: ("something_something_v2.txt", "Something-Something v2's"),
    101: ("ucf101.txt", "UCF101's"),
    51: ("hmdb51.txt", "HMDB51's"),
}


def public_class_names(count: int, *, detector: bool | None) -> dict[int, str]:
    """Returns the names of `count` outputs by the benchmark's ids, and logs whose they are.

    detector: whether boxes are classified; None if it is unknown. Without a public list of `count` classes the names
    are "class N", with AVA's ids, from 1, unless clips are classified.
    """
    lists = {**(OF_CLIPS if detector is not True else {}), **(OF_BOXES if detector is not False else {})}
    if count not in lists:
        first = 0 if detector is False else 1
        return {first + row: f"class {first + row}" for row in range(count)}
    file, owner = lists[count]
    logger.info("%d classes without names: %s", count, owner)
    rows = (line.split(" ", 1) for line in (FOLDER / file).read_text(encoding="utf-8").splitlines())
    return {int(number): name for number, name in rows}

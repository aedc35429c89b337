from pathlib import Path

import pytest

from ava_eval import read_label_groups, read_label_map
from avdet.synthetic.classes import CLASSES, action_ids, label_map_pbtxt
from tests.shared import SHARED, needs_shared


@pytest.mark.parametrize(
    ("gesture", "audible", "expected"),
    [
        ("clap", True, (12, 67)), ("clap", False, (12,)), ("mouth", True, (12, 79)), ("mouth", False, (12, 29)),
        ("drum", True, (12, 41)), ("drum", False, (12,)), ("wave", False, (12, 69)), ("idle", False, (12,)),
    ],
)  # fmt: skip
def test_only_audio_distinguishes_the_actions_of_one_gesture(
    gesture: str, audible: bool, expected: tuple[int, ...]
) -> None:
    assert action_ids("stand", gesture, audible, music=False) == expected  # type: ignore[arg-type]


def test_all_persons_listen_while_music_plays() -> None:
    assert action_ids("walk", "idle", False, music=True) == (14, 37)


def test_the_label_map_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "map.pbtxt"
    path.write_text(label_map_pbtxt(), encoding="utf-8")
    assert read_label_map(path) == {one.id: one.name for one in CLASSES}
    assert read_label_groups(path)[29] == "object"


@needs_shared
def test_names_ids_and_groups_are_those_of_ava(tmp_path: Path) -> None:
    path = tmp_path / "map.pbtxt"
    path.write_text(label_map_pbtxt(), encoding="utf-8")
    original = SHARED / "data/annotations/ava/ava_action_list_v2.2.pbtxt"
    assert read_label_map(path).items() <= read_label_map(original).items()
    assert read_label_groups(path).items() <= read_label_groups(original).items()

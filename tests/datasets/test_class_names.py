from __future__ import annotations

from pathlib import Path

import pytest

from avdet.datasets.class_names import ClassNames, normalised_name, read_class_list
from tests.datasets.text_file import write_file


def test_spellings_of_a_name_are_equal() -> None:
    assert normalised_name("Air_Drumming") == normalised_name("air drumming ")


def test_classes_are_selected_in_the_order_of_the_label_map() -> None:
    classes = ClassNames((3, 5, 9), ("sit", "stand", "wave"))
    assert classes.select(("wave", "sit"), "data.classes") == ClassNames((3, 9), ("sit", "wave"))
    assert classes.indices(("wave", "sit"), "data.exclusive_groups") == [2, 0]
    with pytest.raises(ValueError, match=r"data\.classes names 'stnad', .* did you mean 'stand'\?"):
        classes.select(("stnad",), "data.classes")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a_b\nA b\n", "one class twice, as 'a_b' and 'A b'"),
        ("a\nb\na\n", "one class twice, as 'a' and 'a'"),
        ("\n", "lists no class"),
        ('{"a": "b"}', "is not JSON of class names and ids"),
        ("1: a\n1: b\n", "gives the id 1 to two classes"),
    ],
)
def test_invalid_class_lists_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_class_list(write_file(tmp_path, "names.txt", text))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("graze\nrest\n", (0, 1)),
        ("1: graze\n2: rest\n", (1, 2)),
        ('{"graze": 0, "rest": 1}', (0, 1)),
        ('{"1": "graze", "2": "rest"}', (1, 2)),
        ('["graze", "rest"]', (0, 1)),
    ],
)
def test_ids_of_class_lists(tmp_path: Path, text: str, ids: tuple[int, ...]) -> None:
    assert read_class_list(write_file(tmp_path, "names", text)) == ClassNames(ids, ("graze", "rest"))

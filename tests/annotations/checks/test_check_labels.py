import gzip
from pathlib import Path

import pytest

from avdet.annotations.checks.check_labels import check_classes, check_csv_format
from avdet.datasets.class_names import ClassNames

TABS_AND_HEADER = b"\xef\xbb\xbfvideo\ttime\tx1\ty1\tx2\ty2\n"


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("content", [TABS_AND_HEADER, gzip.compress(TABS_AND_HEADER)], ids=["plain", "gzip"])
def test_the_csv_format_is_reported(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    messages = [finding.message for finding in check_csv_format(tmp_path / name)]
    for text, message in zip(("byte order mark", "tabs", "header line"), messages, strict=True):
        assert text in message


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (("stand", "stadn"), 1),
        (("stand", "stands"), 1),
        (("stand", "Stand "), 1),
        (("kick 1", "kick 2"), 0),
        (("stand", "sit"), 0),
        (("walk", "wakl", "walks"), 2),
    ],
)
def test_names_that_differ_by_a_typo_are_found(names: tuple[str, ...], pairs: int) -> None:
    classes = ClassNames.numbered(names)
    fact, *warnings = check_classes(classes.label_map, classes, classes)
    assert fact.message == f"{len(names)} classes are trained: {', '.join(names)}"
    counts = [finding.message.split()[0] for finding in warnings]
    assert counts == [str(pairs)][: bool(pairs)]


def test_scored_classes_are_counted_where_they_are_fewer_than_the_trained_ones() -> None:
    trained, scored = ClassNames.numbered(("sit", "stand", "yawn")), ClassNames.numbered(("sit", "stand"))
    (fact,) = check_classes(trained.label_map, trained, scored)
    assert fact.message == "3 classes are trained, 2 of them scored: sit, stand, yawn"

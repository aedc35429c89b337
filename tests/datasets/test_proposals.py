import pickle
from pathlib import Path

import numpy as np
import pytest

from avdet.datasets.proposals import read_proposals
from tests.shared import SHARED, needs_shared


def dump(path: Path, content: object) -> Path:
    path.write_bytes(pickle.dumps(content))
    return path


def test_a_pickle_in_mmaction2s_form(tmp_path: Path) -> None:
    proposals = {
        "a,b,0902": np.array([[0.1, 0.2, 0.3, 0.4, 0.9], [0.5, 0.5, 1.0, 1.0, 0.3]]),
        "c,0903": np.array([[0.0, 0.0, 0.5, 0.5]]),
        "c,0904": np.zeros((0, 5)),
    }
    table = read_proposals(dump(tmp_path / "boxes.pkl", proposals))
    assert table.to_numpy().tolist() == [
        ["a,b", 902.0, 0.1, 0.2, 0.3, 0.4, 0.9, -1],
        ["a,b", 902.0, 0.5, 0.5, 1.0, 1.0, 0.3, -1],
        ["c", 903.0, 0.0, 0.0, 0.5, 0.5, 1.0, -1],
    ]


def test_no_person_boxes(tmp_path: Path) -> None:
    assert len(read_proposals(dump(tmp_path / "boxes.pkl", {}))) == 0


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        {"a": np.zeros((1, 4))},
        {"a,1": np.zeros((1, 3))},
        {"a,x": np.zeros((1, 4))},
        {3: np.zeros((1, 4))},
    ],
)
def test_pickles_of_another_form_are_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(ValueError, match=r"boxes\.pkl does not map"):
        read_proposals(dump(tmp_path / "boxes.pkl", content))
    with pytest.raises(ValueError, match=r"\(see 'a,2'\)"):
        read_proposals(dump(tmp_path / "boxes.pkl", {"a,1": np.zeros((1, 4)), "a,2": np.zeros((1, 6))}))


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ([0.1, 0.1, np.nan, 0.4, 0.5], "NaN and Inf are not allowed"),
        ([0.1, 0.1, 0.4, 0.4, np.inf], "NaN and Inf are not allowed"),
        ([0.5, 0.1, 0.4, 0.4, 0.5], "x1 <= x2 and y1 <= y2"),
        ([10, 10, 90, 90, 0.5], "fractions of the frame, from 0 to 1"),
        ([-9, 0.1, 0.4, 0.4, 0.5], "fractions of the frame"),
        ([0.1, 0.1, 0.4, 0.4, 98], "scores are from 0 to 1"),
        ([0.1, 0.1, 0.4, 0.4, -0.5], "scores are from 0 to 1"),
    ],
)
def test_boxes_and_scores_are_checked(tmp_path: Path, row: list[float], rule: str) -> None:
    good = [-0.01, 0.0, 0.5, 1.02, 1.0]
    proposals = {"a,0902": np.array([good]), "a,0903": np.array([good, row])}
    with pytest.raises(ValueError, match=rf"boxes\.pkl: 'a,0903' has the box and score .*; .*{rule}"):
        read_proposals(dump(tmp_path / "boxes.pkl", proposals))


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    class RunsCode:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.write_text, (tmp_path / "owned", "x"))

    with pytest.raises(ValueError, match="might run code"):
        read_proposals(dump(tmp_path / "boxes.pkl", {"a,1": RunsCode()}))
    assert not (tmp_path / "owned").exists()


@needs_shared
def test_published_proposals() -> None:
    folder = SHARED / "data/annotations/custom_ava/ethereal311_birds/annotations"
    table = read_proposals(folder / "ava_dense_proposals_val.FAIR.recall_93.9.pkl")
    assert set(table["video"]) == {"IMG_0177"} and table["timestamp"].between(1, 40).all()
    assert table[["x1", "y1", "x2", "y2", "score"]].to_numpy().min() >= 0 and len(table) > 10

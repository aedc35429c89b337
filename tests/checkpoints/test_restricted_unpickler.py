"""restricted_load: numbers round-trip in every protocol; damaged or non-numeric pickles raise ValueError."""

import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from avdet.checkpoints.restricted_unpickler import restricted_load

CONTENT = OrderedDict(
    floats=np.arange(6, dtype=np.float32).reshape(2, 3),
    columns=np.asfortranarray(np.arange(6, dtype="<i8").reshape(2, 3)),
    empty=np.zeros((0, 5)),
    one=np.float64(0.5),
    zero_d=np.array(7),
    plain={"a": [1, "b", None, b"c"]},
)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_numbers_round_trip(tmp_path: Path, protocol: int) -> None:
    loaded = restricted_load(written(tmp_path / "a.pkl", pickle.dumps(CONTENT, protocol)))
    assert list(loaded) == list(CONTENT)
    assert loaded["plain"] == CONTENT["plain"]
    for name in set(CONTENT) - {"plain"}:
        actual, expected = np.asarray(loaded[name]), np.asarray(CONTENT[name])
        assert actual.dtype == expected.dtype and actual.shape == expected.shape and (actual == expected).all(), name


@pytest.mark.parametrize("array", [np.array([{}, None]), np.array(["a"]), np.zeros(1, dtype=[("a", int)])])
def test_non_numeric_arrays_are_rejected(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"holds an array of type .* which is not numeric"):
        restricted_load(written(tmp_path / "a.pkl", pickle.dumps(array)))


def test_big_endian_arrays_are_read(tmp_path: Path) -> None:
    loaded = restricted_load(written(tmp_path / "a.pkl", pickle.dumps(np.arange(3, dtype=">i4"))))
    assert loaded.tolist() == [0, 1, 2]


def test_damaged_pickles_raise_only_value_errors(tmp_path: Path) -> None:
    whole, rng = pickle.dumps(CONTENT, 2), np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole), size=rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        try:
            restricted_load(written(tmp_path / "a.pkl", bytes(damaged)))
        except ValueError as error:
            assert "a.pkl" in str(error)

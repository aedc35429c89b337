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
def test_numbers_come_back_equal(tmp_path: Path, protocol: int) -> None:
    found = restricted_load(written(tmp_path / "a.pkl", pickle.dumps(CONTENT, protocol)))
    assert list(found) == list(CONTENT)
    assert found["plain"] == CONTENT["plain"]
    for name in set(CONTENT) - {"plain"}:
        here, there = np.asarray(found[name]), np.asarray(CONTENT[name])
        assert here.dtype == there.dtype and here.shape == there.shape and (here == there).all(), name


@pytest.mark.parametrize("array", [np.array([{}, None]), np.array(["a"]), np.zeros(1, dtype=[("a", int)])])
def test_arrays_of_anything_but_numbers_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"holds an array of .* which are no numbers"):
        restricted_load(written(tmp_path / "a.pkl", pickle.dumps(array)))


def test_another_byte_order_is_understood(tmp_path: Path) -> None:
    found = restricted_load(written(tmp_path / "a.pkl", pickle.dumps(np.arange(3, dtype=">i4"))))
    assert found.tolist() == [0, 1, 2]


def test_damage_is_said_and_nothing_worse(tmp_path: Path) -> None:
    whole, rng = pickle.dumps(CONTENT, 2), np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole), size=rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        try:
            restricted_load(written(tmp_path / "a.pkl", bytes(damaged)))
        except ValueError as error:
            assert "a.pkl" in str(error)

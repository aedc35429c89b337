"""restricted_load: numbers round-trip in every protocol; damaged or non-numeric pickles raise ValueError."""

import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from ava_eval.restricted_unpickler import restricted_load

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


def _array_of(content: bytes, size: int, dtype: bytes = b"u1") -> bytes:
    """Opcodes that make an array from the opcodes of its content."""
    kind = b"cnumpy\ndtype\n(X" + struct.pack("<I", len(dtype)) + dtype + b"tR"
    empty = b"cnumpy.core.multiarray\n_reconstruct\n(tR"
    return empty + b"(K\x01(J" + struct.pack("<i", size) + b"t" + kind + b"\x89" + content + b"tb"


TEXT = b"X" + struct.pack("<I", 1000) + b"a" * 1000
HOSTILE = {
    "memo index": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"N.",
    "text length": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"a.",
    "buffer length": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"a.",
    "bytes(n)": b"\x80\x02c__builtin__\nbytes\n(J\xff\xff\xff\x7ftR.",
    "nested tuple as a key": b"\x80\x02}N" + b"\x85" * 1_000_000 + b"Ns.",
    "nested lists": b"\x80\x02" + b"(" * 1000 + b"l" * 1000 + b".",
    "empty sets": b"\x80\x04(" + b"\x8f" * 2_000_000 + b"l.",
    "one text as many arrays": b"\x80\x02(" + TEXT + b"q\x000" + _array_of(b"h\x00", 1000) * 100 + b"l.",
    "encoded again": b"\x80\x02(" + TEXT + b"q\x000" + b"c_codecs\nencode\n(h\x00X\x06\0\0\0latin1tR" * 100 + b"l.",
    "codec": b"\x80\x02c_codecs\nencode\n(X\x01\0\0\0aX\x05\0\0\0rot13tR.",
    "array size": b"\x80\x02" + _array_of(b"U\x01a", 1 << 30) + b".",
    "no operand": b"\x80\x02\x85.",
    "no mark": b"\x80\x02Nt.",
    "no end": b"\x80\x02N",
    "empty": b"",
    "code": b"cos\nsystem\n(S'true'\ntR.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "a.pkl", HOSTILE[name])
    with pytest.raises(ValueError, match=r"a\.pkl is (refused|no pickle)"):
        restricted_load(path)


def test_an_array_of_old_text_is_read(tmp_path: Path) -> None:
    """The helper of the hostile files makes a good array, too."""
    loaded = restricted_load(written(tmp_path / "a.pkl", b"\x80\x02" + _array_of(b"U\x02ab", 2) + b"."))
    assert loaded.tolist() == [97, 98]

"""Damaged files give a result or one sentence, never a traceback."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ava_eval.cli import main

LABEL_MAP = b'item { name: "sit" id: 1 }\nitem { name: "stand" id: 3 }\n'
NUMBERS = [
    *(b"nan", b"inf", b"-inf", b"1e400", b"-1e400", b"1e308", b"-0.5", b"1e-400", b"0", b"-1", b"1.5", b"9" * 400),
    *(b"True", b"None", b"0x10", b"1_0", b"1,5", b"99999999999999999999", b"\xd9\xa3"),
]
CHARACTERS = [
    *(b"", b" ", b"\x00", b"\r", b"\t", b"\n", b"\r\n", b'"', b"'", b'""', b";", b"#", b"x" * 5000),
    *(b"\xff", b"\xef\xbb\xbf", b"\xe2\x82\xac", b"\xf0\x9f\x8e\xac"),
]
VALUES = NUMBERS + CHARACTERS
Damage = Callable[[bytes, random.Random], bytes]


def valid(columns: int) -> bytes:
    """Rows of ground truth (8 columns) or detections (9) over six keyframes."""
    rows = []
    for index in range(24):
        x, y = 0.05 * (index % 7), 0.04 * (index % 5)
        box = [f"{value:.3f}" for value in (x, y, x + 0.4, y + 0.6)]
        row = [f"v{index % 2}", f"{902 + index % 3}", *box, "13"[index % 2]]
        rows.append(",".join([*row, *([f"0.{index + 1:03d}"] if columns == 9 else []), str(index % 4)]))
    return ("\n".join(rows) + "\n").encode()


def flip_bytes(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 3, 30])):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def cut(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randrange(1, 200) :]


def change_field(data: bytes, rng: random.Random) -> bytes:
    """Replace one field or a whole column by an invalid value."""
    rows = [line.split(b",") for line in data.split(b"\n")]
    value, column, whole = rng.choice(VALUES), rng.randrange(9), rng.random() < 0.3
    for row in rows if whole else [rng.choice(rows)]:
        if column < len(row):
            row[column] = value
    return b"\n".join(b",".join(row) for row in rows)


def drop_column(data: bytes, rng: random.Random) -> bytes:
    column = rng.randrange(9)
    rows = [line.split(b",") for line in data.split(b"\n")]
    return b"\n".join(b",".join(row[:column] + row[column + 1 :]) for row in rows)


def repeat(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))] * rng.randrange(2, 9)


def insert(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + rng.choice(VALUES) * rng.choice([1, 1, 50]) + data[start:]


def pack(data: bytes, rng: random.Random) -> bytes:
    """Compress the data, and sometimes damage it afterwards."""
    packed = gzip.compress(data, mtime=0)
    return rng.choice([lambda d, _: d, flip_bytes, cut])(packed, rng)


def replace(_: bytes, rng: random.Random) -> bytes:
    others = [b"", b"\n", b"\xff\xfe", b"\x1f\x8b", b",,,,,,,\n", rng.randbytes(300), "v,902\n".encode("utf-16")]
    return rng.choice(others)


DAMAGES: list[Damage] = [flip_bytes, cut, change_field, change_field, drop_column, repeat, insert, pack, replace]
MORE: list[list[str]] = [[], ["--tubes"], ["--protocol", "pyslowfast"], ["--protocol", "mmaction2", "--breakdown"]]


def damaged(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice([1, 1, 2])):
        data = rng.choice(DAMAGES)(data, rng) if data else data
    return data


@pytest.mark.parametrize("seed", range(12))
def test_damaged_files(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(seed)
    valid_files = {"gt.csv": valid(8), "found.csv": valid(9), "map": LABEL_MAP, "excluded.csv": b"v0,902\nv1,904\n"}
    options = [
        "--ground-truth",
        "gt.csv",
        "--detections",
        "found.csv",
        "--label-map",
        "map",
        "--excluded",
        "excluded.csv",
    ]
    options = [str(tmp_path / option) if option in valid_files else option for option in options]
    statuses = set()
    for _ in range(30):
        damaged_name = rng.choice(["gt.csv", "found.csv", "found.csv", "found.csv", "map", "excluded.csv"])
        for name, data in valid_files.items():
            (tmp_path / name).write_bytes(damaged(data, rng) if name == damaged_name else data)
        status = main([*options, *rng.choice(MORE)])
        printed = capsys.readouterr()
        assert status in {0, 2}
        if status:
            assert printed.err.strip()
            assert printed.err.count("\n") == 1
        else:
            assert printed.err == ""
        statuses.add(status)
    assert statuses == {0, 2}

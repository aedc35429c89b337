"""Files damaged in every way: a number or one sentence, never a traceback."""

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


def tidy(columns: int) -> bytes:
    """Rows of ground truth (8 columns) or detections (9) over six keyframes."""
    rows = []
    for place in range(24):
        x, y = 0.05 * (place % 7), 0.04 * (place % 5)
        box = [f"{value:.3f}" for value in (x, y, x + 0.4, y + 0.6)]
        row = [f"v{place % 2}", f"{902 + place % 3}", *box, "13"[place % 2]]
        rows.append(",".join([*row, *([f"0.{place + 1:03d}"] if columns == 9 else []), str(place % 4)]))
    return ("\n".join(rows) + "\n").encode()


def flip_bytes(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice([1, 3, 30])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randrange(1, 200) :]


def change_field(data: bytes, chance: random.Random) -> bytes:
    """One field, or a whole column, becomes an odd value."""
    rows = [line.split(b",") for line in data.split(b"\n")]
    value, column, whole = chance.choice(VALUES), chance.randrange(9), chance.random() < 0.3
    for row in rows if whole else [chance.choice(rows)]:
        if column < len(row):
            row[column] = value
    return b"\n".join(b",".join(row) for row in rows)


def drop_column(data: bytes, chance: random.Random) -> bytes:
    column = chance.randrange(9)
    rows = [line.split(b",") for line in data.split(b"\n")]
    return b"\n".join(b",".join(row[:column] + row[column + 1 :]) for row in rows)


def repeat(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))] * chance.randrange(2, 9)


def insert(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + chance.choice(VALUES) * chance.choice([1, 1, 50]) + data[place:]


def pack(data: bytes, chance: random.Random) -> bytes:
    """Compressed, and sometimes damaged after that."""
    packed = gzip.compress(data, mtime=0)
    return chance.choice([lambda d, _: d, flip_bytes, cut])(packed, chance)


def replace(_: bytes, chance: random.Random) -> bytes:
    others = [b"", b"\n", b"\xff\xfe", b"\x1f\x8b", b",,,,,,,\n", chance.randbytes(300), "v,902\n".encode("utf-16")]
    return chance.choice(others)


DAMAGES: list[Damage] = [flip_bytes, cut, change_field, change_field, drop_column, repeat, insert, pack, replace]
MORE: list[list[str]] = [[], ["--tubes"], ["--protocol", "pyslowfast"], ["--protocol", "mmaction2", "--breakdown"]]


def damaged(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice([1, 1, 2])):
        data = chance.choice(DAMAGES)(data, chance) if data else data
    return data


@pytest.mark.parametrize("seed", range(12))
def test_damaged_files(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(seed)
    tidy_files = {"gt.csv": tidy(8), "found.csv": tidy(9), "map": LABEL_MAP, "excluded.csv": b"v0,902\nv1,904\n"}
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
    options = [str(tmp_path / option) if option in tidy_files else option for option in options]
    statuses = set()
    for _ in range(30):
        victim = chance.choice(["gt.csv", "found.csv", "found.csv", "found.csv", "map", "excluded.csv"])
        for name, data in tidy_files.items():
            (tmp_path / name).write_bytes(damaged(data, chance) if name == victim else data)
        status = main([*options, *chance.choice(MORE)])
        printed = capsys.readouterr()
        assert status in {0, 2}
        if status:
            assert printed.err.strip()
            assert printed.err.count("\n") == 1
        else:
            assert printed.err == ""
        statuses.add(status)
    assert statuses == {0, 2}

"""Damages files: bytes, numbers and words of texts, nodes of JSON, members of archives."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

__all__ = ["mutated", "mutated_json"]

NUMBERS = [
    *(b"nan", b"inf", b"-inf", b"1e400", b"1e308", b"-1e308", b"1e-400", b"-0.0", b"0", b"-1", b"1", b"1.5", b"0x10"),
    *(b"9" * 400, b"9" * 5000, b"9223372036854775808", b"4294967296", b"2147483647", b"1_0", b"1,5", b"\xd9\xa3"),
]
TEXTS = [
    *(b"", b" ", b"\x00", b"\r", b"\t", b"\n", b'"', b"'", b";", b",", b"#", b":", b"|", b"/", b"../..", b"~", b"%s"),
    *(b"x" * 5000, b"\xff", b"\xef\xbb\xbf", b"\xe2\x82\xac", b"\xe2\x80\xa8", b"\xf0\x9f\x8e\xac", b"\x1b[31m"),
    *(b"[" * 2000, b"{" * 100, b"]", b"}", b"<", b">", b"&amp;", b"&x;", b"*a", b"&a [*a]", b"null", b"true", b"!!"),
]
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 7, 1.5, -0.5, 1e308, float("nan"), float("inf"), 2**31, 2**63, 10**30, 10**400),
    *("", " ", "a", "0", "1", "nan", "\n", "\x1b[31m", "\x00", "\ud800", "x" * 5000, "../..", "1e400"),
    *([], {}, [[]], [None], [1, 2], {"a": None}, [0] * 100_000, {str(number): number for number in range(1000)}),
]
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
Mutation = Callable[[bytes, random.Random], bytes]


def mutated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """`data` after one to four mutations, sometimes joined with a part of `other`."""
    for _ in range(rng.choice([1, 1, 2, 4])):
        data = rng.choice([_mutate_inside, _mutate_inside, _mutate_plain])(data, rng)
    if rng.random() < 0.05 and other:
        data = data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other)) :]
    return data


def mutated_json(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    """JSON after one to four changes of nodes: still JSON."""
    tree = json.loads(data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        tree = _mutate_node(tree, rng)
    return json.dumps(tree).encode()


def _mutate_inside(data: bytes, rng: random.Random) -> bytes:
    """Mutates the content of an archive, and packs it again, or a node of JSON; else as `_mutate_plain`."""
    try:
        if data.startswith(b"\x1f\x8b"):
            return gzip.compress(_mutate_inside(gzip.decompress(data), rng), 1, mtime=0)
        if data.startswith(b"PK"):
            return _mutate_member(data, rng)
        if data.lstrip().startswith((b"{", b"[")):
            return json.dumps(_mutate_node(json.loads(data), rng)).encode()
    except (ValueError, OSError, EOFError, RecursionError, zlib.error, zipfile.BadZipFile, NotImplementedError):
        pass
    return _mutate_plain(data, rng)


def _mutate_member(data: bytes, rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    chosen = rng.choice([0, rng.randrange(len(members))])  # the first one of a checkpoint is its pickle
    name, content = members[chosen]
    members[chosen] = (name, _mutate_inside(content, rng))
    if rng.random() < 0.05:
        members.pop(rng.randrange(len(members)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def _mutate_node(tree: Any, rng: random.Random) -> Any:  # noqa: ANN401  (JSON)
    """Replaces, removes, repeats or renames one node at a random depth."""
    if not isinstance(tree, dict | list) or not tree or rng.random() < 0.15:
        return deepcopy(rng.choice(VALUES))
    key = rng.choice(list(tree)) if isinstance(tree, dict) else rng.randrange(len(tree))
    action = rng.random()
    if action < 0.7:
        tree[key] = _mutate_node(tree[key], rng)
    elif action < 0.8:
        del tree[key]
    elif isinstance(tree, dict):
        tree[rng.choice([*map(str, rng.choice([VALUES, NUMBERS])), *tree])[:200]] = tree.pop(key)
    else:
        tree.insert(rng.randrange(len(tree) + 1), deepcopy(tree[key]))
    return tree


def _mutate_plain(data: bytes, rng: random.Random) -> bytes:
    is_text = b"\x00" not in data[:1000]
    mutation = rng.choice([*_OF_BYTES, *(_OF_TEXT * 3 if is_text else [])])
    return mutation(data, rng) if data else rng.choice(NUMBERS + TEXTS)


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 3, 30])):
        # Mostly near the start, where headers are.
        place = rng.randrange(min(len(changed), rng.choice([64, 512, len(changed)])))
        changed[place] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    return bytes(changed)


def _cut(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randrange(1, rng.choice([4, 200, len(data) + 1]) + 1) :]


def _truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    part = data[start : start + rng.choice([4, 60, 2000])]
    return data[:start] + part * rng.choice([1, 2, 50]) + data[start:]


def _insert(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + rng.choice(TEXTS + NUMBERS) * rng.choice([1, 1, 20]) + data[start:]


def _change_integer(data: bytes, rng: random.Random) -> bytes:
    """Writes an extreme size, offset or count over 2, 4 or 8 bytes."""
    size = rng.choice([2, 4, 8])
    value = rng.choice([0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), 2 ** (8 * size - 8), rng.randrange(1000)])
    start = rng.randrange(len(data))
    return data[:start] + value.to_bytes(size, rng.choice(["little", "big"])) + data[start + size :]


def _change_number(data: bytes, rng: random.Random) -> bytes:
    return _substitute(list(NUMBER.finditer(data)), rng.choice(NUMBERS + TEXTS), data, rng)


def _change_word(data: bytes, rng: random.Random) -> bytes:
    return _substitute(list(re.finditer(rb"[^\s,;:<>\"'{}\[\]=|]+", data)), rng.choice(NUMBERS + TEXTS), data, rng)


def _swap_words(data: bytes, rng: random.Random) -> bytes:
    words = list(re.finditer(rb"[^\s,;:<>\"'{}\[\]=|]+", data))
    return _substitute(words, rng.choice(words)[0] if words else b"", data, rng)


def _repeat_line(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    chosen = rng.randrange(len(lines))
    return b"\n".join([*lines[:chosen], *[lines[chosen]] * rng.choice([0, 2, 2, 300]), *lines[chosen + 1 :]])


def _encode(data: bytes, rng: random.Random) -> bytes:
    return data.decode("utf-8", "replace").encode(rng.choice(["utf-16", "utf-32", "utf-8-sig", "utf-7"]), "replace")


def _substitute(matches: Sequence[re.Match[bytes]], value: bytes, data: bytes, rng: random.Random) -> bytes:
    if not matches:
        return data + value
    match = rng.choice(matches)
    return data[: match.start()] + value + data[match.end() :]


_OF_BYTES: list[Mutation] = [_flip, _flip, _cut, _truncate, _repeat, _insert, _change_integer]
_OF_TEXT: list[Mutation] = [_change_number, _change_word, _swap_words, _repeat_line, _encode]

"""Reads label maps: AVA's pbtxt in any layout, JSON, or a plain list of class names."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from itertools import pairwise
from numbers import Integral
from pathlib import Path

from ava_eval.csv_format import FormatError
from ava_eval.csv_parser import quoted
from ava_eval.csv_reader import open_plain_or_gzip, read_bytes, shown_name

logger = logging.getLogger(__name__)
POSE, OBJECT, INTERACTION = "pose", "object", "person interaction"
_GROUP_OF_TYPE = {"PERSON_MOVEMENT": POSE, "OBJECT_MANIPULATION": OBJECT, "PERSON_INTERACTION": INTERACTION}
_TOKEN = re.compile(r"""#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[{}:]|[^\s{}:,;"'#]+""")
_MAX_BYTES = 10_000_000
_NUMBERED_NAME = re.compile(r"(\d{1,9})\s*[:,\t ]\s*(\S.*)", re.ASCII)
_LIST_HEADER = re.compile(r"(\w+_)?id\s*[:,\t ]\s*(\w+_)?(name|class|label|action)", re.IGNORECASE)
_CSV_QUOTED = re.compile(r'"(?:[^"]|"")+"')
_WEB_PAGE = re.compile(r"\s*<(!doctype|html|head|body|\?xml)\b", re.IGNORECASE)
_CSV_ROW = re.compile(r"[^,\t]+([,\t]\s*[-+.\de]+)+", re.ASCII)
_TRAILING_ID = re.compile(r"([^:]+):\s*\d+", re.ASCII)
_BULLET = re.compile(r"[-*]\s.*")
_HEADING = re.compile(r"((class|label|action)[ _]?)?(names?|class(es)?|labels?)([,\t]\s*(\w+_)?id)?", re.IGNORECASE)


def read_label_map(path: str | Path) -> dict[int, str]:
    """Class names by action id, in the file's order.

    A pbtxt holds `item {...}` or `label {...}` blocks with `name` and `id` or `label_id`; JSON maps names to ids, or
    ids to names. Any other text is a list of names, one per line; blank lines are skipped. If all lines look like
    `3: jump`, `3,jump` or `3 jump`, with or without a header line, these are the ids; otherwise the first name has
    id 1. If most but not all lines have an id, FormatError names the first without one.
    """
    return read_label_map_and_groups(path)[0]


def read_label_groups(path: str | Path) -> dict[int, str]:
    """Group of each action id: "pose", "object" or "person interaction"; empty if the file has no groups.

    Groups are the pbtxt's `label_type`; without that field, AVA's groups by id if the names are AVA's.
    """
    return read_label_map_and_groups(path)[1]


def read_label_map_and_groups(path: str | Path) -> tuple[dict[int, str], dict[int, str]]:
    """What `read_label_map` and `read_label_groups` return, from one reading of the file."""
    classes = _read_classes(Path(path))
    label_map = {action_id: name for action_id, name, _ in classes}
    typed = {action_id: _GROUP_OF_TYPE[kind] for action_id, _, kind in classes if kind in _GROUP_OF_TYPE}
    return label_map, typed or ava_groups(label_map)


def ava_groups(label_map: Mapping[int, str]) -> dict[int, str]:
    """AVA's groups (ids 1-14 pose, 15-63 object, 64-80 person interaction); empty for other label maps."""
    if (label_map.get(11), label_map.get(12)) != ("sit", "stand"):
        return {}
    of_id = {**dict.fromkeys(range(1, 15), POSE), **dict.fromkeys(range(15, 64), OBJECT)}
    of_id |= dict.fromkeys(range(64, 81), INTERACTION)
    return {action_id: of_id[action_id] for action_id in label_map if action_id in of_id}


def check_label_map(label_map: Mapping[int, str], source: str = "the label map") -> None:
    """Raise FormatError unless ids are whole numbers from 1 up and names are unique."""
    if not isinstance(label_map, Mapping) or not all(isinstance(key, Integral) for key in label_map):
        raise FormatError(f"{source} is {quoted(str(label_map))}; write it as {{id: name}} with whole numbers as ids.")
    if not label_map:
        raise FormatError(f"{source} defines 0 classes; give AVA's pbtxt or a list of class names, one per line.")
    id_of: dict[str, int] = {}
    for action_id, name in label_map.items():
        if action_id < 1:
            raise FormatError(
                f"{source} gives {quoted(name)} the id {action_id}; AVA's ids start at 1, so add 1 to all."
            )
        if name in id_of:
            raise FormatError(
                f"{source} gives the name {quoted(name)} to the ids {id_of[name]} and {action_id}; rename one of them."
            )
        id_of[name] = action_id


def _read_classes(path: Path) -> list[tuple[int, str, str]]:
    """(id, name, label type or "") of each class."""
    with open_plain_or_gzip(path) as file:
        data = read_bytes(file, path, _MAX_BYTES + 1)
    name = shown_name(path)
    if len(data) > _MAX_BYTES:
        raise FormatError(f"{name} has over {_MAX_BYTES} bytes, so it is not a label map; check the path.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{name} is not UTF-8 text (byte {error.start}); save the label map as UTF-8.") from None
    if _WEB_PAGE.match(text):
        raise FormatError(f"{name} is a web page; download the file itself (on GitHub: the raw file).")
    if text.lstrip()[:1] in {"[", "{"}:
        classes = _parse_json(text, name)
    else:
        classes = _parse_pbtxt(text, name) if re.search(r"[{}]", text) else _parse_list(text, name)
    ids: set[int] = set()
    for action_id, _, _ in classes:
        if action_id in ids:
            raise FormatError(f"{name} defines the id {action_id} twice; give each class its own id.")
        ids.add(action_id)
    check_label_map({action_id: class_name for action_id, class_name, _ in classes}, name)
    return classes


def _parse_pbtxt(text: str, path: str) -> list[tuple[int, str, str]]:
    classes: list[tuple[int, str, str]] = []
    for block in _blocks(_TOKEN.findall(text), path):
        number = block.get("label_id", block.get("id", ""))
        name = _unquote(block.get("name", ""))
        if not name or not re.fullmatch(r"\d{1,9}", number, re.ASCII):
            raise FormatError(
                f"{path}: class {len(classes) + 1} has name {quoted(name)} and id {quoted(number)};"
                " each block needs a name in quotes and a whole number as id or label_id."
            )
        classes.append((int(number), name, block.get("label_type", "")))
    return classes


def _blocks(tokens: list[str], path: str) -> list[dict[str, str]]:
    """The `key: value` pairs of each `word { ... }` block."""
    stream = [token for token in tokens if not token.startswith("#")]
    blocks: list[dict[str, str]] = []
    is_open = False
    for index, token in enumerate(stream):
        if token in "{}":
            if is_open == (token == "{"):
                raise FormatError(f"{path}: block {len(blocks)} has an unmatched {token!r}; close each block once.")
            is_open = not is_open
            if is_open:
                blocks.append({})
        elif token == ":" and is_open and 0 < index < len(stream) - 1:
            blocks[-1][stream[index - 1]] = stream[index + 1]
    if is_open:
        raise FormatError(f"{path}: the last block is not closed; download the file again if it is truncated.")
    return blocks


def _unquote(value: str) -> str:
    """The text between quotes; "" for a bare word, because a bare name may have more words."""
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value[:1] in {'"', "'"} else ""


def _parse_json(text: str, path: str) -> list[tuple[int, str, str]]:
    """{"jump": 3} or {"3": "jump"}. PySlowFast's files hold the model's outputs from 0: output 0 is AVA's id 1."""
    try:
        pairs = json.loads(text, object_pairs_hook=list)
        by_name = all(isinstance(value, int) for _, value in pairs)
        classes = [(int(value), str(key)) if by_name else (int(key), str(value)) for key, value in pairs]
    except (ValueError, TypeError, RecursionError):
        raise FormatError(
            f'{path} looks like JSON, but maps no class names to ids; write it as `{{"jump": 3}}`.'
        ) from None
    offset = 1 if sorted(id_ for id_, _ in classes) == list(range(len(classes))) else 0
    if offset and classes:
        logger.warning("%s counts its %d classes from 0; 1 is added to make them ids", path, len(classes))
    return [(id_ + offset, name, "") for id_, name in classes]


def _parse_list(text: str, path: str) -> list[tuple[int, str, str]]:
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if lines and _LIST_HEADER.fullmatch(lines[0][1]):
        lines = lines[1:]
    names = [line for _, line in lines]
    numbered = [_NUMBERED_NAME.fullmatch(name) for name in names]
    if names and all(numbered):
        return [(int(match[1]), _csv_field(match[2]), "") for match in numbered if match]
    if any("\x00" in name for name in names):
        raise FormatError(f"{path} holds zero bytes, so it is not a list of names; give a text file.")
    if names and all(_CSV_ROW.fullmatch(name) for name in names):
        raise FormatError(
            f"{path} holds rows such as {quoted(names[0])} instead of class names; write them as `3: jump`."
        )
    if _are_ids([match for match in numbered if match], len(names)):
        number, line = lines[numbered.index(None)]
        raise FormatError(
            f"{path}, line {number}: {quoted(line)} has no id, but most lines have one; write it as `3: jump`."
        )
    for number, line in lines:
        if line.startswith("# ") or (line == names[0] and _HEADING.fullmatch(line)):
            raise FormatError(
                f"{path}, line {number}: {quoted(line)} would become a class;"
                f" remove the line, or number all lines: `3: jump`."
            )
    before_id = {match[1] for match in map(_TRAILING_ID.fullmatch, names) if match}
    if names and (len(before_id) == len(names) or all(_BULLET.fullmatch(name) for name in names)):
        raise FormatError(
            f"{path} holds lines such as {quoted(names[0])} instead of class names; write them as `3: jump`."
        )
    return [(action_id, name, "") for action_id, name in enumerate(names, start=1)]


def _csv_field(text: str) -> str:
    """Remove the quotes that spreadsheets put around a field with a comma."""
    return re.sub('""', '"', text[1:-1]) if _CSV_QUOTED.fullmatch(text) else text


def _are_ids(numbered: list[re.Match[str]], lines: int) -> bool:
    """Whether the numbers that begin most lines are ids: separated by a sign, or rising before unique names."""
    if len(numbered) <= lines / 2:
        return False
    is_rising = all(int(first[1]) < int(second[1]) for first, second in pairwise(numbered))
    is_unique = len({match[2] for match in numbered}) == len(numbered)  # unlike in "100 m", "200 m"
    return (is_rising and is_unique) or all(re.match(r"\d+\s*[:,\t]", match[0]) for match in numbered)

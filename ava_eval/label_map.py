"""Label maps: AVA's pbtxt in any indentation, or a plain list of names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from numbers import Integral
from pathlib import Path

from ava_eval.csv_rows import shown
from ava_eval.format_error import FormatError

POSE, OBJECT, INTERACTION = "pose", "object", "person interaction"
_GROUP_OF_TYPE = {"PERSON_MOVEMENT": POSE, "OBJECT_MANIPULATION": OBJECT, "PERSON_INTERACTION": INTERACTION}
_TOKEN = re.compile(r"""#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[{}:]|[^\s{}:,;"'#]+""")
_LARGEST_BYTES = 10_000_000
_NUMBERED_NAME = re.compile(r"(\d{1,9})\s*[:,\t ]\s*(\S.*)", re.ASCII)
_LIST_HEADER = re.compile(r"(\w+_)?id\s*[:,\t ]\s*(\w+_)?(name|class|label|action)", re.IGNORECASE)
_CSV_QUOTED = re.compile(r'"(?:[^"]|"")+"')
_WEB_PAGE = re.compile(r"\s*<(!doctype|html|head|body|\?xml)\b", re.IGNORECASE)
_CSV_ROW = re.compile(r"[^,\t]+([,\t]\s*[-+.\de]+)+", re.ASCII)
_ID_BEHIND = re.compile(r"([^:]+):\s*\d+", re.ASCII)
_POINT = re.compile(r"[-*]\s.*")
_HEADING = re.compile(r"((class|label|action)[ _]?)?(names?|class(es)?|labels?)([,\t]\s*(\w+_)?id)?", re.IGNORECASE)


def read_label_map(path: str | Path) -> dict[int, str]:
    """Class names by action id, in the file's order.

    A pbtxt holds `item {...}` or `label {...}` blocks with `name` and `id` or `label_id`. Any other text
    is a list of names, one a line: the first has id 1, blank lines do not count. If all lines are like
    `3: jump`, `3,jump` or `3 jump`, under a header line or none, these are the ids; if most are, FormatError
    names the first that is not.
    """
    return {action_id: name for action_id, name, _ in _read_classes(Path(path))}


def read_label_groups(path: str | Path) -> dict[int, str]:
    """Group of each action id: "pose", "object" or "person interaction"; empty if the file has none.

    Taken from `label_type` where the pbtxt has it, otherwise from AVA's ids where the names are AVA's.
    """
    classes = _read_classes(Path(path))
    typed = {action_id: _GROUP_OF_TYPE[kind] for action_id, _, kind in classes if kind in _GROUP_OF_TYPE}
    return typed or ava_groups({action_id: name for action_id, name, _ in classes})


def ava_groups(label_map: Mapping[int, str]) -> dict[int, str]:
    """AVA's own groups (ids 1-14 pose, 15-63 object, 64-80 person interaction); empty for other classes."""
    if (label_map.get(11), label_map.get(12)) != ("sit", "stand"):
        return {}
    of_id = {**dict.fromkeys(range(1, 15), POSE), **dict.fromkeys(range(15, 64), OBJECT)}
    of_id |= dict.fromkeys(range(64, 81), INTERACTION)
    return {action_id: of_id[action_id] for action_id in label_map if action_id in of_id}


def check_label_map(label_map: Mapping[int, str], source: str = "the label map") -> None:
    """Raise FormatError unless ids are whole numbers from 1 up and names differ."""
    if not isinstance(label_map, Mapping) or not all(isinstance(key, Integral) for key in label_map):
        raise FormatError(f"{source} is {shown(str(label_map))}; write it as {{id: name}}, ids as whole numbers.")
    if not label_map:
        raise FormatError(f"{source} defines 0 classes; give AVA's pbtxt or a list of class names, one a line.")
    seen: dict[str, int] = {}
    for action_id, name in label_map.items():
        if action_id < 1:
            raise FormatError(
                f"{source} gives {shown(name)} the id {action_id}; AVA's ids start at 1, so add 1 to all."
            )
        if name in seen:
            raise FormatError(
                f"{source} gives the name {shown(name)} to the ids {seen[name]} and {action_id}; rename one of them."
            )
        seen[name] = action_id


def _read_classes(path: Path) -> list[tuple[int, str, str]]:
    """(id, name, label type or "") of each class."""
    if path.stat().st_size > _LARGEST_BYTES:
        raise FormatError(f"{path} has over {_LARGEST_BYTES} bytes, so it is no label map; was another file meant?")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not UTF-8 text (byte {error.start}); save the label map as UTF-8.") from None
    if text.lstrip()[:1] in {"[", "{"}:
        raise FormatError(f"{path} looks like JSON; write class names one a line, or lines such as `3: jump`.")
    if _WEB_PAGE.match(text):
        raise FormatError(f"{path} is a web page; fetch the file itself (on GitHub: the raw one).")
    classes = _parse_pbtxt(text, path) if re.search(r"[{}]", text) else _parse_list(text, path)
    seen: set[int] = set()
    for action_id, _, _ in classes:
        if action_id in seen:
            raise FormatError(f"{path} defines the id {action_id} twice; give each class its own id.")
        seen.add(action_id)
    check_label_map({action_id: name for action_id, name, _ in classes}, str(path))
    return classes


def _parse_pbtxt(text: str, path: Path) -> list[tuple[int, str, str]]:
    classes: list[tuple[int, str, str]] = []
    for block in _blocks(_TOKEN.findall(text), path):
        number = block.get("label_id", block.get("id", ""))
        name = _unquote(block.get("name", ""))
        if not name or not re.fullmatch(r"\d{1,9}", number, re.ASCII):
            raise FormatError(
                f"{path}: class {len(classes) + 1} has name {shown(name)} and id {shown(number)};"
                " each block needs a name in quotes and a whole number as id or label_id."
            )
        classes.append((int(number), name, block.get("label_type", "")))
    return classes


def _blocks(tokens: list[str], path: Path) -> list[dict[str, str]]:
    """The `key: value` pairs of each `word { ... }`."""
    stream = [token for token in tokens if not token.startswith("#")]
    found: list[dict[str, str]] = []
    is_open = False
    for place, token in enumerate(stream):
        if token in "{}":
            if is_open == (token == "{"):
                raise FormatError(f"{path}: block {len(found)} has an unmatched {token!r}; close each block once.")
            is_open = not is_open
            if is_open:
                found.append({})
        elif token == ":" and is_open and 0 < place < len(stream) - 1:
            found[-1][stream[place - 1]] = stream[place + 1]
    if is_open:
        raise FormatError(f"{path}: the last block is not closed; is the file cut short?")
    return found


def _unquote(value: str) -> str:
    """The text between quotes; "" for a bare word, which may be the first of several."""
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value[:1] in {'"', "'"} else ""


def _parse_list(text: str, path: Path) -> list[tuple[int, str, str]]:
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
        raise FormatError(f"{path} holds rows such as {shown(names[0])}, no class names; write them as `3: jump`.")
    if _are_ids([match for match in numbered if match], len(names)):
        number, line = lines[numbered.index(None)]
        raise FormatError(
            f"{path}, line {number}: {shown(line)} has no id and name, as most lines have; write it as `3: jump`."
        )
    for number, line in lines:
        if line.startswith("# ") or (line == names[0] and _HEADING.fullmatch(line)):
            raise FormatError(
                f"{path}, line {number}: {shown(line)} would be a class; remove the line, or number all: `3: jump`."
            )
    behind = {match[1] for match in map(_ID_BEHIND.fullmatch, names) if match}
    if names and (len(behind) == len(names) or all(_POINT.fullmatch(name) for name in names)):
        raise FormatError(f"{path} holds lines such as {shown(names[0])}, no class names; write them as `3: jump`.")
    return [(place, name, "") for place, name in enumerate(names, start=1)]


def _csv_field(text: str) -> str:
    """What stands in quotes as spreadsheets write it, because it holds a comma."""
    return re.sub('""', '"', text[1:-1]) if _CSV_QUOTED.fullmatch(text) else text


def _are_ids(numbered: list[re.Match[str]], lines: int) -> bool:
    """Whether numbers before most names are ids: behind a sign, or rising with other names ("100 m", "200 m")."""
    if len(numbered) <= lines / 2:
        return False
    rises = all(int(one[1]) < int(other[1]) for one, other in pairwise(numbered))
    names_differ = len({match[2] for match in numbered}) == len(numbered)
    return (rises and names_differ) or all(re.match(r"\d+\s*[:,\t]", match[0]) for match in numbered)

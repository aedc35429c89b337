"""Checks a pickle's opcodes before it is read: sizes, memo, nesting and memory. Nothing of the pickle is executed.

Python's unpickler trusts these numbers. A file of a few bytes can make it reserve gigabytes, and the hash of a deeply
nested tuple overflows the interpreter's stack.
"""

from __future__ import annotations

import pickle
import pickletools
from typing import BinaryIO

__all__ = ["scan_pickle"]

_MAX_MEMORY = 400_000_000  # bytes of objects besides the file's own texts and arrays
_MAX_DEPTH = 200
_MARK = -1
_STORES = {"PUT", "BINPUT", "LONG_BINPUT"}
_LOADS = {"GET", "BINGET", "LONG_BINGET"}
_UPDATES = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"}  # change the lowest of their operands
# Approximate bytes of what an opcode makes, its place on the stack or in a container included.
_BYTES = {
    **dict.fromkeys(("REDUCE", "NEWOBJ", "NEWOBJ_EX", "INST", "OBJ", "EMPTY_SET", "FROZENSET"), 256),
    **dict.fromkeys(("EMPTY_DICT", "DICT", "EMPTY_LIST", "LIST"), 128),
    **dict.fromkeys(("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_TUPLE"), 64),
    **dict.fromkeys((*_STORES, *_LOADS, "MEMOIZE"), 16),
}
_OTHER_BYTES = 48


def _effect(opcode: pickletools.OpcodeInfo) -> tuple[int, bool, int, int]:
    """Number of operands below the mark, whether all items down to the mark are too, number of results, bytes."""
    before = [item.name for item in opcode.stack_before]
    takes_slice = "mark" in before
    below = before.index("mark") if takes_slice else len(before)
    return below, takes_slice, len(opcode.stack_after), _BYTES.get(opcode.name, _OTHER_BYTES)


_EFFECTS = {opcode.name: _effect(opcode) for opcode in pickletools.opcodes}


def scan_pickle(file: BinaryIO, size: int) -> None:
    """Reads up to the end of the pickle. Raises UnpicklingError, ValueError or IndexError if a check fails.

    size: of the file, in bytes.
    """
    depths: list[int] = []  # nesting of each item on the stack, or the mark
    memo: dict[int, int] = {}
    num_bytes = 0
    for count, (opcode, argument, position) in enumerate(pickletools.genops(file), start=1):
        name = opcode.name
        below, takes_slice, num_results, cost = _EFFECTS[name]
        num_bytes += cost
        if num_bytes > _MAX_MEMORY:
            raise pickle.UnpicklingError(f"its objects need over {_MAX_MEMORY // 1_000_000} MB")
        if name == "MARK":
            depths.append(_MARK)
        elif name in _LOADS:
            depths.append(memo[int(argument or 0)])
        elif name in _STORES or name == "MEMOIZE":
            index = len(memo) if name == "MEMOIZE" else int(argument or 0)
            if not 0 <= index <= count:
                raise pickle.UnpicklingError(f"its memo index {index} is larger than its number of objects")
            memo[index] = depths[-1]
        elif name == "FRAME" and int(argument or 0) > size - (position or 0):
            raise pickle.UnpicklingError("one of its frames is longer than the file")
        elif not below and not takes_slice:
            depths += [1] * num_results
        else:
            operands = _pop(depths, below, takes_slice=takes_slice)
            depths += [_depth(operands, updates=name in _UPDATES)] * num_results


def _depth(operands: list[int], *, updates: bool) -> int:
    """Nesting of what an opcode makes of items of these depths, or of the first of them, which it `updates`."""
    depth = max(operands, default=0) + 1
    if updates:
        depth = max(*operands[:1], max(operands[1:], default=0) + 1)
    if depth > _MAX_DEPTH:
        raise pickle.UnpicklingError(f"its objects are nested over {_MAX_DEPTH} deep")
    return depth


def _pop(depths: list[int], below: int, *, takes_slice: bool) -> list[int]:
    """Removes an opcode's operands from the stack and returns their depths, the lowest first."""
    start = len(depths)
    if takes_slice:
        while start and depths[start - 1] != _MARK:
            start -= 1
        start -= 1
    start -= below
    if start < 0:
        raise pickle.UnpicklingError("an operand is missing")
    operands = depths[start:]
    del depths[start:]
    return [depth for depth in operands if depth != _MARK]

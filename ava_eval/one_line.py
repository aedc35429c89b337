"""Texts from files, made safe for a terminal: a name may hold line ends, escape sequences or a whole book."""

from __future__ import annotations

__all__ = ["escaped", "one_line"]

_MAX_CHARACTERS = 1500


def one_line(text: str) -> str:
    """The text on one line, with `escaped` characters; the middle of a long one is left out.

    >>> one_line("a\\nname\\x1b[31m")
    'a name\\\\x1b[31m'
    """
    line = escaped(" ".join(text.split()))
    half = _MAX_CHARACTERS // 2
    return line if len(line) <= _MAX_CHARACTERS else f"{line[:half]} ... {line[-half:]}"


def escaped(text: str) -> str:
    """The text with characters that do not print, apart from line ends and tabs, as escapes such as \\x1b."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else character.encode("unicode_escape").decode()
        for character in text
    )

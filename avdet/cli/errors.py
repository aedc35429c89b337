"""What the user did wrong, as one sentence and exit code 2; anything else stays a traceback, because it is a bug."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def user_errors() -> Iterator[None]:
    """The library raises ValueError (ours name the value, the rule and the next step) or OSError for bad input."""
    try:
        yield
    except (ValueError, OSError) as error:
        sys.stderr.write(f"error: {' '.join(_sentence(error).split())}\n")
        raise SystemExit(2) from None


def _sentence(error: ValueError | OSError) -> str:
    """The system's own errors say only a number, a word and a path."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        word = error.strerror[0].lower() + error.strerror[1:]
        return f"{error.filename}: {word}; correct the path, or the setting that names it"
    return str(error)

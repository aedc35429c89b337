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
        sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
        raise SystemExit(2) from None

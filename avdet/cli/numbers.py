"""Python reads "nan" as a number; as a limit it lets nothing pass, and says nothing."""

from __future__ import annotations

import argparse
import math

__all__ = ["require_numbers"]


def require_numbers(args: argparse.Namespace, *names: str) -> None:
    """Raises ValueError where one of these options is nan."""
    for name in names:
        value = getattr(args, name)
        if value is not None and math.isnan(value):
            raise ValueError(f"--{name.replace('_', '-')} is nan; give a number")

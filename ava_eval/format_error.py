"""The error for files and tables that break AVA's form."""

from __future__ import annotations


class FormatError(ValueError):
    """A file or table cannot be read as what it should be.

    The message is one sentence: file, line, value, rule and next step.
    """

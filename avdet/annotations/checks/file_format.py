"""How an annotation file is written, where that is not AVA's own form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ava_eval.csv_parser import unknown_columns
from ava_eval.csv_reader import open_plain_or_gzip
from avdet.annotations.checks.finding import Finding, named

__all__ = ["about_form"]


def about_form(path: Path) -> Iterator[Finding]:
    """A header line, tabs and a byte order mark are understood; they are said, in case nobody knows of them.

    A header's unknown names are said louder: the file is read in AVA's order whatever they mean.
    Of a pickle (proposals come as those too) there is nothing to say.
    """
    if path.suffix == ".pkl":
        return
    with open_plain_or_gzip(path) as file:
        start = file.read(4096)
    first = start.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0].decode(errors="replace").strip()
    if start.startswith(b"\xef\xbb\xbf"):
        yield Finding("fact", path.name, "begins with a byte order mark, which is passed over")
    separator = "\t" if "\t" in first and "," not in first else ","
    if separator == "\t":
        yield Finding("fact", path.name, "is separated by tabs, which is understood")
    fields = first.split(separator)
    if len(fields) > 1 and not _is_number(fields[1]):
        unknown = unknown_columns(fields)
        if unknown:
            yield Finding(
                "warning",
                path.name,
                f"has a header line with {named(unknown, 'unknown name')}; the columns are read in AVA's order",
            )
        else:
            yield Finding("fact", path.name, f"has a header line ({first[:60]}), which is understood")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

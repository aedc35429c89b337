"""Fonts for text in any script: DejaVu Sans, and for letters that it lacks the fonts of the system."""

from __future__ import annotations

import functools
import logging
import unicodedata
from itertools import groupby
from pathlib import Path

import matplotlib as mpl
from matplotlib.font_manager import findSystemFonts
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont, features

__all__ = ["draw_text", "font_ascent", "text_length"]

logger = logging.getLogger(__name__)
# DejaVu Sans comes with matplotlib; it covers the European alphabets, Hebrew and Arabic.
_DEFAULT_FONT = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
_OTHER_STYLES = ("bold", "black", "medium", "light", "thin", "italic", "oblique", "condensed", "mono", "serif")
# Without it Pillow neither joins Arabic and Indic letters nor writes from right to left.
_DIRECTION = "ltr" if features.check("raqm") else None


@functools.lru_cache(maxsize=8192)
def text_length(text: str, text_px: int) -> float:
    """Width in pixels."""
    return sum(font.getlength(part, direction=_DIRECTION) for part, font in _runs(text, text_px))


def font_ascent(text_px: int) -> int:
    """Height of the default font above its base line, in pixels."""
    return _font(_DEFAULT_FONT, text_px).getmetrics()[0]


def draw_text(image: Image.Image, position: tuple[float, float], text: str, text_px: int) -> None:
    """Draws white letters into a greyscale image; `position` is the left end of the base line."""
    draw, (x, y) = ImageDraw.Draw(image), position
    for part, font in _runs(text, text_px):
        draw.text((x, y), part, fill=255, font=font, anchor="ls", direction=_DIRECTION)
        x += font.getlength(part, direction=_DIRECTION)


@functools.lru_cache(maxsize=1024)
def _runs(text: str, text_px: int) -> tuple[tuple[str, ImageFont.FreeTypeFont], ...]:
    """The text in parts that one font covers. Marks and spaces belong to the letter before them."""
    paths: list[Path] = []
    for letter in text:
        follows = bool(paths) and unicodedata.category(letter)[0] in "MZ"
        paths.append(paths[-1] if follows or (unicodedata.category(letter) == "Cf" and paths) else _font_with(letter))
    parts = groupby(range(len(text)), key=lambda index: paths[index])
    return tuple(("".join(text[index] for index in part), _font(path, text_px)) for path, part in parts)


@functools.cache
def _font_with(letter: str) -> Path:
    """The default font, or else the first font of the system that has the letter; logs it if none has."""
    if ord(letter) in _letters(_DEFAULT_FONT) or not letter.isprintable():
        return _DEFAULT_FONT
    found = next((path for path in _system_fonts() if ord(letter) in _letters(path)), None)
    if found is None:
        _report_missing(unicodedata.name(letter, "unknown").split()[0], letter)
    return found or _DEFAULT_FONT


@functools.cache
def _report_missing(script: str, letter: str) -> None:
    """Once per script, by the first word of the letter's Unicode name."""
    logger.warning(
        "no installed font has the letter %s (%s), so boxes stand for such letters; install a font of the script, "
        "for example Debian's fonts-noto-core and fonts-noto-cjk",
        letter,
        script.title() if script != "CJK" else script,
    )


@functools.cache
def _system_fonts() -> tuple[Path, ...]:
    """Regular fonts without serifs first."""

    def preference(path: Path) -> tuple[bool, bool, str]:
        name = path.name.lower().replace("sansserif", "sans")
        return any(style in name for style in _OTHER_STYLES), "sans" not in name, str(path)

    return tuple(sorted(map(Path, findSystemFonts()), key=preference))


@functools.cache
def _letters(path: Path) -> frozenset[int]:
    """The code points that the font has; none if it cannot be read."""
    try:
        return frozenset(FT2Font(str(path)).get_charmap())
    except (OSError, RuntimeError, TypeError):
        return frozenset()


@functools.cache
def _font(path: Path, text_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, text_px)

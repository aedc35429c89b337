"""The package, the configs and the pages use the field's terms: words that were replaced do not come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PLACES = ("avdet", "ava_eval", "tools", "configs", "docs", "README.md", "CONTRIBUTING.md")
SUFFIXES = {".py", ".md", ".yaml", ".html", ".js", ".css"}
REPLACED = {  # what is not written: the term that is
    "movies?|films?|filmed": "video",
    "pictures?": "frame",
    "sights?": "video, visual",
    "hears?|hearing|heard|deaf|ears?": "audio, without audio",
    "judges?|judged|judging|judgements?": "score, predict, evaluate",
    "nobody|no one": "no person",
    "somebody|someone|everybody|everyone|anybody|anyone|whoever": "a person, all persons, the user",
    "wish|wishes|wished": "setting",
    "workplaces?": "output, run directory",
    "rehears\\w*": "sanity check",
    "forget|forgets|forgot|forgotten|forgetting": "activation checkpointing",
    "altogether": "full",
    "told|said|tellable": "reported, logged, named",
    "wardrobe|backdrop|soundtrack": "appearance, background, audio",
}
MEANT = {  # (file, word): why it stays
    ("ava_eval/csv_format.py", "movie"): "a column name of box files that others have published",
    ("avdet/media/video_writer.py", "movie"): "FFmpeg's option movie_timescale",
    ("avdet/synthetic/synthetic_settings.py", "heard"): "a key of the manifests of existing sample sets",
    ("avdet/synthetic/scene_video.py", "picture"): "names a random stream; another name would change the data set",
    ("avdet/config_errors.py", "altogether"): "the old name of a value, which is refused with the new one",
    ("avdet/config_errors.py", "forget"): "the old name of a setting, which is refused with the new one",
}


def sources() -> Iterator[Path]:
    for place in map(REPOSITORY.joinpath, PLACES):
        yield from (path for path in [place, *place.rglob("*")] if path.suffix in SUFFIXES)


def found_in(text: str, words: str) -> list[str]:
    """The replaced words in a text, also as parts of snake_case names."""
    return re.findall(rf"(?<![a-z])(?:{words})(?![a-z])", text.lower())


@pytest.mark.parametrize("words", REPLACED)
def test_replaced_words_do_not_come_back(words: str) -> None:
    used = {
        (str(path.relative_to(REPOSITORY)), word)
        for path in sources()
        for word in found_in(path.read_text("utf-8"), words)
    }
    unexpected = sorted(used - MEANT.keys())
    assert not unexpected, f"write instead: {REPLACED[words]}"


def test_every_exception_is_still_needed() -> None:
    for name, word in MEANT:
        assert found_in((REPOSITORY / name).read_text("utf-8"), word), f"{name} no longer has {word!r}"


def test_whole_words_and_parts_of_names_are_found() -> None:
    text = "Movie_path, movies; removie, filmstrip; the FILM."
    assert found_in(text, "movies?|films?") == ["movie", "movies", "film"]

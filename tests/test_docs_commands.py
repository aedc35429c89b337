"""The commands, settings, paths and links of README.md, CONTRIBUTING.md and docs/ are valid."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import re
from argparse import Namespace
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from avdet.cli.config_arguments import config_from_arguments
from avdet.datasets import DATASETS
from avdet.settings import ModelConfig
from avdet.train_settings import TestConfig as EvaluationConfig
from avdet.train_settings import TrainConfig

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
FENCED = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(tools/[a-z]\w*(?:/\w+)?\.py|python -m ava_eval)(?= |$)([^#]*)")
OPTION = re.compile(r"--[a-z][\w-]*")
PATH = re.compile(r"(?<![\w/.-])(?:avdet|ava_eval|configs|docs|tests|tools)/[\w/.*-]*\w")
LINK = re.compile(r"\]\(([^)\s]+)\)")
SETTING = re.compile(r"\b(model|data|train|test)\.([a-z]\w*)\b(?![(/])")
FILE_SUFFIXES = {"csv", "json", "mp4", "yaml"}  # `train.csv` is a file
FIELDS = {
    "model": set(ModelConfig.model_fields),
    "data": {name for dataset in DATASETS.values() for name in dataset.Config.model_fields},
    "train": set(TrainConfig.model_fields),
    "test": set(EvaluationConfig.model_fields),
}

of_each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """(tool, arguments) of each command in fenced blocks and inline code. Comments are left out."""
    lines = "\n".join(FENCED.findall(text)).replace("\\\n", " ").splitlines()
    for line in [*lines, *INLINE.findall(FENCED.sub("", text))]:
        for tool, arguments in COMMAND.findall(line):
            yield tool, arguments.split()


@cache
def known_options(tool: str, part: str = "") -> set[str]:
    """The options in the tool's --help. part: what tools/benchmark.py measures."""
    name = "ava_eval.cli"
    if tool != "python -m ava_eval":
        name = tool.removeprefix("tools/").removesuffix(".py").replace("/", ".")
        name = f"avdet.cli.{name}" if (REPOSITORY / "avdet" / "cli" / f"{name}.py").exists() else name
    with contextlib.redirect_stdout(io.StringIO()) as output, pytest.raises(SystemExit):
        importlib.import_module(name).main([part, "--help"] if part else ["--help"])
    return set(OPTION.findall(output.getvalue()))


@of_each_page
def test_the_commands_have_only_options_that_their_tools_know(page: Path) -> None:
    for tool, arguments in commands(page.read_text(encoding="utf-8")):
        part = arguments[0] if tool == "tools/benchmark.py" and arguments else ""
        used = set(OPTION.findall(" ".join(arguments))) - {"--help"}
        assert not used or used <= known_options(tool, part), (tool, arguments)


@of_each_page
def test_the_commands_have_only_settings_that_their_config_knows(page: Path) -> None:
    for tool, arguments in commands(page.read_text(encoding="utf-8")):
        config = REPOSITORY / arguments[arguments.index("--config") + 1] if "--config" in arguments else None
        settings = [one for one in arguments if re.fullmatch(r"(seed|\w+\.\w+)=\S+", one)]
        if config is not None and config.exists():
            parsed = Namespace(config=config, sample="--sample" in arguments, overrides=settings)
            assert config_from_arguments(parsed), (tool, arguments)


@of_each_page
def test_the_settings_in_the_text_exist(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    for section, name in SETTING.findall(" ".join(INLINE.findall(text))):
        assert name in FIELDS[section] | FILE_SUFFIXES, f"{section}.{name}"


@of_each_page
def test_the_paths_in_code_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for code in [*FENCED.findall(text), *INLINE.findall(FENCED.sub("", text))]:
        for path in PATH.findall(code):
            assert list(REPOSITORY.glob(path)), path


def test_the_paths_in_the_headers_of_configs_exist() -> None:
    for config in sorted((REPOSITORY / "configs").rglob("*.yaml")):
        header = " ".join(line for line in config.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
        for path in PATH.findall(header):
            assert list(REPOSITORY.glob(path)), f"{config}: {path}"
        assert f"--config {config.relative_to(REPOSITORY)}" in header


@of_each_page
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        if anchor:
            assert anchor in headings(target), link


def headings(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_commands_are_found() -> None:
    """A page with every form: inline, continued, after torchrun, with a comment."""
    text = "`python tools/a.py --x`\n```\npython tools/b.py \\\n  --y  # --no\ntorchrun -n 2 tools/c.py\n```\n"
    assert list(commands(text)) == [("tools/b.py", ["--y"]), ("tools/c.py", []), ("tools/a.py", ["--x"])]

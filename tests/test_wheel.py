"""The wheel and the source archive hold all that the tools read, and run outside the repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.shared import make_once

BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, the source archive, and installed/, where the wheel is installed without the rest."""

    def build(folder: Path) -> None:
        source, archives = folder / "source", folder / "archives"
        for name in ("avdet", "ava_eval", "configs"):
            shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
            shutil.copy(REPOSITORY / name, source)
        archives.mkdir()
        for step in ("build_wheel", "build_sdist"):
            run([sys.executable, "-c", BUILD, step, str(archives)], source)
        wheel = next(archives.glob("*.whl"))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        run([*pip, "--target", str(folder / "installed"), str(wheel)], folder)

    return make_once(tmp_path_factory, "wheel", build)


def run(command: list[str], folder: Path, **variables: str) -> str:
    """The output of a command that succeeds."""
    result = subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def package_files(folder: Path) -> set[Path]:
    files = (path.relative_to(folder) for name in ("avdet", "ava_eval") for path in (folder / name).rglob("*"))
    return {path for path in files if (folder / path).is_file() and "__pycache__" not in path.parts}


def test_the_wheel_has_all_files_and_the_configs(built: Path) -> None:
    configs = {path.relative_to(REPOSITORY) for path in (REPOSITORY / "configs").rglob("*.yaml")}
    assert package_files(built / "installed") == package_files(REPOSITORY) | {"avdet" / path for path in configs}


def test_the_source_archive_has_all_files(built: Path) -> None:
    with tarfile.open(next((built / "archives").glob("*.tar.gz"))) as archive:
        names = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    assert package_files(REPOSITORY) <= names
    assert {path.relative_to(REPOSITORY) for path in (REPOSITORY / "configs").rglob("*.yaml")} <= names


def test_a_shipped_config_runs_from_an_empty_folder(
    built: Path, tmp_path: Path, tiny_settings: tuple[str, ...]
) -> None:
    code = "import sys, avdet.cli.main as tool; print(tool.__file__); sys.exit(tool.main(sys.argv[1:]))"
    tool = [sys.executable, "-c", code]
    variables = {"PYTHONPATH": str(built / "installed")}
    assert "configs/ava/avslowfast.yaml" in run([*tool, "list-configs"], tmp_path, **variables)
    options = ["--config", "configs/ava/avslowfast.yaml", "--dry-run", "--output", "run"]
    recipe = yaml.safe_load((REPOSITORY / "avdet/synthetic/recipes/detection.yaml").read_text(encoding="utf-8"))
    smaller = [f"{section}.{key}={json.dumps(value)}" for section in recipe for key, value in recipe[section].items()]
    output = run([*tool, "train_net", *options, *smaller, *tiny_settings], tmp_path, **variables)
    assert output.startswith(str(built / "installed"))

"""The public names of `import avdet`, and the files about the package: version, citation, changelog."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import metadata

import pytest
import yaml

import avdet
from avdet.cli.arguments import RENAMED_OPTIONS
from avdet.config_errors import RENAMED, RENAMED_VALUES
from avdet.inference.classifier import ActionClassifier
from avdet.inference.detector import ActionDetector
from tests.conftest import REPOSITORY


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, avdet, avdet.cli.detect_actions; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_package_has_exactly_its_public_names() -> None:
    assert dir(avdet) == ["ActionClassifier", "ActionDetector", "__version__"]
    assert avdet.ActionDetector is ActionDetector and avdet.ActionClassifier is ActionClassifier
    with pytest.raises(AttributeError, match="no attribute 'Detector'"):
        getattr(avdet, "Detector")  # noqa: B009


def test_the_version_is_the_same_everywhere() -> None:
    installed = metadata("avdet")  # if it differs, `make .venv` installs again
    citation = yaml.safe_load(read("CITATION.cff"))
    changelog = re.findall(r"^## \[(.+?)\] - \d{4}-\d\d-\d\d$", read("CHANGELOG.md"), re.MULTILINE)
    assert installed["Version"] == citation["version"] == changelog[0] == avdet.__version__
    assert installed["License-Expression"] == citation["license"] == "Apache-2.0"


def test_the_changelog_lists_every_renamed_setting_value_and_option() -> None:
    changelog = read("CHANGELOG.md")
    settings = {key: f"{key.partition('.')[0]}.{new}" for key, new in RENAMED.items()}
    values = {f"{key}={old}": f"{key}={new}" for key, renamed in RENAMED_VALUES.items() for old, new in renamed.items()}
    for old, new in (settings | values | RENAMED_OPTIONS).items():
        assert f"| `{old}` | `{new}` |" in changelog


def test_the_steps_in_contributing_name_what_is_in_the_code() -> None:
    """Each step is `FILE`: ..., and its other names occur in that file, or in the package where FILE has a <name>."""
    package = "".join(path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "avdet").rglob("*.py")))
    steps = re.findall(r"^\d\. `([\w/.<>]+)`:?(.*(?:\n   .*)*)", read("CONTRIBUTING.md"), re.MULTILINE)
    assert len(steps) >= 12
    for file, text in steps:
        content = read(file) if (REPOSITORY / file).is_file() else package
        for name in re.findall(r"`([A-Za-z_]{3,})[`(.]", text):
            assert name in content, f"{file}: {name}"


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")

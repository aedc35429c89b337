"""YAML from anywhere: one sentence for every fault, at once, and nothing that grows beyond its file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from avdet.bounded_yaml import MAX_BYTES, parse_yaml
from avdet.config_yaml import ConfigError, read_yaml
from tests.shared import SHARED, needs_shared

BOMB = "a0: &a0 [x, x, x, x]\n" + "".join(f"a{k}: &a{k} [{', '.join(4 * [f'*a{k - 1}'])}]\n" for k in range(1, 12))
FAULTS = {
    "alias bomb": BOMB,
    "deep": "a: " + 20_000 * "[",
    "long": "a: [" + 100_000 * "1," + "]",
    "large": f"a: {MAX_BYTES * 'x'}",
    "itself": "a: &a [*a]",
    "date": "a: 2020-99-99",
    "time": "a: !!timestamp x",
    "number": "a: !!int ''",
    "key": "? [a]\n: b",
    "set": "a: !!set {? [a, b]}",
    "code": "a: !!python/object/apply:os.system [ls]",
    "zero byte": "a: \0",
}


@pytest.mark.parametrize("text", FAULTS.values(), ids=FAULTS)
def test_every_fault_is_one_sentence(tmp_path: Path, text: str) -> None:
    path, start = tmp_path / "config.yaml", time.process_time()
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"config\.yaml is not readable YAML: ") as caught:
        read_yaml(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    assert time.process_time() - start < 10


def test_a_device_is_no_config() -> None:
    with pytest.raises(ConfigError, match="/dev/zero is not readable YAML: it is no regular file"):
        read_yaml(Path("/dev/zero"))


def test_a_chain_of_bases_ends(tmp_path: Path) -> None:
    for k in range(100):
        (tmp_path / f"{k}.yaml").write_text(f"_base_: {k + 1}.yaml")
    with pytest.raises(ConfigError, match="over 20 files above it by _base_"):
        read_yaml(tmp_path / "0.yaml")


def test_anchors_and_merge_keys_stay() -> None:
    assert parse_yaml("a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: *a") == {"a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": {"x": 1}}
    with pytest.raises(yaml.YAMLError, match="no value before it"):
        parse_yaml("a: *b")


@needs_shared
@pytest.mark.parametrize("name", ["deep.yaml", "bomb.yaml", "date.yaml"])
def test_hostile_files(name: str) -> None:
    with pytest.raises(ConfigError, match="is not readable YAML"):
        read_yaml(SHARED / "cases" / "hostile" / name)

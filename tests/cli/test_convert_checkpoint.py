from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.cli.convert_checkpoint import main
from avdet.config import Config, parse_config
from avdet.models.build import build_model
from tests.checkpoints.reference_names import CONFIG, avslowfast, caffe2, slowfast
from tests.cli.refusal import refusal
from tests.models.tiny import tiny_config


def write_pyth(path: Path, state: Mapping[str, object], cfg: object = CONFIG) -> Path:
    torch.save({"epoch": 9, "model_state": state, "optimizer_state": {"lr": 0.1}, "cfg": cfg}, path)
    return path


def write_config(path: Path, **model: object) -> Path:
    config = Config(name="tiny", model=tiny_config(**model))
    path.write_text(yaml.safe_dump(config.model_dump(mode="json")), encoding="utf-8")
    return path


@pytest.mark.parametrize("legacy", [False, True])
def test_the_model_is_inferred_from_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], legacy: bool) -> None:
    """Also from the legacy format of torch.save, in which some of PySlowFast's .pkl files are."""
    content = {"epoch": 9, "model_state": avslowfast(), "cfg": CONFIG}
    torch.save(content, tmp_path / "AVSLOWFAST.pkl", _use_new_zipfile_serialization=not legacy)
    assert main([str(tmp_path / "AVSLOWFAST.pkl"), str(tmp_path / "out.pt")]) == 0
    assert "backbone.audio.res5" in capsys.readouterr().out
    checkpoint = load_checkpoint(tmp_path / "out.pt")
    model = parse_config(checkpoint.config).model
    assert (model.slow_frames, model.slow_stride, model.alpha) == (2, 4, 2)
    assert (model.width, model.beta, model.beta_audio, model.stage_blocks) == (8, 0.125, 0.5, (1, 1, 1, 1))
    assert (model.fast_to_slow_stages, model.fusion_stages) == (("res3", "res4"), ("res3", "res4"))
    assert (model.avs_stages, model.nonlocal_form, model.audio_frames) == (("res3", "pool5"), "softmax", 32)
    build_model(model, num_classes=3, head="clip").load_state_dict(checkpoint.model_state)
    assert parse_config(checkpoint.config).data.kind == "kinetics"
    assert checkpoint.class_names == {0: "class 0", 1: "class 1", 2: "class 2"}


def test_caffe2_needs_a_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blobs = {name: tensor.numpy() for name, tensor in caffe2(slowfast()).items()}
    source = tmp_path / "SLOWFAST.pkl"
    source.write_bytes(pickle.dumps({"blobs": blobs}, protocol=2))
    assert "give --config, see docs/model_zoo.md" in refusal(main, capsys, source, tmp_path / "out.pt")
    config_file = write_config(
        tmp_path / "r.yaml", audio=False, fast_to_slow_stages=("pool1", "res2", "res3", "res4"), alpha=2
    )
    assert main([str(source), str(tmp_path / "out.pt"), "--config", str(config_file)]) == 0
    state = load_checkpoint(tmp_path / "out.pt").model_state
    np.testing.assert_array_equal(state["head.classifier.linear.action.bias"], blobs["pred_b"])


def test_slowfast_weights_initialise_an_avslowfast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_pyth(tmp_path / "slowfast.pyth", slowfast())
    config_file = write_config(tmp_path / "r.yaml")
    assert main([str(source), str(tmp_path / "out.pt"), "--config", str(config_file)]) == 0
    printed = capsys.readouterr().out
    assert "backbone.slow.res3.block0.shortcut.conv.weight: 32 of the checkpoint's 40 inputs" in printed
    assert "no Audio pathway and this model has one" in printed


def test_other_architectures_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.pt"
    source = write_pyth(tmp_path / "source.pyth", slowfast())
    deeper = write_config(tmp_path / "deep.yaml", stage_blocks=(3, 4, 6, 3))
    assert "another architecture" in refusal(main, capsys, source, out, "--config", deeper)
    one_pathway = {name: tensor for name, tensor in slowfast().items() if "pathway0" not in name}
    states: list[tuple[Mapping[str, object], str]] = [
        ({"blocks.0.norm": torch.ones(1)}, "blocks.0.norm"),
        (one_pathway, "one pathway has the temporal kernels [0, 0, 0, 0, 0]"),
        ({**slowfast(), "head.note": "a word"}, "'head.note', which is not a named weight"),
    ]
    for state, message in states:
        assert message in refusal(main, capsys, write_pyth(tmp_path / "other.pyth", state), out)
    assert "is not PySlowFast's" in refusal(main, capsys, write_pyth(tmp_path / "c.pyth", slowfast(), "{}"), out)
    torch.save({"state_dict": {}}, tmp_path / "d.pyth")
    assert "neither model_state" in refusal(main, capsys, tmp_path / "d.pyth", out)
    assert "no checkpoint at" in refusal(main, capsys, tmp_path / "e.pyth", out)
    assert not out.exists()


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch owned",)


def test_pickles_run_no_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("evil.pkl").write_bytes(pickle.dumps({"blobs": {"conv1_w": Evil()}}))
    assert "system and might run code" in refusal(main, capsys, "evil.pkl", "out.pt")
    torch.save({"model_state": slowfast(), "cfg": Evil()}, "evil.pyth")
    assert "might run code" in refusal(main, capsys, "evil.pyth", "out.pt")
    torch.save({"model_state": slowfast(), "cfg": Evil()}, "old.pyth", _use_new_zipfile_serialization=False)
    assert "might run code" in refusal(main, capsys, "old.pyth", "out.pt")
    assert not Path("owned").exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x02}q\x00", b"hello, this is a text", b"PK\x03\x04 and no zip"])
def test_broken_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    (tmp_path / "broken.pkl").write_bytes(content)
    assert "broken.pkl" in refusal(main, capsys, tmp_path / "broken.pkl", tmp_path / "out.pt")


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.99])
def test_truncated_files_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fraction: float, legacy: bool
) -> None:
    path = tmp_path / "cut.pyth"
    torch.save({"model_state": slowfast(), "cfg": CONFIG}, path, _use_new_zipfile_serialization=not legacy)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * fraction)])
    assert "cut.pyth cannot be read and is probably cut short" in refusal(main, capsys, path, tmp_path / "out.pt")
    pickled = tmp_path / "cut.pkl"
    content = pickle.dumps({"blobs": {"conv1_w": np.ones(9)}}, protocol=2)
    pickled.write_bytes(content[: int(len(content) * fraction)])
    assert "or is cut short" in refusal(main, capsys, pickled, tmp_path / "out.pt")


def test_a_text_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("SOLVER:\n  BASE_LR: 0.1\n", "RNG_SEED: 0\n", "BN:\n", "name: x\n"):
        (tmp_path / "config.yaml").write_text(text)
        assert "config.yaml is no pickle" in refusal(main, capsys, tmp_path / "config.yaml", tmp_path / "out.pt")


def test_the_output_is_checked_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_pyth(tmp_path / "a.pyth", slowfast())
    before = source.read_bytes()
    assert "is one of the inputs and would overwrite it" in refusal(main, capsys, source, source)
    assert source.read_bytes() == before
    assert "is a folder" in refusal(main, capsys, tmp_path / "no.pyth", tmp_path)
    assert f"cannot write into {source}" in refusal(main, capsys, tmp_path / "no.pyth", source / "out.pt")

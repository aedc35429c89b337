from pathlib import Path

import pytest
import torch

from avdet.engine.nonfinite import NonFiniteError
from tests.engine.test_trainer import audiovisual_model, make_trainer
from tests.models.tiny import tiny_batch


def test_nan_in_the_audio_is_reported_and_saved(tmp_path: Path) -> None:
    batch = tiny_batch((True, True))
    assert batch.audio is not None
    batch.audio[1, 0, 3, 2] = torch.nan
    with pytest.raises(NonFiniteError, match=r"NaN or Inf in the audio of clip1 at 0 s .*nonfinite_1\.pt"):
        make_trainer(audiovisual_model(), report_dir=tmp_path).train_step(batch)
    saved = torch.load(tmp_path / "nonfinite_1.pt", weights_only=True)
    assert saved["clips"] == [("clip0", 0.0), ("clip1", 0.0)] and saved["audio"].isnan().sum() == 1


def test_the_first_layer_is_reported(tmp_path: Path) -> None:
    model = audiovisual_model()
    with torch.no_grad():
        dict(model.named_parameters())["backbone.slow.res3.block0.branch.b.conv.weight"].fill_(torch.inf)
    with pytest.raises(NonFiniteError, match=r"the output of backbone\.slow\.res3\.block0\.branch\.b"):
        make_trainer(model, report_dir=tmp_path).train_step(tiny_batch())

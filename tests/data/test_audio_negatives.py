from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avdet.config import Config
from avdet.data.audio_negatives import HARD_GAP_S, MisalignedAudio, misaligned_start
from avdet.data.build import build_detection_train_loader
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.sampler import SampleSpec
from avdet.media.logmel import LogMel
from avdet.media.video_reader import VideoReader
from avdet.models.build import build_model
from tests.media.make_videos import write_video

RATE = 16_000
EXTRACTOR = ClipExtractor(span_frames=30, stride=10, nominal_fps=30.0, logmel=LogMel(num_frames=32, num_mels=40))


def tone_steps(path: Path, *, pitches_hz: list[int], level: float = 0.3) -> Path:
    """A video with one pitch per second of audio, so that a log-mel identifies its second."""
    t = np.arange(RATE) / RATE
    waveform = np.concatenate([level * np.sin(2 * np.pi * pitch * t) for pitch in pitches_hz]).astype(np.float32)
    return write_video(path, num_frames=10 * len(pitches_hz), fps=10, waveform=waveform)


def loudest_bin(log_mel: torch.Tensor) -> int:
    return int(log_mel.mean(dim=0).argmax())


@given(
    start_s=st.floats(-1, 12), span_s=st.floats(0.1, 3), duration_s=st.floats(0.1, 12), seed=st.integers(0, 2**32 - 1)
)
def test_misaligned_start_is_in_the_video_and_apart_from_the_clip(
    start_s: float, span_s: float, duration_s: float, seed: int
) -> None:
    misaligned_s = misaligned_start(start_s, span_s, duration_s, np.random.default_rng(seed))
    starts = np.linspace(0, max(duration_s - span_s, 0), 200)
    if misaligned_s is None:
        assert duration_s <= span_s or (np.abs(starts - start_s) <= HARD_GAP_S + 0.1).all()
    else:
        assert -1e-9 <= misaligned_s <= duration_s - span_s + 1e-9
        assert abs(misaligned_s - start_s) >= HARD_GAP_S - 1e-9


def test_misaligned_starts_are_uniform_before_and_after_the_clip() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([misaligned_start(3.0, 2.0, 10.0, rng) for _ in range(4000)])  # [0, 2.5] and [3.5, 8]
    assert (drawn < 3.0).mean() == pytest.approx(2.5 / 7.0, abs=0.03)
    assert drawn[drawn > 3].mean() == pytest.approx(5.75, abs=0.1)


def test_easy_negatives_are_of_another_video_and_hard_ones_of_another_time(tmp_path: Path) -> None:
    low = tone_steps(tmp_path / "low.mp4", pitches_hz=[500] * 4 + [1000] * 4)
    high = tone_steps(tmp_path / "high.mp4", pitches_hz=[4000] * 3)
    silent = write_video(tmp_path / "silent.mp4", num_frames=20, fps=10)
    misaligned = MisalignedAudio([low, high, silent], EXTRACTOR)
    with VideoReader(low) as video:
        at_500, at_1000 = (loudest_bin(misaligned.extractor.audio(video, center)) for center in (2.0, 6.0))  # type: ignore[arg-type]
        for seed in range(8):
            easy = misaligned.extract(video, 2.0, SampleSpec(0, seed))
            assert easy is not None and loudest_bin(easy) > at_1000 > at_500
        hard = [misaligned.extract(video, 2.0, SampleSpec(0, seed, hard_negative=True)) for seed in range(12)]
    assert {loudest_bin(log_mel) for log_mel in hard if log_mel is not None} <= {at_500, at_1000}
    assert any(loudest_bin(log_mel) == at_1000 for log_mel in hard if log_mel is not None)


def test_no_misaligned_audio_gives_none(tmp_path: Path) -> None:
    short = tone_steps(tmp_path / "short.mp4", pitches_hz=[500])
    silent = write_video(tmp_path / "silent.mp4", num_frames=20, fps=10)
    misaligned = MisalignedAudio([short, silent], EXTRACTOR)
    with VideoReader(short) as video:
        assert misaligned.extract(video, 0.5, SampleSpec(0, 0, hard_negative=True)) is None
        assert misaligned.extract(video, 0.5, SampleSpec(0, 0)) is None


def test_training_batches_contain_negatives_for_the_avs_loss(tiny_config: Config) -> None:
    model_settings = tiny_config.model.model_copy(update={"avs_stages": ("res3", "res4", "pool5")})
    config = tiny_config.model_copy(update={"model": model_settings})
    dataset = config.detection_dataset()
    loader, sampler = build_detection_train_loader(config, dataset)
    sampler.start(3)
    batch = next(iter(loader))
    assert batch.negative_audio is not None and batch.audio is not None
    assert batch.negative_audio.shape == batch.audio.shape
    assert not torch.equal(batch.negative_audio, batch.audio)
    plain = next(iter(build_detection_train_loader(tiny_config, dataset)[0]))
    sampler.start(0)
    first = next(iter(loader))
    assert plain.negative_audio is None and torch.equal(plain.frames, first.frames)
    losses = build_model(config.model, num_classes=len(dataset.class_names()), head="roi")(batch)
    assert {"sync_res3", "sync_res4", "sync_pool5"} <= losses.keys()
    assert max(float(losses[f"sync_{stage}"].detach()) for stage in ("res3", "res4", "pool5")) > 0


def test_an_unreadable_video_is_not_drawn_as_negative(tmp_path: Path) -> None:
    one, other = (tone_steps(tmp_path / f"{name}.mp4", pitches_hz=[400]) for name in "ab")
    broken = tmp_path / "c.mp4"
    broken.write_bytes(b"not a video")
    misaligned = MisalignedAudio([one, other, broken], EXTRACTOR)
    with VideoReader(one) as video:
        for seed in range(8):
            assert misaligned.extract(video, 0.5, SampleSpec(0, seed)) is not None

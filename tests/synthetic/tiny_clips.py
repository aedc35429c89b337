"""A classification sample of six short videos."""

from avdet.synthetic.make_clip_sample import ClipSampleSettings
from avdet.synthetic.synthetic_settings import SampleSettings

TINY = ClipSampleSettings(
    SampleSettings(
        num_train=4, num_val=2, duration_s=(6.5, 7.0), width_px=64, height_px=48, fps=15, people={1: 1.0},
        act_s=(3, 3), stray_change=0.0, music_s=(0, 2),
    )
)  # fmt: skip
# Overrides that scale a recipe for whole clips down to seconds on that sample.
TINY_CLIPS = (
    "model.width=8", "model.slow_frames=2", "model.slow_stride=8", "model.alpha=4", "model.audio_frames=32",
    "model.mel_bins=16", "data.train_short_side=[32,40]", "data.train_crop=32", "data.test_short_side=32",
    "data.workers=0", "data.nominal_fps=15", "test.batch_size=6",
)  # fmt: skip

"""A classification sample of six short videos."""

from avdet.data.sample.make_clips import ClipSampleSettings
from avdet.data.sample.settings import SampleSettings

TINY = ClipSampleSettings(
    SampleSettings(
        num_train=4, num_val=2, duration_s=(6.5, 7.0), width_px=64, height_px=48, fps=15, people={1: 1.0},
        act_s=(3, 3), stray_change=0.0, music_s=(0, 2),
    )
)  # fmt: skip

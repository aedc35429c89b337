from pathlib import Path

import pytest
import torch

from avdet.config import Config
from avdet.data.build import (
    build_clip_extractor,
    build_detection_test_loader,
    build_detection_train_loader,
    build_positive_weights,
)
from avdet.data.detection_clips import DetectionTestClips, DetectionTrainClips
from avdet.data.sampler import SampleSpec
from avdet.datasets.ava import Ava, AvaConfig
from avdet.datasets.dataset import require_data
from avdet.media.reader import VideoReader
from avdet.structures import ClipBatch


def ava(config: Config, **changes: object) -> Ava:
    assert isinstance(config.data, AvaConfig)
    return Ava(config.data.model_copy(update=changes))


def changed(config: Config, **changes: object) -> Config:
    return config.model_copy(update={"data": config.data.model_copy(update=changes)})


def test_a_draw_is_the_same_clip_wherever_it_is_made(tiny_config: Config) -> None:
    loader, _ = build_detection_train_loader(tiny_config, ava(tiny_config))
    dataset = loader.clips
    assert isinstance(dataset, DetectionTrainClips)
    first, again, other = dataset[SampleSpec(1, 5)], dataset[SampleSpec(1, 5)], dataset[SampleSpec(1, 6)]
    assert torch.equal(first.frames, again.frames) and torch.equal(first.boxes_px, again.boxes_px)
    assert first.audio is not None and again.audio is not None and torch.equal(first.audio, again.audio)
    assert not torch.equal(first.frames, other.frames)
    assert first.frames.shape == (3, 8, 48, 48) and first.audio.shape == (32, 80)
    assert len(first.boxes_px) == len(first.labels["action"]) == len(first.people)


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_change_nothing(tiny_config: Config, workers: int) -> None:
    def batches(count: int) -> list[ClipBatch]:
        config = changed(tiny_config, workers=count)
        loader, _ = build_detection_train_loader(config, ava(config))
        return list(loader)

    for one, other in zip(batches(0), batches(workers), strict=True):
        assert one.clips == other.clips
        assert torch.equal(one.frames, other.frames)


def test_a_test_clip_is_the_whole_frame_with_its_people_in_place(tiny_config: Config) -> None:
    benchmark = ava(tiny_config)
    dataset = build_detection_test_loader(tiny_config, benchmark, benchmark.read("val")).clips
    assert isinstance(dataset, DetectionTestClips)
    clip = dataset[0]
    assert clip.frames.shape == (3, 8, 48, 64)
    shares = clip.boxes_px / torch.tensor([64.0, 48.0, 64.0, 48.0])
    assert torch.allclose(shares, clip.people.boxes)
    path = dataset.videos[clip.video]
    with VideoReader(path, short_side=48) as video:  # the second half of a clip begins at its keyframe
        middle = video.frames([clip.time_s + 1 / 60])[0]
    assert torch.equal(clip.frames[:, 4].permute(1, 2, 0), torch.from_numpy(middle))


def test_people_at_times_that_are_no_keyframe_are_counted(
    tiny_config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = ava(tiny_config).config
    boxes = (data.annotations / data.val_boxes).read_text()
    video, _, *rest = boxes.splitlines()[0].split(",")
    (tmp_path / "boxes.csv").write_text(boxes + ",".join([video, "1.23", *rest[:-1], "1.0"]) + "\n")
    benchmark = ava(tiny_config, val_boxes=tmp_path / "boxes.csv")
    with caplog.at_level("INFO"):
        build_detection_test_loader(tiny_config, benchmark, benchmark.read("val"))
    assert "1 more are not at a keyframe of these videos" in caplog.text


def test_a_clip_of_a_movie_without_sound_has_none(tiny_config: Config, tmp_path: Path) -> None:
    from avdet.media.video_writer import VideoWriter

    with VideoWriter(tmp_path / "silent.mp4", fps=10, width=32, height=32) as writer:
        for _ in range(20):
            writer.write_frame(torch.zeros(32, 32, 3, dtype=torch.uint8).numpy())
    with VideoReader(tmp_path / "silent.mp4") as video:
        assert build_clip_extractor(tiny_config).audio(video, 1.0) is None


def test_missing_videos_are_counted_or_stop_the_run(
    tiny_config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    benchmark = ava(tiny_config)
    names = sorted(set(benchmark.read("train").rows["video"]))
    for path in benchmark.config.videos.iterdir():
        if path.stem != names[0]:
            (tmp_path / path.name).symlink_to(path)
    with caplog.at_level("INFO"):
        split = ava(tiny_config, videos=tmp_path).read("train")
    assert set(split.rows["video"]) == set(names[1:])
    assert "3 videos expected, 2 found; 1 missing" in caplog.text
    with pytest.raises(ValueError, match=f"{names[0]} not in .*or set data.require_all_videos=false"):
        ava(tiny_config, videos=tmp_path, require_all_videos=True).read("train")


def test_what_is_not_there_is_named_with_the_way_out(tiny_config: Config, tmp_path: Path) -> None:
    data = ava(tiny_config, val_boxes=Path("no.csv"))
    with pytest.raises(ValueError, match=r"person boxes of val .*no\.csv \(data\.val_boxes\).*detect_people"):
        require_data(data)
    with pytest.raises(ValueError, match=r"no\.csv \(data\.val_csv\).*docs/data\.md.*--sample"):
        require_data(ava(tiny_config, val_csv=Path("no.csv")))
    require_data(data, ("train",))


def test_a_subset_of_classes_mixed_and_weighted(tiny_config: Config) -> None:
    config = changed(
        tiny_config,
        classes=("walk", "sit", "stand"),
        exclusive_groups=(("stand", "sit"),),
        class_weights="inverse_sqrt",
        repeat_threshold=0.9,
    )
    benchmark = ava(config)
    classes = benchmark.class_names()
    assert classes.names == ("sit", "stand", "walk")
    assert benchmark.exclusive_groups(classes) == [[1, 0]]
    loader, sampler = build_detection_train_loader(config, benchmark)
    weights = build_positive_weights(benchmark, loader)
    assert weights is not None and weights.mean() == pytest.approx(1.0)
    assert sampler.repeats is not None and sampler.repeats.max() > 1
    assert next(iter(loader)).labels["action"].shape[1] == 3

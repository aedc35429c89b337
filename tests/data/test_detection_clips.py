from pathlib import Path

import pytest
import torch

from avdet.data.build import (
    build_classes,
    build_clip_extractor,
    build_exclusive,
    build_positive_weights,
    build_test_data,
    build_train_loader,
)
from avdet.data.detection_clips import AvaTest, AvaTrain, Draw
from avdet.datasets.locate import require_data
from avdet.datasets.videos import find_videos_by_name, with_video_file
from avdet.media.reader import VideoReader
from avdet.settings import Config
from avdet.structures import ClipBatch


def test_a_draw_is_the_same_clip_wherever_it_is_made(tiny_config: Config) -> None:
    loader, _ = build_train_loader(tiny_config, build_classes(tiny_config.ava))
    dataset = loader.clips
    assert isinstance(dataset, AvaTrain)
    first, again, other = dataset[Draw(1, 5)], dataset[Draw(1, 5)], dataset[Draw(1, 6)]
    assert torch.equal(first.frames, again.frames) and torch.equal(first.boxes_px, again.boxes_px)
    assert first.audio is not None and again.audio is not None and torch.equal(first.audio, again.audio)
    assert not torch.equal(first.frames, other.frames)
    assert first.frames.shape == (3, 8, 48, 48) and first.audio.shape == (32, 80)
    assert len(first.boxes_px) == len(first.labels["action"]) == len(first.people)


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_change_nothing(tiny_config: Config, workers: int) -> None:
    def batches(count: int) -> list[ClipBatch]:
        data = tiny_config.data.model_copy(update={"workers": count})
        config = tiny_config.model_copy(update={"data": data})
        loader, _ = build_train_loader(config, build_classes(config.ava))
        return list(loader)

    for one, other in zip(batches(0), batches(workers), strict=True):
        assert one.clips == other.clips
        assert torch.equal(one.frames, other.frames)


def test_a_test_clip_is_the_whole_frame_with_its_people_in_place(tiny_config: Config) -> None:
    data = build_test_data(tiny_config, build_classes(tiny_config.ava))
    dataset = data.loader.clips
    assert isinstance(dataset, AvaTest)
    clip = dataset[0]
    assert clip.frames.shape == (3, 8, 48, 64)
    shares = clip.boxes_px / torch.tensor([64.0, 48.0, 64.0, 48.0])
    assert torch.allclose(shares, clip.people.boxes)
    path = find_videos_by_name(tiny_config.data.videos)[clip.video]
    with VideoReader(path, short_side=48) as video:  # the second half of a clip begins at its keyframe
        middle = video.frames([clip.time_s + 1 / 60])[0]
    assert torch.equal(clip.frames[:, 4].permute(1, 2, 0), torch.from_numpy(middle))


def test_people_at_times_that_are_no_keyframe_are_counted(
    tiny_config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tiny_config.ava
    boxes = (data.annotations / data.val_boxes).read_text()
    video, _, *rest = boxes.splitlines()[0].split(",")
    (tmp_path / "boxes.csv").write_text(boxes + ",".join([video, "1.23", *rest[:-1], "1.0"]) + "\n")
    data = data.model_copy(update={"val_boxes": tmp_path / "boxes.csv"})
    with caplog.at_level("INFO"):
        build_test_data(tiny_config.model_copy(update={"data": data}), build_classes(data))
    assert "1 more stand at times of these movies that are no keyframe" in caplog.text


def test_a_clip_of_a_movie_without_sound_has_none(tiny_config: Config, tmp_path: Path) -> None:
    from avdet.media.video_writer import VideoWriter

    with VideoWriter(tmp_path / "silent.mp4", fps=10, width=32, height=32) as writer:
        for _ in range(20):
            writer.write_frame(torch.zeros(32, 32, 3, dtype=torch.uint8).numpy())
    with VideoReader(tmp_path / "silent.mp4") as video:
        assert build_clip_extractor(tiny_config).audio(video, 1.0) is None


def test_missing_movies_are_counted_or_stop_the_run(tiny_config: Config, sample: Path) -> None:
    loader, _ = build_train_loader(tiny_config, build_classes(tiny_config.ava))
    assert isinstance(loader.clips, AvaTrain)
    table = loader.clips.keyframes
    names = sorted(set(table.videos))
    kept, coverage = with_video_file(table, {name: Path(name) for name in names[1:]})
    assert coverage.missing == (names[0],)
    assert len(kept) == coverage.keyframes - coverage.skipped < len(table)
    assert "3 movies expected, 2 found; 1 missing" in str(coverage)


def test_what_is_not_there_is_named_with_the_way_out(tiny_config: Config, tmp_path: Path) -> None:
    data = tiny_config.data.model_copy(update={"val_boxes": Path("no.csv")})
    with pytest.raises(ValueError, match=r"people of val .*no\.csv \(data\.val_boxes\).*detect_people"):
        require_data(data)
    with pytest.raises(ValueError, match=r"no\.csv \(data\.val_csv\).*docs/data\.md.*--sample"):
        require_data(tiny_config.data.model_copy(update={"val_csv": Path("no.csv")}))
    require_data(data, ("train",))


def test_a_subset_of_classes_mixed_and_weighted(tiny_config: Config) -> None:
    data = tiny_config.ava.model_copy(
        update={
            "classes": ("walk", "sit", "stand"),
            "exclusive_groups": (("stand", "sit"),),
            "class_weights": "inverse_sqrt",
            "repeat_rare": 0.9,
        }
    )
    config = tiny_config.model_copy(update={"data": data})
    classes = build_classes(data)
    assert classes.names == ("sit", "stand", "walk")
    assert build_exclusive(data, classes) == [[1, 0]]
    loader, sampler = build_train_loader(config, classes)
    weights = build_positive_weights(data, loader)
    assert weights is not None and weights.mean() == pytest.approx(1.0)
    assert sampler.repeats is not None and sampler.repeats.max() > 1
    assert next(iter(loader)).labels["action"].shape[1] == 3

"""Videos from life: what is seen tells what is heard, and the place tells of both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from avdet.media.reader import VideoReader
from avdet.synthetic.classes import TWIN_LOOKS, Look
from avdet.synthetic.make_clip_sample import UNLABELLED, is_clip_sample, make_clip_sample, write_takes
from avdet.synthetic.scene_frame import ScenePicture
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings

PLACES: dict[Look, str | None] = {"mouth": "room", "clap": "park", "drum": "stage", "idle": "street", "wave": None}


def test_what_is_seen_is_heard_and_has_its_place() -> None:
    takes = write_takes(UNLABELLED.world, 0, from_life=True)
    assert len(takes) == 1040 and len({take.name for take in takes}) == 1040
    for take in takes:
        (actor,) = take.scene.actors
        (act,) = actor.acts  # one thing a video
        assert act.heard == (act.look in TWIN_LOOKS)
        assert take.scene.place == PLACES[act.look] and not take.scene.off_screen
        assert take.scene.music_at(2.0) == (act.look == "idle")
    looks = [take.scene.actors[0].acts[0].look for take in takes if take.split == "train"]
    assert {look: looks.count(look) for look in PLACES} == dict.fromkeys(PLACES, 192)


def test_a_scene_is_drawn_in_the_place_that_is_named() -> None:
    scene = write_scenes(SampleSettings(num_val=1), "val", 0)[0]
    places = ("room", "park", "stage", "street")
    pictures = {
        ScenePicture(replace(scene, name=name, place=place), SampleSettings()).frame(0.0).tobytes()
        for place in places
        for name in ("one", "one", "another")
    }
    assert len(pictures) == 2 * len(places)  # no two of a place alike, but for one and the same scene


def test_whole_videos_alone_are_filmed(tmp_path: Path) -> None:
    few = replace(
        UNLABELLED, world=replace(UNLABELLED.world, num_train=2, num_val=1, width_px=64, height_px=48, fps=15)
    )
    folder = make_clip_sample(tmp_path / "unlabelled", workers=1, settings=few)
    assert is_clip_sample(folder, settings=few) and not is_clip_sample(folder, settings=UNLABELLED)
    videos = sorted(folder.rglob("*.mp4"))
    assert len(videos) == 3 and {video.parent.name for video in videos} == {"videos"}
    with VideoReader(videos[0]) as reader:
        assert reader.info.has_audio and 4.3 < reader.info.duration_s < 5.4

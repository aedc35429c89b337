from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from avdet.synthetic.background import BACKGROUNDS
from avdet.synthetic.classes import AUDIO_DEPENDENT_GESTURES
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.scene_video import SceneRenderer, person_box, write_scene_video
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.synthetic.tiny import person, with_segment

SETTINGS = SampleSettings()
CLAPPING = Scene("filmed", "train", 0, 5.0, (person("clap", audible=True),), (), ())


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return write_scenes(SETTINGS, "train", 1)[:8]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "clapping.mp4"
    write_scene_video(CLAPPING, path, SETTINGS)
    return path


def test_frames_do_not_depend_on_the_order_of_drawing(scenes: list[Scene]) -> None:
    first = SceneRenderer(scenes[0], SETTINGS)
    late, early = first.frame(5.0).copy(), first.frame(2.0).copy()
    second = SceneRenderer(scenes[0], SETTINGS)
    assert np.array_equal(second.frame(2.0), early) and np.array_equal(second.frame(5.0), late)
    assert late.shape == (240, 320, 3) and late.dtype == np.uint8


def test_audible_and_silent_gestures_have_identical_frames(scenes: list[Scene]) -> None:
    compared = 0
    for scene in scenes:
        for actor_index, actor in enumerate(scene.actors):
            for segment_index, segment in enumerate(actor.segments):
                if segment.gesture in AUDIO_DEPENDENT_GESTURES and compared < 12:
                    other = with_segment(scene, actor_index, segment_index, audible=not segment.audible)
                    middle = (segment.start_s + segment.end_s) / 2
                    first, second = SceneRenderer(scene, SETTINGS), SceneRenderer(other, SETTINGS)
                    assert all(np.array_equal(first.frame(middle + s), second.frame(middle + s)) for s in (0.0, 0.13))
                    compared += 1
    assert compared == 12


def test_a_person_is_drawn_inside_the_box(scenes: list[Scene]) -> None:
    """Frames of one scene with and without a person differ inside that person's box and hardly anywhere else."""
    for scene in scenes[:4]:
        actor = scene.actors[-1]
        without = replace(scene, actors=scene.actors[:-1])
        frames = [SceneRenderer(one, SETTINGS).frame(6.0) for one in (scene, without)]
        changed = np.any(frames[0] != frames[1], axis=2)
        x1, y1, x2, y2 = person_box(scene, actor, 6.0, SETTINGS)
        columns, rows = np.flatnonzero(changed.any(axis=0)), np.flatnonzero(changed.any(axis=1))
        assert abs(rows[0] - y1 * 240) < 14 and abs(rows[-1] - y2 * 240) < 8  # a hat or a bun may stand out
        assert columns[0] > x1 * 320 - 25 and columns[-1] < x2 * 320 + 25  # so may a stool
        inside = changed[round(y1 * 240) : round(y2 * 240), round(x1 * 320) : round(x2 * 320)].sum()
        assert inside > 0.85 * changed.sum()


def test_boxes_are_normalised(scenes: list[Scene]) -> None:
    for scene in scenes:
        for second in scene.keyframes_s:
            for actor in scene.actors:
                x1, y1, x2, y2 = person_box(scene, actor, second, SETTINGS)
                assert 0.0 <= x1 < x2 <= 1.0 and 0.0 <= y1 < y2 <= 1.0
                assert 0.35 < y2 - y1 < 0.95


def test_the_named_background_is_drawn(scenes: list[Scene]) -> None:
    frames = {
        SceneRenderer(replace(scenes[0], name=name, background=background), SETTINGS).frame(0.0).tobytes()
        for background in BACKGROUNDS
        for name in ("one", "one", "another")
    }
    assert len(frames) == 2 * len(BACKGROUNDS)  # only equal names and backgrounds give equal frames


def test_claps_in_the_file_are_synchronous(video: Path) -> None:
    """The onsets are within 5 ms of 2.0 s and 2.5 s in the file's time."""
    with av.open(str(video)) as container:
        frames = list(container.decode(audio=0))
    start_s = float(frames[0].pts * frames[0].time_base)  # type: ignore[operator]
    audio = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    for time_s in (2.0, 2.5):
        first = round((time_s - 0.1 - start_s) * 44100)
        window = np.abs(audio[first : first + 8820])
        onset_s = time_s - 0.1 + int(np.argmax(window > 0.3 * window.max())) / 44100
        assert onset_s == pytest.approx(time_s, abs=0.005)


def test_frames_in_the_file_are_those_of_the_renderer(video: Path) -> None:
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 150
    expected = SceneRenderer(CLAPPING, SETTINGS).frame(2.0).astype(float)
    errors = [float(np.abs(frame.astype(float) - expected).mean()) for frame in frames]
    assert int(np.argmin(errors)) == 60 and errors[60] < 4.0


def test_part_of_a_scene_is_written_with_its_own_audio(tmp_path: Path) -> None:
    path = tmp_path / "part.mp4"
    write_scene_video(CLAPPING, path, replace(SETTINGS, width_px=64, height_px=48, fps=10), start_s=1.0, end_s=3.0)
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20
    with av.open(str(path)) as container:
        audio = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert abs(audio.size / 44100 - 2.0) < 0.05
    assert np.abs(audio[44100:46000]).max() > 3 * np.abs(audio[42000:44000]).max()

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from avdet.synthetic.record import record
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_frame import ScenePicture
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.synthetic.test_motion import person

SETTINGS = SampleSettings()
SCENE = Scene("filmed", "train", 0, 5.0, (person("clap", heard=True),), (), ())


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "filmed.mp4"
    record(SCENE, path, SETTINGS)
    return path


def test_claps_are_in_the_file_when_hands_meet(film: Path) -> None:
    """Heard within 5 ms of 2.0 s and 2.5 s on the file's clock."""
    with av.open(str(film)) as container:
        frames = list(container.decode(audio=0))
    start_s = float(frames[0].pts * frames[0].time_base)  # type: ignore[operator]
    sound = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    for time_s in (2.0, 2.5):
        first = round((time_s - 0.1 - start_s) * 44100)
        around = np.abs(sound[first : first + 8820])
        onset_s = time_s - 0.1 + int(np.argmax(around > 0.3 * around.max())) / 44100
        assert onset_s == pytest.approx(time_s, abs=0.005)


def test_pictures_in_the_file_are_the_scenes(film: Path) -> None:
    with av.open(str(film)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 150
    drawn = ScenePicture(SCENE, SETTINGS).frame(2.0).astype(float)
    errors = [float(np.abs(frame.astype(float) - drawn).mean()) for frame in frames]
    assert int(np.argmin(errors)) == 60 and errors[60] < 4.0


def test_a_stretch_of_a_scene_is_filmed_with_its_own_sound(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    record(SCENE, path, replace(SETTINGS, width_px=64, height_px=48, fps=10), start_s=1.0, end_s=3.0)
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert abs(sound.size / 44100 - 2.0) < 0.05
    assert np.abs(sound[44100:46000]).max() > 3 * np.abs(sound[42000:44000]).max()

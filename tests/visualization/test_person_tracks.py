from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources

import numpy as np
import pytest

from avdet.visualization.labelled_person import Action, LabelledPerson
from avdet.visualization.person_tracks import PersonTracks
from tests.visualization.tables import LEFT, RIGHT, Box

SIT = (Action(1, "sit", 0.9),)

# Runs interpolate.js on tracks given as JSON; entry k of a track is its keyframe k.
_SCRIPT = """
const {tracks, halfInterval, times} = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const track of tracks) {
  track.times = Float64Array.from(track.times);
  track.boxes = Float64Array.from(track.boxes.flat());
  track.first = Array.from({length: track.times.length + 1}, (_, k) => k);
}
const filter = {passes: () => true, score: () => 1};
const shown = times.map((time) => personsAt({tracks, halfInterval}, time, filter));
console.log(JSON.stringify(shown.map((persons) => persons.map((p) => [p.track.id, p.keyframe, p.box]))));
"""


def person(box: Box, person_id: int = 0) -> LabelledPerson:
    return LabelledPerson(box, person_id, SIT)


def shown_boxes(tracks: PersonTracks, time_s: float) -> list[Box]:
    return [one.box for one in tracks.at(time_s)]


def test_a_box_moves_between_two_keyframes_of_its_person() -> None:
    tracks = PersonTracks({1.0: [person(LEFT)], 2.0: [person(RIGHT)], 5.0: [person(LEFT)]}, 1.0)
    assert shown_boxes(tracks, 0.6) == [LEFT]
    assert shown_boxes(tracks, 1.5) == [pytest.approx((0.35, 0.2, 0.65, 0.9))]
    assert shown_boxes(tracks, 1.8) == [pytest.approx((0.5, 0.2, 0.8, 0.9))]
    assert shown_boxes(tracks, 2.4) == [RIGHT]  # the next keyframe is too far away
    assert [shown_boxes(tracks, time_s) for time_s in (0.4, 3.0, 5.6)] == [[], [], []]


def test_the_actions_are_those_of_the_nearest_keyframe() -> None:
    stand = LabelledPerson(LEFT, 0, (Action(2, "stand", 0.8),))
    tracks = PersonTracks({1.0: [person(LEFT)], 2.0: [stand]}, 1.0)
    assert [tracks.at(time_s)[0].actions[0].name for time_s in (1.4, 1.6)] == ["sit", "stand"]


def test_persons_without_ids_are_linked_and_repeated_ids_all_shown() -> None:
    unknown = PersonTracks({1.0: [person(LEFT, -1)], 2.0: [person((0.2, 0.2, 0.5, 0.9), -1)]}, 1.0)
    assert shown_boxes(unknown, 1.5) == [pytest.approx((0.15, 0.2, 0.45, 0.9))]
    some = PersonTracks({1.0: [person(LEFT, -1), person(RIGHT, 4)], 2.0: [person(RIGHT, -1)]}, 1.0)
    assert [(one.person_id, one.box) for one in some.at(1.2)] == [(-1, LEFT), (4, RIGHT)]
    repeated = PersonTracks({1.0: [person(LEFT), person(RIGHT)]}, 1.0)
    assert shown_boxes(repeated, 1.0) == [LEFT, RIGHT]


def test_the_page_has_the_same_rule() -> None:
    """Regular and irregular keyframes with gaps; times at, between and beside keyframes, and at their midpoints."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    rng = np.random.default_rng(0)
    tables = []
    for track in range(12):
        kept = np.sort(rng.choice(40, rng.integers(1, 30), replace=False))
        times_s = kept * 0.5 if track < 8 else np.sort(rng.random(len(kept)) * 20)
        corners = rng.random((len(kept), 2)) * 0.5
        boxes = np.concatenate([corners, corners + 0.3], axis=1)
        tables.append({"id": track, "times": times_s.tolist(), "boxes": boxes.tolist()})
    times = [*np.arange(-1.0, 21.0, 0.25).tolist(), *(rng.random(200) * 20).tolist()]
    source = resources.files("avdet.visualization.player").joinpath("interpolate.js").read_text(encoding="utf-8")
    content = json.dumps({"tracks": tables, "halfInterval": 0.25, "times": times})
    done = subprocess.run([node, "-e", source + _SCRIPT], input=content, capture_output=True, text=True, check=True)
    keyframes: dict[float, list[LabelledPerson]] = {}
    for table in tables:
        for number, (time_s, box) in enumerate(zip(table["times"], table["boxes"], strict=True)):
            one = LabelledPerson(tuple(box), table["id"], (Action(number, "", 1.0),))
            keyframes.setdefault(time_s, []).append(one)
    tracks = PersonTracks(dict(sorted(keyframes.items())), 0.5)
    expected = json.loads(done.stdout)
    assert sum(map(len, expected)) > 500
    for time_s, of_page in zip(times, expected, strict=True):
        found = sorted((one.person_id, one.actions[0].action_id, one.box) for one in tracks.at(time_s))
        assert [one[:2] for one in found] == [(number, keyframe) for number, keyframe, _ in of_page]
        np.testing.assert_allclose([one[2] for one in found], [box for *_, box in of_page], atol=1e-9)

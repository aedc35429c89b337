"""The motion of a person: gestures as functions of time, and the joints of the skeleton in pixels.

Gestures are in body heights relative to the middle of the shoulders (y up). They depend on the beats but never on
`ActionSegment.audible`: an audible and a silent gesture have identical frames.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from avdet.synthetic.canvas import Point
from avdet.synthetic.classes import Gesture
from avdet.synthetic.rhythm import Beat
from avdet.synthetic.scene import ActionSegment, Actor

TRANSITION_S = 0.3  # duration of the transition between two segments
STEPS_HZ = 0.95
# Lengths in body heights.
THIGH = SHIN = 0.225
ARM = 0.175  # upper arm and forearm, each
HEAD_RADIUS = 0.125
LIMB = 0.07  # thickness
MAX_ELBOW_OFFSET = 0.09  # an elbow further off the line from shoulder to hand is foreshortened instead
SEAT_HEIGHT, HIPS = 0.25, 0.46


class MotionState(NamedTuple):
    """All moving parts of a person as numbers that can be interpolated; "left" is the frame's left."""

    left_x: float  # left hand
    left_y: float
    right_x: float  # right hand
    right_y: float
    mouth: float = 0.0  # 0 closed, 1 wide open
    snack: float = 0.0  # visibility of plate and snack, 0 to 1
    drum: float = 0.0  # visibility of drum and sticks, 0 to 1
    sit: float = 0.0
    stride: float = 0.0
    facing: float = 1.0


def motion_at(actor: Actor, time_s: float) -> MotionState:
    """Returns the motion state at a time, interpolated across each change of segments."""
    segments = actor.segments
    index = segments.index(actor.segment_at(time_s))
    current = _segment_motion(segments[index], time_s)
    if index + 1 < len(segments) and segments[index].end_s - time_s < TRANSITION_S / 2:
        fraction = _smoothstep(0.5 - (segments[index].end_s - time_s) / TRANSITION_S)
        return _interpolated(current, _segment_motion(segments[index + 1], time_s), fraction)
    if index > 0 and time_s - segments[index].start_s < TRANSITION_S / 2:
        fraction = _smoothstep(0.5 + (time_s - segments[index].start_s) / TRANSITION_S)
        return _interpolated(_segment_motion(segments[index - 1], time_s), current, fraction)
    return current


def _segment_motion(segment: ActionSegment, time_s: float) -> MotionState:
    return GESTURE_MOTIONS[segment.gesture](segment, time_s)._replace(
        sit=float(segment.pose == "sit"), stride=float(segment.pose == "walk"), facing=float(segment.facing)
    )


def _interpolated(first: MotionState, second: MotionState, fraction: float) -> MotionState:
    return MotionState(*(a + (b - a) * fraction for a, b in zip(first, second, strict=True)))


def _smoothstep(fraction: float) -> float:
    return fraction * fraction * (3.0 - 2.0 * fraction)


def pulse(beats: tuple[Beat, ...], time_s: float, rise_s: float, fall_s: float) -> float:
    """Returns a raised cosine around each beat: its strength on the beat, 0 `rise_s` before and `fall_s` after it."""
    highest = 0.0
    for beat in beats:
        offset_s = time_s - beat.time_s
        if -rise_s < offset_s < fall_s:
            width_s = rise_s if offset_s < 0 else fall_s
            highest = max(highest, beat.strength * (0.5 + 0.5 * math.cos(math.pi * offset_s / width_s)))
    return highest


def mouth_opening(beats: tuple[Beat, ...], time_s: float) -> float:
    """Returns 0 (closed) to 1: the mouth opens and closes once per beat."""
    for beat in beats:
        phase = (time_s - beat.time_s) / beat.length_s
        if 0.0 < phase < 1.0:
            return beat.strength * math.sin(math.pi * phase)
    return 0.0


def _idle(segment: ActionSegment, time_s: float) -> MotionState:
    """Arms at the sides, swinging with the steps; hands on the lap of a sitting person."""
    if segment.pose == "sit":
        return MotionState(-0.09 + 0.04 * segment.facing, -0.29, 0.09 + 0.04 * segment.facing, -0.29)
    walking = segment.pose == "walk"
    swing = 0.10 * math.sin(2 * math.pi * STEPS_HZ * time_s) if walking else 0.01 * math.sin(1.7 * time_s)
    return MotionState(-0.17 + swing, -0.31, 0.17 + swing, -0.31)


def _wave(segment: ActionSegment, time_s: float) -> MotionState:
    """Both arms overhead, swinging sideways."""
    swing = 0.13 * math.sin(2 * math.pi * 1.5 * time_s + segment.start_s)
    return MotionState(-0.22 + swing, 0.28, 0.22 + swing, 0.28)


def _clap(segment: ActionSegment, time_s: float) -> MotionState:
    apart = 0.03 + 0.27 * (1.0 - pulse(segment.beats, time_s, 0.14, 0.16))
    return MotionState(-apart, -0.03, apart, -0.03)


def _drum(segment: ActionSegment, time_s: float) -> MotionState:
    """The hands alternate: each rests high and falls on every second beat."""
    left = pulse(segment.beats[0::2], time_s, 0.11, 0.22)
    right = pulse(segment.beats[1::2], time_s, 0.11, 0.22)
    return MotionState(-0.15, 0.0 - 0.16 * left, 0.15, 0.0 - 0.16 * right, drum=1.0)


def _mouth(segment: ActionSegment, time_s: float) -> MotionState:
    """One hand near the chin, with a snack or empty, the other with a plate; the mouth opens on the beats."""
    lift = 0.03 * math.sin(2 * math.pi * 0.4 * time_s + segment.start_s)
    high, low = (0.09, -0.05 + lift), (0.12, -0.2)
    (left_x, left_y), (right_x, right_y) = (high, low) if segment.hand < 0 else (low, high)
    return MotionState(-left_x, left_y, right_x, right_y, mouth=mouth_opening(segment.beats, time_s), snack=1.0)


GESTURE_MOTIONS: dict[Gesture, Callable[[ActionSegment, float], MotionState]] = {
    "idle": _idle, "wave": _wave, "clap": _clap, "drum": _drum, "mouth": _mouth,
}  # fmt: skip


@dataclass(frozen=True)
class Skeleton:
    """The joints of a person in pixels; pairs are (the frame's left, right). `unit_px` is one body height."""

    unit_px: float
    ground: Point
    hips: tuple[Point, Point]
    knees: tuple[Point, Point]
    feet: tuple[Point, Point]
    shoulders: tuple[Point, Point]
    elbows: tuple[Point, Point]
    hands: tuple[Point, Point]
    head: Point
    motion: MotionState

    def box_px(self) -> tuple[float, float, float, float]:
        """Returns the tight box (x1, y1, x2, y2) of the drawn person without seat and held objects."""
        limb, head = self.unit_px * LIMB * 0.6, self.unit_px * HEAD_RADIUS * 1.08
        circles = [(*self.head, head)]
        circles += [
            (*point, limb)
            for pair in (self.hips, self.knees, self.feet, self.shoulders, self.elbows, self.hands)
            for point in pair
        ]
        return (
            min(x - r for x, _, r in circles), min(y - r for _, y, r in circles),
            max(x + r for x, _, r in circles), max(y + r for _, y, r in circles),
        )  # fmt: skip


def skeleton_at(actor: Actor, time_s: float, width_px: int, height_px: int) -> Skeleton:
    """Returns the skeleton of an actor at a time, in pixels of a static camera."""
    segment = actor.segment_at(time_s)
    unit_px = actor.height * height_px
    speed = actor.walk_speed * actor.height * height_px / width_px
    ground = (segment.x_at(time_s, actor.x_range, speed) * width_px, actor.feet_y * height_px)
    motion = motion_at(actor, time_s)
    if segment.pose == "walk":
        next_x = segment.x_at(time_s + 0.02, actor.x_range, speed) * width_px
        motion = motion._replace(facing=1.0 if next_x > ground[0] else -1.0)
    return _posed_skeleton(motion, 2 * math.pi * STEPS_HZ * time_s, ground, unit_px)


def _posed_skeleton(motion: MotionState, phase: float, ground: Point, unit_px: float) -> Skeleton:
    """Places the joints in body heights (feet at y = 0, y up) and converts them to pixels."""
    sit, stride, facing = motion.sit, motion.stride, motion.facing
    hip_y = HIPS + (SEAT_HEIGHT + 0.03 - HIPS) * sit - stride * (0.04 + 0.012 * math.cos(2 * phase))
    hip_x = -0.08 * facing * sit
    shoulder_y = hip_y + 0.28
    hips = ((hip_x - 0.055, hip_y), (hip_x + 0.055, hip_y))
    feet = (_foot(-1, motion, phase), _foot(1, motion, phase + math.pi))
    shoulders = ((hip_x - 0.125, shoulder_y), (hip_x + 0.125, shoulder_y))
    hand_targets = (
        (hip_x + motion.left_x, shoulder_y + motion.left_y),
        (hip_x + motion.right_x, shoulder_y + motion.right_y),
    )
    hands = (_reached(shoulders[0], hand_targets[0], 2 * ARM), _reached(shoulders[1], hand_targets[1], 2 * ARM))
    bend = 1.0 if facing >= 0 else -1.0
    knees = (_joint(hips[0], feet[0], THIGH, bend), _joint(hips[1], feet[1], THIGH, bend))
    elbows = (_elbow(shoulders[0], hands[0], -1.0), _elbow(shoulders[1], hands[1], 1.0))
    nod = 0.03 * motion.mouth
    head = (hip_x + 0.012 * facing, shoulder_y + 0.155 + nod)

    def px(point: Point) -> Point:
        return ground[0] + point[0] * unit_px, ground[1] - point[1] * unit_px

    def pair(points: tuple[Point, Point]) -> tuple[Point, Point]:
        return px(points[0]), px(points[1])

    return Skeleton(
        unit_px, ground, pair(hips), pair(knees), pair(feet), pair(shoulders), pair(elbows), pair(hands),
        px(head), motion,
    )  # fmt: skip


def _foot(side: int, motion: MotionState, phase: float) -> Point:
    still = side * 0.075 * (1.0 - 0.6 * motion.sit) + 0.15 * motion.facing * motion.sit
    step = 0.145 * motion.facing * math.cos(phase)
    lift = 0.07 * max(-math.sin(phase), 0.0)
    return still + (step - still) * motion.stride, 0.02 + lift * motion.stride


def _reached(origin: Point, target: Point, reach: float) -> Point:
    """The target, or the nearest point to it within `reach` of `origin`."""
    dx, dy = target[0] - origin[0], target[1] - origin[1]
    fraction = min(1.0, 0.995 * reach / max(math.hypot(dx, dy), 1e-6))
    return origin[0] + dx * fraction, origin[1] + dy * fraction


def _elbow(shoulder: Point, hand: Point, side: float) -> Point:
    """The lower of the two possible elbows, or the outer one if they are level."""
    elbows = (_joint(shoulder, hand, ARM, 1.0, MAX_ELBOW_OFFSET), _joint(shoulder, hand, ARM, -1.0, MAX_ELBOW_OFFSET))
    return max(elbows, key=lambda elbow: 0.3 * side * elbow[0] - elbow[1])


def _joint(start: Point, end: Point, bone: float, side: float, max_offset: float = 1.0) -> Point:
    """The joint between two points, of two bones of length `bone`, bent to the right (side 1) or left (-1).

    It lies at most `max_offset` off the line between the points.
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    distance = max(math.hypot(dx, dy), 1e-6)
    offset = side * min(math.sqrt(max(bone * bone - distance * distance / 4, 0.0)), max_offset)
    return (start[0] + end[0]) / 2 - dy / distance * offset, (start[1] + end[1]) / 2 + dx / distance * offset

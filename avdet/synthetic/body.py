"""Where the joints of a person are: a small skeleton in body heights, feet at y = 0, y up, then in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from avdet.synthetic.motion import STEPS_HZ, Gesture, gesture_at
from avdet.synthetic.scene import Actor
from avdet.synthetic.scene_script import walked_x

Point = tuple[float, float]
THIGH = SHIN = 0.225
ARM = 0.175
HEAD_RADIUS = 0.125
LIMB = 0.07  # thickness
FORESHORTENED = 0.09  # an elbow that would stick out further points at the viewer instead
SEAT_HEIGHT, HIPS = 0.25, 0.46


@dataclass(frozen=True)
class Body:
    """Joints in pixels; pairs are (the picture's left, right). `unit_px` is one body height."""

    unit_px: float
    ground: Point
    hips: tuple[Point, Point]
    knees: tuple[Point, Point]
    feet: tuple[Point, Point]
    shoulders: tuple[Point, Point]
    elbows: tuple[Point, Point]
    hands: tuple[Point, Point]
    head: Point
    gesture: Gesture

    def box_px(self) -> tuple[float, float, float, float]:
        """The tight box (x1, y1, x2, y2) of the drawn person, without what they hold or sit on."""
        limb, head = self.unit_px * LIMB * 0.6, self.unit_px * HEAD_RADIUS * 1.08
        around = [(*self.head, head)]
        around += [
            (*point, limb)
            for pair in (self.hips, self.knees, self.feet, self.shoulders, self.elbows, self.hands)
            for point in pair
        ]
        return (
            min(x - r for x, _, r in around), min(y - r for _, y, r in around),
            max(x + r for x, _, r in around), max(y + r for _, y, r in around),
        )  # fmt: skip


def body_at(actor: Actor, time_s: float, width_px: int, height_px: int) -> Body:
    """The skeleton of an actor at a time, in pixels of a still camera."""
    act = actor.act_at(time_s)
    unit_px = actor.height * height_px
    speed = actor.walk_speed * actor.height * height_px / width_px
    ground = (walked_x(act, time_s, actor.x_range, speed) * width_px, actor.feet_y * height_px)
    gesture = gesture_at(actor, time_s)
    if act.pose == "walk":
        later = walked_x(act, time_s + 0.02, actor.x_range, speed) * width_px
        gesture = gesture._replace(facing=1.0 if later > ground[0] else -1.0)
    return _placed(gesture, 2 * math.pi * STEPS_HZ * time_s, ground, unit_px)


def _placed(gesture: Gesture, phase: float, ground: Point, unit_px: float) -> Body:
    sit, stride, facing = gesture.sit, gesture.stride, gesture.facing
    hip_y = HIPS + (SEAT_HEIGHT + 0.03 - HIPS) * sit - stride * (0.04 + 0.012 * math.cos(2 * phase))
    hip_x = -0.08 * facing * sit
    shoulder_y = hip_y + 0.28
    hips = ((hip_x - 0.055, hip_y), (hip_x + 0.055, hip_y))
    feet = (_foot(-1, gesture, phase), _foot(1, gesture, phase + math.pi))
    shoulders = ((hip_x - 0.125, shoulder_y), (hip_x + 0.125, shoulder_y))
    wanted = (
        (hip_x + gesture.left_x, shoulder_y + gesture.left_y),
        (hip_x + gesture.right_x, shoulder_y + gesture.right_y),
    )
    hands = (_within(shoulders[0], wanted[0], 2 * ARM), _within(shoulders[1], wanted[1], 2 * ARM))
    bend = 1.0 if facing >= 0 else -1.0
    knees = (_joint(hips[0], feet[0], THIGH, bend), _joint(hips[1], feet[1], THIGH, bend))
    elbows = (_elbow(shoulders[0], hands[0], -1.0), _elbow(shoulders[1], hands[1], 1.0))
    nod = 0.03 * gesture.mouth
    head = (hip_x + 0.012 * facing, shoulder_y + 0.155 + nod)

    def px(point: Point) -> Point:
        return ground[0] + point[0] * unit_px, ground[1] - point[1] * unit_px

    def pair(points: tuple[Point, Point]) -> tuple[Point, Point]:
        return px(points[0]), px(points[1])

    return Body(
        unit_px, ground, pair(hips), pair(knees), pair(feet), pair(shoulders), pair(elbows), pair(hands),
        px(head), gesture,
    )  # fmt: skip


def _foot(side: int, gesture: Gesture, phase: float) -> Point:
    still = side * 0.075 * (1.0 - 0.6 * gesture.sit) + 0.15 * gesture.facing * gesture.sit
    step = 0.145 * gesture.facing * math.cos(phase)
    lift = 0.07 * max(-math.sin(phase), 0.0)
    return still + (step - still) * gesture.stride, 0.02 + lift * gesture.stride


def _within(origin: Point, target: Point, reach: float) -> Point:
    """The target, or the nearest point to it that a limb from `origin` reaches."""
    dx, dy = target[0] - origin[0], target[1] - origin[1]
    share = min(1.0, 0.995 * reach / max(math.hypot(dx, dy), 1e-6))
    return origin[0] + dx * share, origin[1] + dy * share


def _elbow(shoulder: Point, hand: Point, side: float) -> Point:
    """The lower of the two elbows that there can be, or the outer one where they are level."""
    elbows = (_joint(shoulder, hand, ARM, 1.0, FORESHORTENED), _joint(shoulder, hand, ARM, -1.0, FORESHORTENED))
    return max(elbows, key=lambda elbow: 0.3 * side * elbow[0] - elbow[1])


def _joint(start: Point, end: Point, bone: float, side: float, most: float = 1.0) -> Point:
    """The elbow or knee between two points, of two bones of one length, bent to the right (side 1) or left (-1).

    It lies at most `most` off the line between them.
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    far = max(math.hypot(dx, dy), 1e-6)
    out = side * min(math.sqrt(max(bone * bone - far * far / 4, 0.0)), most)
    return (start[0] + end[0]) / 2 - dy / far * out, (start[1] + end[1]) / 2 + dx / far * out

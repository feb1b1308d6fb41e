"""How a body performs the actions of SyntheticMotion.

Angles are Euler angles in radians: x bends a limb backward (a knee) or, with
a minus, forward (a hip); y twists; z raises the left arm or lowers the right
one from the rest pose, in which both are stretched out sideways.
"""

from collections.abc import Callable

import numpy as np

from symgnn_pyg.skeleton import Skeleton

CMU26 = Skeleton.get("cmu26")

Curve = np.ndarray
ARM_DOWN = 1.3
# Angles about y and z are mirrored on the right.
SIGNS = {"l": 1.0, "r": -1.0}


class Performance:
    r"""The joint angles of one sequence, as its action builds them up.

    Args:
        num_frames: The number of frames :math:`T`.
        frame_rate: The frames per second.
        random: The generator of all random numbers.
    """

    def __init__(
        self, num_frames: int, frame_rate: int, random: np.random.Generator
    ) -> None:
        self.random = random
        self.time = np.arange(num_frames) / frame_rate
        self.angles = np.zeros((num_frames, CMU26.num_joints, 3))
        self.size = random.uniform(0.75, 1.25)
        self.side = "lr"[random.integers(2)]
        self.other = "rl"["lr".index(self.side)]
        self.raise_arms(-ARM_DOWN)

    def raise_arms(self, angle: float | Curve, sides: str = "lr") -> None:
        r"""Raises arms sideways from where they are."""
        for side in sides:
            self.turn(f"{side}humerus", z=SIGNS[side] * angle)

    def turn(
        self,
        joint: str,
        x: float | Curve = 0.0,
        y: float | Curve = 0.0,
        z: float | Curve = 0.0,
    ) -> None:
        r"""Turns a joint further."""
        at = CMU26.index(joint)
        for axis, angle in enumerate((x, y, z)):
            self.angles[:, at, axis] += angle

    def phase(self, low: float, high: float) -> Curve:
        r"""The phase of a cycle of a drawn frequency, in hertz, that drifts
        by some percent.
        """
        frequency = self.random.uniform(low, high)
        wander = 0.08 * self.wave(0.1, 0.3)
        cycles = np.cumsum(frequency * (1 + wander)) * self.time[1]
        return 2 * np.pi * (cycles + self.random.uniform())

    def pulses(self, duration: float, pause: float) -> Curve:
        r"""A curve that rises from 0 to 1 and falls again, at drawn
        moments.
        """
        curve = np.zeros_like(self.time)
        start = -self.random.uniform(0, duration)
        while start < self.time[-1]:
            length = duration * self.random.uniform(0.85, 1.15)
            progress = np.clip((self.time - start) / length, 0, 1)
            height = self.random.uniform(0.85, 1.15)
            curve += height * np.sin(np.pi * progress) ** 2
            start += length + pause * self.random.uniform(0.5, 1.5)
        return curve

    def wave(self, low: float, high: float) -> Curve:
        r"""A slow sine of drawn frequency, in hertz, and phase."""
        frequency, start = self.random.uniform(low, high), self.random.uniform()
        return np.sin(2 * np.pi * (frequency * self.time + start))

    def finish(self) -> np.ndarray:
        r"""The angles with posture, drift and noise, of shape
        :math:`[T, V, 3]`.
        """
        shape = self.angles.shape[1:]
        posture = self.random.normal(0, 0.05, shape)
        drift = np.stack(
            [self.wave(0.05, 0.25) for _ in range(posture.size)], axis=1
        )
        noise = self.random.normal(0, 0.003, self.angles.shape)
        sway = 0.03 * drift.reshape(-1, *shape)
        return self.angles + posture + sway + noise


def _gait(p: Performance, phase: Curve, stride: float, knee: float) -> None:
    for side, shift in (("l", 0.0), ("r", np.pi)):
        swing = np.sin(phase + shift)
        p.turn(f"{side}femur", x=-stride * p.size * swing)
        bend = 0.5 - 0.5 * np.cos(phase + shift + 0.6)
        p.turn(f"{side}tibia", x=knee * p.size * bend)
        p.turn(f"{side}foot", x=-0.25 * stride * swing)
        p.turn(f"{side}humerus", x=0.8 * stride * p.size * swing)
    p.turn("lowerback", y=0.1 * np.sin(phase))
    p.turn("thorax", y=-0.15 * np.sin(phase))


def walking(p: Performance) -> None:
    _gait(p, p.phase(0.7, 1.1), stride=0.45, knee=0.6)


def running(p: Performance) -> None:
    _gait(p, p.phase(1.0, 1.5), stride=0.7, knee=1.3)
    for side, sign in SIGNS.items():
        p.turn(f"{side}radius", y=-sign * 1.0)
    p.turn("lowerback", x=0.2)


def waving(p: Performance) -> None:
    phase = p.phase(0.9, 1.5)
    p.raise_arms(ARM_DOWN + 0.7, p.side)
    sign = SIGNS[p.side]
    p.turn(f"{p.side}radius", z=sign * (0.7 + 0.5 * p.size * np.sin(phase)))
    p.turn(f"{p.side}wrist", z=sign * 0.3 * p.size * np.sin(phase - 0.5))
    p.turn("head", z=0.05 * np.sin(phase / 2))


def boxing(p: Performance) -> None:
    phase = p.phase(0.8, 1.3)
    for side, sign, shift in (("l", 1.0, 0.0), ("r", -1.0, np.pi)):
        punch = np.clip(np.sin(phase + shift), 0, 1) ** 2 * p.size
        p.raise_arms(0.5 + 0.6 * punch, side)
        p.turn(f"{side}humerus", y=-sign * (0.3 + 0.6 * punch))
        p.turn(f"{side}radius", y=-sign * (1.1 - 0.8 * punch))
    p.turn("thorax", y=0.25 * p.size * np.sin(phase))
    for side in "lr":
        p.turn(f"{side}femur", x=-0.2)
        p.turn(f"{side}tibia", x=0.3 + 0.1 * np.sin(2 * phase))


def kicking(p: Performance) -> None:
    kick = p.pulses(1.0, 0.7) * p.size
    p.turn(f"{p.side}femur", x=0.4 * kick - 1.5 * kick**2)
    p.turn(f"{p.side}tibia", x=1.2 * kick - 1.0 * kick**2)
    p.turn(f"{p.other}tibia", x=0.25 * kick)
    p.turn("lowerback", x=-0.25 * kick)
    p.raise_arms(0.5 * kick)


def throwing(p: Performance) -> None:
    throw = p.pulses(1.1, 0.7) * p.size
    sign = SIGNS[p.side]
    p.raise_arms(1.6 * throw, p.side)
    p.turn(f"{p.side}humerus", y=sign * (0.8 * throw - 1.6 * throw**2))
    p.turn(f"{p.side}radius", y=-sign * (1.5 * throw - 1.2 * throw**2))
    p.turn("thorax", y=sign * (0.3 * throw - 0.6 * throw**2))
    p.turn(f"{p.other}femur", x=-0.4 * throw)


def squatting(p: Performance) -> None:
    depth = p.pulses(1.8, 0.4) * p.size
    for side, sign in SIGNS.items():
        p.turn(f"{side}femur", x=-1.3 * depth)
        p.turn(f"{side}tibia", x=1.6 * depth)
        p.turn(f"{side}foot", x=-0.3 * depth)
        p.raise_arms(0.9 * depth, side)
        p.turn(f"{side}humerus", y=-sign * 0.7 * depth)
    p.turn("lowerback", x=0.3 * depth)


def bowing(p: Performance) -> None:
    depth = p.pulses(2.0, 0.5) * p.size
    p.turn("lowerback", x=0.6 * depth)
    p.turn("upperback", x=0.4 * depth)
    p.turn("thorax", x=0.3 * depth)
    p.turn("upperneck", x=0.2 * depth)
    for side in "lr":
        p.turn(f"{side}humerus", x=-0.5 * depth)


ACTIONS: dict[str, Callable[[Performance], None]] = {
    action.__name__: action
    for action in (
        walking,
        running,
        waving,
        boxing,
        kicking,
        throwing,
        squatting,
        bowing,
    )
}

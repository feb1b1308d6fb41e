from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symgnn_pyg.visualization.arrays import Array

OBSERVED = "observed"


@dataclass(frozen=True)
class Timeline:
    r"""Which pose of each motion is shown at which time. The motion named
    :obj:`"observed"` ends at 0 ms and the others start one frame later;
    without it, all motions start at 0 ms.
    """

    motions: Mapping[str, Array]  # [T, M, V, C] each
    frame_rate: float

    def __post_init__(self) -> None:
        if not 0.0 < self.frame_rate < np.inf:
            raise ValueError(
                f"'frame_rate' must be positive, got {self.frame_rate}"
            )

    @property
    def num_observed(self) -> int:
        r"""The number of observed frames."""
        return len(self.motions.get(OBSERVED, ()))

    @property
    def num_frames(self) -> int:
        r"""The number of frames from the first to the last."""
        return max(
            self.start(name) + len(m) for name, m in self.motions.items()
        )

    def start(self, name: str) -> int:
        r"""The frame at which a motion starts."""
        return 0 if name == OBSERVED else self.num_observed

    def pose(self, name: str, frame: int) -> Array:
        r"""The poses of a motion's bodies at a frame, of shape
        :math:`[M, V, C]`: NaN before the motion starts, and its last poses
        after it has ended.
        """
        motion = self.motions[name]
        at = frame - self.start(name)
        if at < 0:
            return np.full_like(motion[0], np.nan)
        return motion[min(at, len(motion) - 1)]

    def runs(self, name: str, frame: int) -> bool:
        r"""Whether a motion has started, but not yet ended, at a frame."""
        return 0 <= frame - self.start(name) < len(self.motions[name])

    def caption(self, frame: int) -> str:
        r"""The time of a frame, in milliseconds."""
        since = frame - max(0, self.num_observed - 1)
        return f"{1000.0 * since / self.frame_rate:.0f} ms"

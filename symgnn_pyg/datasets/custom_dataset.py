from collections.abc import Callable, Sequence
from typing import get_args

from symgnn_pyg.data import SequenceStore, SkeletonData
from symgnn_pyg.datasets.motion_dataset import MotionDataset
from symgnn_pyg.datasets.windows import all_windows, clip_windows
from symgnn_pyg.errors import DataError, check_choices
from symgnn_pyg.typing import Kind


class CustomDataset(MotionDataset):
    r"""The base class of data sets of your own recordings, which may hold
    positions or rotations in any unit, and give windows or clips.

    Raises:
        DataError: If the split has no recordings.
        ValueError: If :obj:`kind` is unknown, or the number of channels does
            not fit it or :obj:`num_coordinates`.
    """

    def __init__(
        self,
        store: SequenceStore,
        chosen: Sequence[int],
        *,
        split: str | None,
        samples: str,
        num_observed: int,
        num_future: int,
        stride: int,
        kind: str,
        unit: str | None,
        num_coordinates: int | None,
        transform: Callable[[SkeletonData], SkeletonData] | None,
    ) -> None:
        if not chosen:
            raise DataError(
                f"{store.path}: the split {split!r} has none of the "
                f"{len(store)} recordings; pass other 'shares' or 'groups'"
            )
        sizes = {
            "num_observed": num_observed,
            "num_future": num_future,
            "stride": stride,
        }
        windows = (
            clip_windows(store, chosen)
            if samples == "clips"
            else all_windows(store, chosen, **sizes)
        )
        super().__init__(store, windows, **sizes, transform=transform)
        channels = store.num_channels
        check_choices(get_args(Kind), kind=kind)
        if kind == "rotation" and channels != 3:
            raise ValueError(
                f"Expected the 3 channels of exponential maps with "
                f"kind='rotation', got {channels}"
            )
        if num_coordinates is not None and not 1 <= num_coordinates <= channels:
            raise ValueError(
                f"'num_coordinates' must be from 1 to {channels}, the number "
                f"of channels, got {num_coordinates}"
            )
        self.split = split
        self.kind = kind
        self.unit = "radians" if kind == "rotation" else unit
        self.num_coordinates = num_coordinates

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from symgnn_pyg.data import SequenceStore, SkeletonData
from symgnn_pyg.data.prepare import report_missing
from symgnn_pyg.datasets.motion_dataset import (
    MotionDataset,
    Window,
    all_windows,
)
from symgnn_pyg.datasets.published_files import TEST_SEED, PublishedFiles
from symgnn_pyg.errors import DataError
from symgnn_pyg.io.source import Source, read_table
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.skeleton.layouts import CMU26_IN_38

ACTIONS = (
    "basketball",
    "basketball_signal",
    "directing_traffic",
    "jumping",
    "running",
    "soccer",
    "walking",
    "washwindow",
)
COLUMNS = 3 + 3 * Skeleton.get("cmu38").num_joints
VALIDATION = 5
TEST_WINDOWS = 8
# What a published window observes and predicts, whatever part of it is used.
TEST_OBSERVED, TEST_FUTURE = 50, 25
TEST_SPAN = TEST_OBSERVED + TEST_FUTURE


class CMUMocap(MotionDataset):
    r"""Eight actions of the CMU Graphics Lab Motion Capture Database, as
    exponential maps of 26 joints in radians, read from the files that motion
    prediction uses: :obj:`{train,test}/ACTION/ACTION_i.txt`, 117
    comma-separated columns.

    The :obj:`"test"` split is the published one: of each action's test
    recording eight windows, drawn by :obj:`numpy.random.RandomState(
    1234567890)`. Training windows start at every frame (so both phases of a
    stride of 2 occur) except the synthetic T-pose of the first row. The
    :obj:`"val"` split is our own: the windows of each action's fifth training
    recording, which :obj:`"train"` then leaves out.

    Args:
        root: The folder or zip archive with the files.
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            (default: :obj:`"train"`)
        num_observed: The number of observed frames. (default: :obj:`50`)
        num_future: The number of frames to predict. (default: :obj:`25`)
        stride: The distance of one frame to the next, in frames of the file,
            recorded at 120 a second; the field uses 2 and calls that 40 ms.
            (default: :obj:`2`)
        actions: The actions to use; labels stay the same.
            (default: all eight)
        allow_missing: If set to :obj:`True`, files that are absent are named
            in a warning instead of an error. (default: :obj:`False`)
        path: The HDF5 file to keep the parsed sequences in. It is made anew
            when the files change. (default: :obj:`root` with suffix
            :obj:`.h5`, beside it)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        FileNotFoundError: If :obj:`root` does not exist.
        DataError: If files are absent or cannot be parsed; the message names
            file and line.
        ValueError: If an argument is none of its values.

    The data may be used and shared freely but not resold. They were obtained
    from mocap.cs.cmu.edu; the database was created with funding from NSF
    EIA-0196217.

    **STATS:**

    .. list-table::
        :header-rows: 1

        * - split
          - recordings
          - joints
          - channels
          - classes
        * - train and val
          - 40
          - 26
          - 3
          - 8
        * - test
          - 8
          - 26
          - 3
          - 8
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str = "train",
        num_observed: int = 50,
        num_future: int = 25,
        stride: int = 2,
        actions: Sequence[str] = ACTIONS,
        allow_missing: bool = False,
        path: str | os.PathLike[str] | None = None,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        FILES.check(split, num_observed, num_future, stride, actions)
        with Source(root, anchors=("train", "test")) as source:
            missing = FILES.missing(source, actions)
            report_missing(missing, source, FILES.title, allow_missing)
            opened = FILES.prepare(source, path or f"{source.path}.h5")
        super().__init__(
            opened,
            _windows(opened, split, num_observed, num_future, stride, actions),
            num_observed,
            num_future,
            stride,
            transform,
        )
        self.split = split
        self.missing = missing


def _names() -> Iterator[tuple[str, str]]:
    for action in ACTIONS:
        for i in range(1, 6):
            yield action, f"train/{action}/{action}_{i}.txt"
        yield action, f"test/{action}/{action}_1.txt"


def parse(content: bytes, where: str) -> np.ndarray:
    r"""The frames of a file, of shape :math:`[T, 26, 3]`.

    Args:
        content: The content of the file.
        where: Its name, for messages.

    Raises:
        DataError: If it is no table of 117 finite numbers a line.
    """
    table = read_table(content, where, COLUMNS)  # [T, 3 + 38 * 3]
    return table[:, 3:].reshape(len(table), -1, 3)[:, CMU26_IN_38]


FILES = PublishedFiles(
    "CMU Mocap",
    list(_names()),
    ACTIONS,
    Skeleton.get("cmu26"),
    parse,
    (TEST_OBSERVED, TEST_FUTURE),
)


def _windows(
    store: SequenceStore,
    split: str,
    num_observed: int,
    num_future: int,
    stride: int,
    actions: Sequence[str],
) -> Iterable[Window] | np.ndarray:
    folder = "test/" if split == "test" else "train/"
    chosen = [
        i
        for i, name in enumerate(store.names)
        if store.classes[int(store.labels[i])] in actions
        and name.startswith(folder)
        and (
            split == "test"
            or name.endswith(f"_{VALIDATION}") == (split == "val")
        )
    ]
    if split != "test":
        return all_windows(
            store, chosen, num_observed, num_future, stride, skip=1
        )
    windows = []
    for i in chosen:
        strided = -(-store.num_frames(i) // stride)
        if strided <= TEST_SPAN:
            raise DataError(
                f"{store.sources[i]}: {strided} frames at stride {stride} are "
                f"too few for windows of {TEST_SPAN}"
            )
        random = np.random.RandomState(TEST_SEED)
        for _ in range(TEST_WINDOWS):
            first = random.randint(0, strided - TEST_SPAN)
            # Fewer observed frames are the last of the published ones.
            start = first + TEST_OBSERVED - num_observed
            windows.append(Window(i, start * stride))
    return windows

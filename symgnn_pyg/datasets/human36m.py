import os
from collections.abc import Callable, Iterator, Sequence

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

H36M20 = Skeleton.get("h36m20")

ACTIONS = (
    "walking", "eating", "smoking", "discussion", "directions", "greeting",
    "phoning", "posing", "purchases", "sitting", "sittingdown", "takingphoto",
    "waiting", "walkingdog", "walkingtogether",
)  # fmt: skip
SUBJECTS = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")
TEST, VALIDATION = "S5", "S11"
COLUMNS = 3 + 3 * 32
# The joints of H36M20 among the 32 of a file.
H36M20_IN_32 = (
    1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 24, 25, 26, 27,
)  # fmt: skip
# Windows of each of an action's two test recordings, and where they lie: not
# before that frame, with room for that many observed and future frames.
TEST_WINDOWS, TEST_FIRST = 4, 16
TEST_OBSERVED, TEST_FUTURE = 50, 100


class Human36M(MotionDataset):
    r"""Fifteen actions of seven subjects of Human3.6M, as exponential maps of
    20 joints in radians, read from the files that motion prediction uses:
    :obj:`S{1,5,6,7,8,9,11}/ACTION_{1,2}.txt`, 99 comma-separated columns.

    The :obj:`"test"` split is the published one: of each action eight
    windows of subject 5, drawn by :obj:`numpy.random.RandomState(1234567890)`
    from its two recordings in turn. The :obj:`"val"` split is our own: the
    windows of subject 11, which :obj:`"train"` then leaves out. Training
    windows start at every frame, so both phases of a stride of 2 occur.

    A widely copied archive holds training files that are copies of test
    files: they are refused by name.

    Args:
        root: The folder or zip archive with the files.
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            (default: :obj:`"train"`)
        num_observed: The number of observed frames. (default: :obj:`50`)
        num_future: The number of frames to predict. (default: :obj:`25`)
        stride: The distance of one frame to the next, in frames of the file,
            recorded at 50 a second; the field uses 2, which makes 40 ms.
            (default: :obj:`2`)
        actions: The actions to use; labels stay the same.
            (default: all fifteen)
        allow_missing: If set to :obj:`True`, files that are absent are named
            in a warning instead of an error. (default: :obj:`False`)
        path: The HDF5 file to keep the parsed sequences in. It is made anew
            when the files change. (default: :obj:`root` with suffix
            :obj:`.h5`, beside it)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        FileNotFoundError: If :obj:`root` does not exist.
        DataError: If files are absent or cannot be parsed, or a training file
            equals a test file; the message names file and line.
        ValueError: If an argument is none of its values.

    The data are given for academic use to those who accept the licence at
    `vision.imar.ro/human3.6m <http://vision.imar.ro/human3.6m>`_, and may not
    be passed on. Source: the `"Human3.6M: Large Scale Datasets and Predictive
    Methods for 3D Human Sensing in Natural Environments"
    <https://doi.org/10.1109/TPAMI.2013.248>`_ paper; protocol: the `"On Human
    Motion Prediction Using Recurrent Neural Networks"
    <https://arxiv.org/abs/1705.02445>`_ paper.

    **STATS:**

    .. list-table::
        :header-rows: 1

        * - split
          - recordings
          - joints
          - channels
          - classes
        * - train
          - 150
          - 20
          - 3
          - 15
        * - val
          - 30
          - 20
          - 3
          - 15
        * - test
          - 30
          - 20
          - 3
          - 15
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
        with Source(root, anchors=SUBJECTS) as source:
            missing = FILES.missing(source, actions)
            report_missing(missing, source, FILES.title, allow_missing)
            opened = FILES.prepare(source, path or f"{source.path}.h5")
        _refuse_copies(opened)
        windows: list[Window] | np.ndarray
        if split == "test":
            windows = list(_test_windows(opened, actions, num_observed, stride))
        else:
            chosen = [
                i
                for i, name in enumerate(opened.names)
                if _split(name) == split and _action(name) in actions
            ]
            windows = all_windows(
                opened, chosen, num_observed, num_future, stride
            )
        super().__init__(
            opened, windows, num_observed, num_future, stride, transform
        )
        self.split = split
        self.missing = missing


def _names() -> Iterator[tuple[str, str]]:
    for subject in SUBJECTS:
        for action in ACTIONS:
            for take in (1, 2):
                yield action, f"{subject}/{action}_{take}.txt"


def _split(name: str) -> str:
    splits = {TEST: "test", VALIDATION: "val"}
    return splits.get(name.partition("/")[0], "train")


def _action(name: str) -> str:
    return name.partition("/")[2].partition("_")[0]


def parse(content: bytes, where: str) -> np.ndarray:
    r"""The frames of a file, of shape :math:`[T, 20, 3]`.

    Args:
        content: The content of the file.
        where: Its name, for messages.

    Raises:
        DataError: If it is no table of 99 finite numbers a line.
    """
    table = read_table(content, where, COLUMNS)  # [T, 3 + 32 * 3]
    return table[:, 3:].reshape(len(table), -1, 3)[:, H36M20_IN_32]


FILES = PublishedFiles(
    "Human3.6M",
    list(_names()),
    ACTIONS,
    H36M20,
    parse,
    (TEST_OBSERVED, TEST_FUTURE),
)


def _refuse_copies(store: SequenceStore) -> None:
    files = list(zip(store.sources, store.checksums, strict=True))
    tested = {
        checksum: file for file, checksum in files if _split(file) == "test"
    }
    copies = [
        f"{file} equals {tested[checksum]}"
        for file, checksum in files
        if checksum in tested and _split(file) != "test"
    ]
    if copies:
        raise DataError(
            f"{store.path}: training files are copies of test files: "
            f"{', '.join(copies)}. Replace them by the true ones, or delete "
            f"them and pass allow_missing=True"
        )


def _test_windows(
    store: SequenceStore, actions: Sequence[str], num_observed: int, stride: int
) -> Iterator[Window]:
    at = {name: i for i, name in enumerate(store.names)}
    span = TEST_OBSERVED + TEST_FUTURE
    for action in ACTIONS:
        if action not in actions:
            continue
        names = [f"{TEST}/{action}_{take}" for take in (1, 2)]
        takes = [at[name] for name in names if name in at]
        if len(takes) < len(names):
            raise DataError(
                f"The test windows of {action!r} are drawn from "
                f"{' and '.join(names)} in turn, so both are due; leave it "
                f"out of 'actions'"
            )
        random = np.random.RandomState(TEST_SEED)
        for _ in range(TEST_WINDOWS):
            for take in takes:
                strided = -(-store.num_frames(take) // stride)
                if strided - span <= TEST_FIRST:
                    raise DataError(
                        f"{store.sources[take]}: {strided} frames at stride "
                        f"{stride} are too few for windows of {span} from "
                        f"frame {TEST_FIRST}"
                    )
                first = random.randint(TEST_FIRST, strided - span)
                # Fewer observed frames are the last of the published ones.
                start = first + TEST_OBSERVED - num_observed
                yield Window(take, start * stride)

from collections.abc import Iterator

from symgnn_pyg.data import SequenceStore
from symgnn_pyg.datasets.published_dataset import (
    PublishedDataset,
    PublishedWindows,
)
from symgnn_pyg.errors import DataError

ACTIONS = (
    "walking", "eating", "smoking", "discussion", "directions", "greeting",
    "phoning", "posing", "purchases", "sitting", "sittingdown", "takingphoto",
    "waiting", "walkingdog", "walkingtogether",
)  # fmt: skip
SUBJECTS = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")
TEST, VALIDATION = "S5", "S11"


class Human36M(PublishedDataset):
    r"""Fifteen actions of seven subjects of Human3.6M, as exponential maps of
    20 joints in radians, read from the files that motion prediction uses:
    :obj:`S{1,5,6,7,8,9,11}/ACTION_{1,2}.txt`, 99 comma-separated columns
    per frame.

    The :obj:`"test"` split is the published one: eight windows of subject 5
    for each action, drawn by :obj:`numpy.random.RandomState(1234567890)` from
    its two recordings in turn. The :obj:`"val"` split is this library's own:
    the windows of subject 11, which :obj:`"train"` leaves out. Training
    windows start at every frame, so that both phases of a stride of 2 occur.

    In a widely copied archive some training files are copies of test files:
    they are refused, and the message names them.

    Args:
        root: The folder or zip archive with the files.
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            (default: :obj:`"train"`)
        num_observed: The number of observed frames. (default: :obj:`50`)
        num_future: The number of frames to predict. (default: :obj:`25`)
        stride: The distance from one frame to the next, in frames of the
            file, which was recorded at 50 frames per second; the field uses
            2, which makes 40 ms. (default: :obj:`2`)
        actions: The actions to use; labels stay the same.
            (default: all fifteen)
        allow_missing: If set to :obj:`True`, absent files are named in a
            warning instead of an error. (default: :obj:`False`)
        path: The HDF5 file for the parsed sequences. It is written again
            when the files change. (default: :obj:`root` with suffix
            :obj:`.h5`, beside it)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        FileNotFoundError: If :obj:`root` does not exist.
        DataError: If files are absent or cannot be parsed, or a training file
            equals a test file; the message names file and line.
        ValueError: If there is no such split, window or action.

    The data are available for academic use under the licence at
    `vision.imar.ro/human3.6m <http://vision.imar.ro/human3.6m>`_, and may not
    be redistributed. Source: the `"Human3.6M: Large Scale Datasets and
    Predictive Methods for 3D Human Sensing in Natural Environments"
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

    title = "Human3.6M"
    actions = ACTIONS
    layout = "h36m20"
    test_windows = PublishedWindows(50, 100, per_recording=4, first=16)

    @classmethod
    def files(cls) -> Iterator[tuple[str, str]]:
        for subject in SUBJECTS:
            for action in ACTIONS:
                for take in (1, 2):
                    yield action, f"{subject}/{action}_{take}.txt"

    @staticmethod
    def split_of(name: str) -> str:
        splits = {TEST: "test", VALIDATION: "val"}
        return splits.get(name.partition("/")[0], "train")

    def _check_store(self, store: SequenceStore) -> None:
        files = list(zip(store.sources, store.checksums, strict=True))
        tested = {
            checksum: file
            for file, checksum in files
            if self.split_of(file) == "test"
        }
        copies = [
            f"{file} equals {tested[checksum]}"
            for file, checksum in files
            if checksum in tested and self.split_of(file) != "test"
        ]
        if copies:
            raise DataError(
                f"{store.path}: training files are copies of test files: "
                f"{', '.join(copies)}. Replace them by the originals, or "
                f"delete them and pass allow_missing=True"
            )

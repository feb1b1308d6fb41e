from collections.abc import Iterator

from symgnn_pyg.datasets.published_dataset import (
    PublishedDataset,
    PublishedWindows,
)

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
VALIDATION = "_5"


class CMUMocap(PublishedDataset):
    r"""Eight actions of the CMU Graphics Lab Motion Capture Database, as
    exponential maps of 26 joints in radians, read from the files that motion
    prediction uses: :obj:`{train,test}/ACTION/ACTION_i.txt`, 117
    comma-separated columns per frame.

    The :obj:`"test"` split is the published one: eight windows from each
    action's test recording, drawn by :obj:`numpy.random.RandomState(
    1234567890)`. Training windows start at every frame, so that both phases
    of a stride of 2 occur, except at the synthetic T-pose of the first row.
    The :obj:`"val"` split is this library's own: the windows of each action's
    fifth training recording, which :obj:`"train"` leaves out.

    Args:
        root: The folder or zip archive with the files.
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            (default: :obj:`"train"`)
        num_observed: The number of observed frames. (default: :obj:`50`)
        num_future: The number of frames to predict. (default: :obj:`25`)
        stride: The distance from one frame to the next, in frames of the
            file, which was recorded at 120 frames per second; the field uses
            2 and calls that 40 ms. (default: :obj:`2`)
        actions: The actions to use; labels stay the same.
            (default: all eight)
        allow_missing: If set to :obj:`True`, absent files are named in a
            warning instead of an error. (default: :obj:`False`)
        path: The HDF5 file for the parsed sequences. It is written again
            when the files change. (default: :obj:`root` with suffix
            :obj:`.h5`, beside it)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        FileNotFoundError: If :obj:`root` does not exist.
        DataError: If files are absent or cannot be parsed; the message names
            file and line.
        ValueError: If there is no such split, window or action.

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

    title = "CMU Mocap"
    actions = ACTIONS
    layout = "cmu26"
    test_windows = PublishedWindows(50, 25, per_recording=8, first=0)
    skip = 1

    @classmethod
    def files(cls) -> Iterator[tuple[str, str]]:
        for action in ACTIONS:
            for i in range(1, 6):
                yield action, f"train/{action}/{action}_{i}.txt"
            yield action, f"test/{action}/{action}_1.txt"

    @staticmethod
    def split_of(name: str) -> str:
        if name.startswith("test/"):
            return "test"
        return "val" if name.endswith(VALIDATION) else "train"

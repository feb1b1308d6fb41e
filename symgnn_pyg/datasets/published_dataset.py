import os
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from symgnn_pyg.data import Recording, SequenceStore, SkeletonData, prepare
from symgnn_pyg.datasets.motion_dataset import MotionDataset
from symgnn_pyg.datasets.windows import (
    SPLITS,
    Window,
    all_windows,
    check_window,
)
from symgnn_pyg.errors import DataError, check_choices, warn
from symgnn_pyg.io import Source, read_table
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.skeleton.layouts import WHOLE_LAYOUTS

# The seed of the generator that draws the test windows.
TEST_SEED = 1234567890
# The most absent files that a message names: all 210 of Human3.6M.
NAMED = 210


class PublishedWindows(NamedTuple):
    r"""The published test windows of each action.

    Args:
        num_observed: The number of frames that a window observes.
        num_future: The number of frames that it leaves to predict.
        per_recording: The number of windows drawn from each recording.
        first: The first frame at which a window may start, counted at the
            stride.
    """

    num_observed: int
    num_future: int
    per_recording: int
    first: int


class PublishedDataset(MotionDataset):
    r"""The base class of data sets with one file per take of an action and
    published test windows, drawn by :obj:`numpy.random.RandomState(
    1234567890)` from the test recordings of each action in turn.
    """

    title: ClassVar[str]
    actions: ClassVar[Sequence[str]]
    layout: ClassVar[str]
    test_windows: ClassVar[PublishedWindows]
    # Frames at the start of each training recording that are left out.
    skip: ClassVar[int] = 0
    kind = "rotation"
    unit = "radians"

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str = "train",
        *,
        num_observed: int = 50,
        num_future: int = 25,
        stride: int = 2,
        actions: Sequence[str] | None = None,
        allow_missing: bool = False,
        path: str | os.PathLike[str] | None = None,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        actions = self.actions if actions is None else actions
        self._check(split, num_observed, num_future, stride, actions)
        folders = {file.partition("/")[0] for _, file in self.files()}
        with Source(root, anchors=[*folders]) as source:
            missing = [
                file
                for action, file in self.files()
                if action in actions and file not in source
            ]
            report_missing(missing, source, self.title, allow_missing)
            store = self._prepare(source, path or f"{source.path}.h5")
        self._check_store(store)
        chosen = [
            i
            for i, name in enumerate(store.names)
            if self.split_of(name) == split
            and store.classes[int(store.labels[i])] in actions
        ]
        sizes = {
            "num_observed": num_observed,
            "num_future": num_future,
            "stride": stride,
        }
        windows: Iterable[Window] | np.ndarray
        if split == "test":
            windows = self._draw(store, chosen, num_observed, stride)
        else:
            windows = all_windows(store, chosen, **sizes, skip=self.skip)
        super().__init__(store, windows, **sizes, transform=transform)
        self.split = split
        self.missing = missing

    @classmethod
    @abstractmethod
    def files(cls) -> Iterator[tuple[str, str]]:
        r"""The action and the name of each file."""

    @staticmethod
    @abstractmethod
    def split_of(name: str) -> str:
        r"""The split of a recording, by its name."""

    @classmethod
    def parse(cls, content: bytes, where: str) -> np.ndarray:
        r"""The frames of a file, of shape :math:`[T, V, C]`: three columns of
        translation, which are left out, and three of each joint.
        """
        whole, kept = WHOLE_LAYOUTS[cls.layout]
        columns = 3 + 3 * Skeleton.get(whole).num_joints
        table = read_table(content, columns, where)
        return table[:, 3:].reshape(len(table), -1, 3)[:, kept]

    def _check_store(self, store: SequenceStore) -> None:
        r"""Refuses recordings that the protocol cannot use."""

    def _prepare(
        self, source: Source, path: str | os.PathLike[str]
    ) -> SequenceStore:
        recordings = [
            Recording(
                file.removesuffix(".txt"), file, self.actions.index(action)
            )
            for action, file in self.files()
            if file in source
        ]
        if not recordings:
            _, example = next(self.files())
            raise DataError(
                f"{source.path} holds none of the files of {self.title}, such "
                f"as {example}"
            )
        return prepare(
            path,
            source,
            recordings,
            parse=self.parse,
            skeleton=Skeleton.get(self.layout),
            classes=self.actions,
        )

    def _draw(
        self,
        store: SequenceStore,
        chosen: Sequence[int],
        num_observed: int,
        stride: int,
    ) -> Iterator[Window]:
        """Yields the published test windows."""
        length = self.test_windows.num_observed + self.test_windows.num_future
        takes: dict[int, list[int]] = {}
        for i in chosen:
            takes.setdefault(int(store.labels[i]), []).append(i)
        self._check_takes({store.sources[i] for i in chosen})
        for _, recordings in sorted(takes.items()):
            random = np.random.RandomState(TEST_SEED)
            for _ in range(self.test_windows.per_recording):
                for i in recordings:
                    last = -(-store.num_frames(i) // stride) - length
                    if last <= self.test_windows.first:
                        raise DataError(
                            f"{store.sources[i]}: {last + length} frames at "
                            f"stride {stride} are too few for windows of "
                            f"{length} from frame {self.test_windows.first}"
                        )
                    start = random.randint(self.test_windows.first, last)
                    # Shorter windows observe the last of the published frames.
                    start += self.test_windows.num_observed - num_observed
                    yield Window(i, start * stride)

    def _check_takes(self, found: set[str]) -> None:
        """Raises an error if only some test recordings of an action exist."""
        tested = [f for f in self.files() if self.split_of(f[1]) == "test"]
        present = {action for action, file in tested if file in found}
        absent = {
            file: action
            for action, file in tested
            if action in present and file not in found
        }
        if absent:
            actions = ", ".join(map(repr, dict.fromkeys(absent.values())))
            raise DataError(
                f"The test windows of {actions} are drawn from all test "
                f"recordings of an action in turn, but {', '.join(absent)} are "
                f"absent; add them, or leave these actions out of 'actions'"
            )

    def _check(
        self,
        split: str,
        num_observed: int,
        num_future: int,
        stride: int,
        actions: Sequence[str],
    ) -> None:
        check_window(num_observed, num_future, stride)
        check_choices(SPLITS, split=split)
        published = self.test_windows
        if split == "test" and (
            num_observed > published.num_observed
            or num_future > published.num_future
        ):
            raise ValueError(
                f"The published test windows observe "
                f"{published.num_observed} frames and leave "
                f"{published.num_future} to predict, fewer than the "
                f"{num_observed} and {num_future} asked for"
            )
        if isinstance(actions, str):
            raise ValueError(
                f"Expected 'actions' to be a list of names, got {actions!r}"
            )
        unknown = [action for action in actions if action not in self.actions]
        if unknown:
            raise ValueError(
                f"Unknown action {unknown[0]!r}; expected some of "
                f"{', '.join(self.actions)}"
            )


def report_missing(
    missing: Sequence[str], source: Source, title: str, allow_missing: bool
) -> None:
    r"""Reports absent files in an error or a warning."""
    if not missing:
        return
    text = (
        f"{source.path} lacks {len(missing)} files of {title}: "
        f"{', '.join(missing[:NAMED])}{' ...' * (len(missing) > NAMED)}"
    )
    if not allow_missing:
        raise DataError(
            f"{text}. Add them, or pass allow_missing=True to continue "
            f"without them"
        )
    warn(text)

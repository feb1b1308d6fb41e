r"""What the data sets have in common that are one file for each take of an
action, with published test windows."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from symgnn_pyg.data import SequenceStore
from symgnn_pyg.data.prepare import Parser, Recording, prepare
from symgnn_pyg.datasets.motion_dataset import check_split, check_window
from symgnn_pyg.errors import DataError
from symgnn_pyg.io.source import Source
from symgnn_pyg.skeleton import Skeleton

# Of the generator that draws the test windows.
TEST_SEED = 1234567890


class PublishedFiles(NamedTuple):
    r"""The files of a data set.

    Args:
        title: The name of the data set.
        names: The action and the name of each file.
        actions: The actions, in the order of their labels.
        skeleton: The skeleton.
        parse: Makes frames of the content of a file.
        published: The numbers of frames that a published test window observes
            and leaves to predict.
    """

    title: str
    names: Sequence[tuple[str, str]]
    actions: Sequence[str]
    skeleton: Skeleton
    parse: Parser
    published: tuple[int, int]

    def missing(self, source: Source, actions: Sequence[str]) -> list[str]:
        r"""The files of some actions that are absent."""
        return [
            name
            for action, name in self.names
            if action in actions and name not in source
        ]

    def prepare(
        self, source: Source, path: str | os.PathLike[str]
    ) -> SequenceStore:
        r"""Parses those that are there into a store.

        Raises:
            DataError: If there are none.
        """
        recordings = [
            Recording(
                name.removesuffix(".txt"), name, self.actions.index(action)
            )
            for action, name in self.names
            if name in source
        ]
        if not recordings:
            raise DataError(
                f"{source.path} holds none of the files of {self.title}, such "
                f"as {self.names[0][1]}"
            )
        return prepare(
            path, source, recordings, self.parse, self.skeleton, self.actions
        )

    def check(
        self,
        split: str,
        num_observed: int,
        num_future: int,
        stride: int,
        actions: Sequence[str],
    ) -> None:
        r"""Checks the arguments of a data set.

        Args:
            split: The split.
            num_observed: The number of observed frames.
            num_future: The number of frames to predict.
            stride: The distance of one frame to the next.
            actions: The actions.

        Raises:
            ValueError: If there is no such split, window or action.
        """
        check_window(num_observed, num_future, stride)
        check_split(split)
        most_observed, most_future = self.published
        if split == "test" and (
            num_observed > most_observed or num_future > most_future
        ):
            raise ValueError(
                f"The published windows observe {most_observed} frames and "
                f"leave {most_future} to predict, fewer than {num_observed} "
                f"and {num_future}"
            )
        if isinstance(actions, str):
            raise ValueError(f"Expected 'actions' in a list, got {actions!r}")
        unknown = [action for action in actions if action not in self.actions]
        if unknown:
            raise ValueError(
                f"Unknown action {unknown[0]!r}; there are "
                f"{', '.join(self.actions)}"
            )

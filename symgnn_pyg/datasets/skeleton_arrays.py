import atexit
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from symgnn_pyg.data import (
    MotionSequence,
    SequenceStore,
    SkeletonData,
    open_or_write,
)
from symgnn_pyg.datasets.custom_dataset import CustomDataset
from symgnn_pyg.datasets.sampling import SHARES, check_sampling, deal
from symgnn_pyg.errors import DataError, check_listed, warn_of_some
from symgnn_pyg.files import resolved
from symgnn_pyg.io import as_frames, check_axes, find_zeros
from symgnn_pyg.skeleton import Skeleton, as_skeleton
from symgnn_pyg.typing import UNLABELLED


class SkeletonArrays(CustomDataset):
    r"""Your own skeletons, from arrays in memory. They are written to an HDF5
    file that all processes loading batches share.

    Args:
        arrays: The recordings: an array of shape :math:`[N, T, V, C]` or
            :math:`[N, M, T, V, C]`, or a list of :math:`N` arrays of any
            length. Of several bodies, those that are zero throughout are
            padding, and left out, and so are such frames at the end.
        labels: The class of each recording: its name, or its index from 0;
            :obj:`None` for a recording without one, or for all. Or the
            probabilities of its :math:`K` classes, as an array of shape
            :math:`[N, K]`; for recordings of several classes, 1 for each
            (see the :obj:`recognition_criterion` of
            :class:`~symgnn_pyg.training.SymGNNTask`).
        skeleton: The skeleton.
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`, to which
            recordings are assigned at random, class by class; or
            :obj:`None` for all recordings. (default: :obj:`None`)
        num_observed: The number of observed frames. (default: :obj:`50`)
        num_future: The number of frames to predict. (default: :obj:`25`)
        stride: The distance from one frame to the next, in frames of the
            arrays. (default: :obj:`1`)
        samples: :obj:`"windows"` for every window of each recording, or
            :obj:`"clips"` for each recording as one sample, stretched by
            linear interpolation over the observed and the future frames.
            (default: :obj:`"windows"`)
        classes: The names of the classes. (default: the names among
            :obj:`labels`, sorted, or the indices up to the largest)
        shares: The shares of train, val and test in each class (the most
            probable one): rounded, but at least one recording if the share is
            positive. (default: :obj:`(0.8, 0.1, 0.1)`)
        seed: The seed for dealing the recordings. (default: :obj:`0`)
        axes: The order of the axes of each recording, such as :obj:`"CTVM"`
            for arrays of ST-GCN, from T (frames), V (joints), C (channels)
            and M (bodies); a leading N is ignored.
            (default: :obj:`"TVC"` or :obj:`"MTVC"`)
        fill_gaps: If set to :obj:`True`, missing joints (NaN, or
            masked in a :class:`numpy.ma.MaskedArray`) are
            interpolated linearly, and held before the first and after the
            last frame where they were seen. (default: :obj:`False`)
        path: The HDF5 file to write; one that holds these recordings
            already is used as it is. (default: a file in a temporary folder,
            removed when the process ends)
        kind: What the recordings hold: :obj:`"position"`, or
            :obj:`"rotation"` for exponential maps in radians. Errors are
            measured accordingly. (default: :obj:`"position"`)
        unit: The unit of positions, such as :obj:`"mm"`. (default: unknown)
        num_coordinates: The number of leading channels that are coordinates;
            others, such as the confidence of key points, do not count in
            errors and are scaled by themselves in :meth:`standardize`.
            (default: all)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        DataError: If a recording does not fit the skeleton, has its axes in
            another order, is zero throughout, or holds anything but finite
            numbers, or if :obj:`path` holds other data.
        ValueError: If an argument is not one of its values.

    Example:
        >>> arm = Skeleton.from_bones([("elbow", "hand"), ("hand", "tip")])
        >>> frames = np.random.default_rng(0).normal(size=(10, 90, 3, 3))
        >>> train = SkeletonArrays(frames, 5 * ["up", "down"], arm, "train")
        >>> train.classes
        ['down', 'up']
    """

    def __init__(
        self,
        arrays: np.ndarray | Tensor | Sequence[np.ndarray | Tensor],
        labels: Sequence[str | None]
        | Sequence[int | None]
        | Sequence[Sequence[float]]
        | np.ndarray
        | Tensor
        | None,
        skeleton: Skeleton | str,
        *,
        split: str | None = None,
        num_observed: int = 50,
        num_future: int = 25,
        stride: int = 1,
        samples: str = "windows",
        classes: Sequence[str] | None = None,
        shares: Sequence[float] = SHARES,
        seed: int = 0,
        axes: str | None = None,
        fill_gaps: bool = False,
        path: str | os.PathLike[str] | None = None,
        kind: str = "position",
        unit: str | None = None,
        num_coordinates: int | None = None,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        check_sampling(split, samples, num_observed, num_future, stride, shares)
        check_axes(axes)
        if classes is not None:
            check_listed(classes=classes)
        skeleton = as_skeleton(skeleton)
        if labels is None:
            labels = len(arrays) * [None]
        if len(arrays) != len(labels):
            raise ValueError(
                f"Expected one label per array, got {len(arrays)} 'arrays' and "
                f"{len(labels)} 'labels'"
            )
        probabilities = _probabilities(labels, classes)
        if probabilities is None:
            indices, names = _classes(labels, classes)
        else:
            indices = probabilities.argmax(dim=1).tolist()
            names = list(classes or map(str, range(probabilities.size(1))))
        sequences, notes = [], []
        for i, (array, label) in enumerate(zip(arrays, indices, strict=True)):
            name = "unlabelled" if label == UNLABELLED else names[label]
            if isinstance(array, Tensor):
                array = array.detach().cpu()
                if array.dtype == torch.bfloat16:  # NumPy has none.
                    array = array.float()
            frames = as_frames(
                np.asanyarray(array),
                skeleton.num_joints,
                f"arrays[{i}]",
                axes,
                fill_gaps,
            )
            if kind == "position" and (
                zeros := find_zeros(frames, skeleton.joints)
            ):
                notes.append(f"arrays[{i}]: {zeros}")
            stored = label if probabilities is None else UNLABELLED
            sequences.append(MotionSequence(f"{name}/{i}", frames, stored))
        warn_of_some(notes, "arrays")
        opened = _write(path, sequences, skeleton, names)
        chosen = list(range(len(sequences)))
        if split is not None:
            of_class = {s.name: s.name.rpartition("/")[0] for s in sequences}
            split_of = deal(of_class, shares, seed)
            chosen = [
                i for i, s in enumerate(sequences) if split_of[s.name] == split
            ]
        super().__init__(
            opened,
            chosen,
            split=split,
            samples=samples,
            num_observed=num_observed,
            num_future=num_future,
            stride=stride,
            kind=kind,
            unit=unit,
            num_coordinates=num_coordinates,
            transform=transform,
        )
        self._probabilities = probabilities


def _probabilities(given: Any, classes: Sequence[str] | None) -> Tensor | None:
    """The labels as probabilities [N, K], or None if they are not."""
    first = next(iter(given), None)
    if first is None or np.ndim(first) == 0:
        return None
    try:
        rows = torch.as_tensor(np.array([*map(np.asarray, given)], np.float32))
    except (TypeError, ValueError):
        rows = torch.empty(0)
    num_classes = rows.size(-1) if classes is None else len(classes)
    # A column [N, 1] is more likely to hold labels than probabilities.
    least = 2 if classes is None else 1
    if rows.dim() != 2 or not rows.size(1) == num_classes >= least:
        raise ValueError(
            f"Expected one label per recording in 'labels', or probabilities "
            f"of shape [N, {'K' if classes is None else num_classes}], got "
            f"{first!r:.200} at 0"
        )
    bad = ~((rows >= 0) & (rows <= 1)).all(dim=1)
    if bad.any():
        at = int(bad.int().argmax())
        raise ValueError(
            f"Expected 'labels' of shape [N, K] to be probabilities from 0 to "
            f"1, got {rows[at].tolist()} at {at}"
        )
    return rows


def _classes(
    given: Iterable[Any], classes: Sequence[str] | None
) -> tuple[list[int], list[str]]:
    found = [_label(label, i) for i, label in enumerate(given)]
    labels = [label for label in found if label is not None]
    if len(set(map(type, labels))) > 1:
        raise ValueError("'labels' must be all names or all indices, got both")
    if classes is not None:
        names = list(classes)
    elif labels and isinstance(labels[0], int):
        used = sorted(set(labels))
        names = [str(i) for i in range(len(used))]
        if used != list(range(len(used))):
            raise ValueError(
                f"Expected 'labels' to be indices from 0 without gaps, got "
                f"{', '.join(map(str, used[:10]))}: no recording has class "
                f"{min(set(range(len(used))) - set(used))}. Subtract 1 if "
                f"they count from 1, pass None where there is none, pass "
                f"their names, or pass 'classes' with the name of each index"
            )
    else:
        names = sorted(set(map(str, labels)))
    named = labels and isinstance(labels[0], str)
    known: Sequence[str | int] = names if named else range(len(names))
    bad = next((label for label in labels if label not in known), None)
    if bad is not None:
        raise ValueError(
            f"The label {bad!r} is not one of the {len(names)} classes "
            f"{', '.join(names[:10])}"
        )
    indices = [UNLABELLED if x is None else known.index(x) for x in found]
    return indices, names


def _label(given: object, i: int) -> str | int | None:
    array = np.asarray(given)
    if array.ndim:
        raise ValueError(
            f"Expected one label per recording, got several at {i}"
        )
    label = array.item()
    if label is None or label == UNLABELLED:
        return None
    # Tables of pandas hold whole numbers as floats.
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if isinstance(label, bool) or not isinstance(label, str | int):
        raise ValueError(
            f"'labels' must be names or indices, got {label!r} at {i}"
        )
    return label


def _write(
    path: str | os.PathLike[str] | None,
    sequences: Sequence[MotionSequence],
    skeleton: Skeleton,
    classes: Sequence[str],
) -> SequenceStore:
    recipe = _recipe(sequences, skeleton, classes)
    path = resolved(_folder() / f"{recipe}.h5" if path is None else path)
    store = open_or_write(
        path,
        partial(
            SequenceStore.write, path, sequences, skeleton, classes, recipe
        ),
    )
    if store.shards[0].recipe != recipe:
        raise DataError(
            f"{path} holds other data; delete it or pass another 'path'"
        )
    return store


def _recipe(
    sequences: Sequence[MotionSequence],
    skeleton: Skeleton,
    classes: Sequence[str],
) -> str:
    described = [
        (s.name, s.label, s.frames.shape, s.frames.dtype.str) for s in sequences
    ]
    made_from = [skeleton.to_dict(), list(classes), described]
    digest = hashlib.sha256(json.dumps(made_from).encode())
    for sequence in sequences:
        digest.update(sequence.frames.tobytes())
    return digest.hexdigest()


@lru_cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="symgnn_pyg_"))
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: Path, pid: int) -> None:
    # Processes forked from this one also run this at exit.
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.errors import DataError, check_names
from symgnn_pyg.files import replacing, resolved
from symgnn_pyg.inference.ensemble import Ensemble
from symgnn_pyg.inference.mirror_average import MirrorAverage
from symgnn_pyg.inference.model_card import model_card
from symgnn_pyg.inference.pose_network import Network, PoseNetwork
from symgnn_pyg.inference.recordings import (
    Recordings,
    check_finite,
    filled,
    read_recordings,
)
from symgnn_pyg.inference.transform_config import (
    transform_from_config,
    transform_to_config,
)
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.nn.models.pretrained_files import (
    CONFIG,
    MOST,
    pretrained_folder,
    read_config,
)
from symgnn_pyg.skeleton import Skeleton, as_skeleton
from symgnn_pyg.transforms import Standardize

NETWORKS: dict[str, type[Network]] = {
    "SymGNN": SymGNN,
    "DualSymGNN": DualSymGNN,
    "Ensemble": Ensemble,
    "MirrorAverage": MirrorAverage,
}
CARD = "README.md"
# The number of bodies that pass through the network at once.
CHUNK = 256


class PoseOutput(NamedTuple):
    r"""The output of :class:`PoseModel`. For several recordings or windows,
    each entry has their dimensions in front.

    Args:
        action: The name of the most probable class, or a list of names.
            :obj:`None` if the network does not recognise.
        probabilities: The probability of each class by its name, a number or
            an array. :obj:`None` if the network does not recognise.
        future: The poses that follow the window, of shape
            :math:`[T', V, C]`, in the unit and at the frame rate of the data.
            :obj:`None` if the network does not predict.
    """

    action: Any
    probabilities: dict[str, Any] | None
    future: Any


class PoseModel(Module):
    r"""A trained network from raw motion to answers: it applies the transforms
    that the network was trained with, and undoes them in the predicted poses.

    The answer to a recording longer than a window is that to its last
    :attr:`num_observed` frames: what happens now, and what comes next. With
    :obj:`stride`, every window is answered.

    Where a transform removes the position of poses, such as
    :class:`~symgnn_pyg.transforms.Center` with :obj:`per_frame` or
    :class:`~symgnn_pyg.transforms.ToBones`, they are predicted where the body
    was last observed. After :class:`~symgnn_pyg.transforms.Resample`,
    predicted poses are interpolated at the frame rate of the data.

    Args:
        model: The network, a :class:`~symgnn_pyg.nn.SymGNN`,
            :class:`~symgnn_pyg.nn.DualSymGNN`, :class:`Ensemble` or
            :class:`MirrorAverage`.
        transform: The transform of the validation data: any composition of
            :class:`~symgnn_pyg.transforms.Center`,
            :class:`~symgnn_pyg.transforms.Difference`,
            :class:`~symgnn_pyg.transforms.NormalizeView`,
            :class:`~symgnn_pyg.transforms.Resample`,
            :class:`~symgnn_pyg.transforms.Standardize` and
            :class:`~symgnn_pyg.transforms.ToBones`. (default: :obj:`None`)
        classes: The names of the classes. (default: their indices)
        skeleton: The skeleton of the data, which only
            :class:`~symgnn_pyg.transforms.ToBones` makes necessary. (default:
            that of the network)

    Raises:
        ValueError: If the transforms are random or not from this library, or
            an argument does not fit the network.

    Example:
        >>> model = PoseModel.from_pretrained("cmu-light-short")
        >>> answer = model(torch.randn(100, 26, 3))  # frames, joints, channels
        >>> answer.future.shape
        torch.Size([10, 26, 3])
    """

    def __init__(
        self,
        model: Network,
        transform: Callable[..., Any] | None = None,
        *,
        classes: Sequence[str] | None = None,
        skeleton: Skeleton | str | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(model, (*NETWORKS.values(),)):
            raise TypeError(
                f"Expected 'model' to be one of {', '.join(NETWORKS)}, got "
                f"{type(model).__name__}"
            )
        if skeleton is not None:
            skeleton = as_skeleton(skeleton)
        self.network = PoseNetwork(model, transform, skeleton)
        self.transform = transform
        self.classes = check_classes(classes, self.network.num_classes)

    @property
    def model(self) -> Network:
        r"""The network."""
        return self.network.model

    @property
    def about(self) -> dict[str, Any]:
        r"""What was saved with the network, such as metrics."""
        return self.model.about

    @property
    def skeleton(self) -> Skeleton:
        r"""The skeleton of the data."""
        return self.network.skeleton

    @property
    def num_observed(self) -> int:
        r"""The number of frames of a window."""
        return self.network.num_observed

    @property
    def num_future(self) -> int:
        r"""The number of predicted frames."""
        return self.network.num_future

    # Answers #################################################################

    @torch.no_grad()
    def forward(
        self,
        motion: ArrayLike | Tensor | Sequence[ArrayLike | Tensor],
        *,
        stride: int | None = None,
        num_bodies: Sequence[int] | Tensor | None = None,
        fill_gaps: bool = False,
    ) -> PoseOutput:
        r"""Recognises and predicts, in evaluation mode and without gradients.

        Args:
            motion: A window or a longer recording, of shape
                :math:`[T, V, C]`, or several, of shape :math:`[N, T, V, C]`
                or as a list of recordings of any lengths. A numpy array, a
                tensor or nested lists; masked values count as NaN. Arrays in
                the output are of the same kind, and of the same type if that
                is floating-point; for nested lists they are numpy arrays.
            stride: If given, each recording is answered once per window, of
                which the first starts at frame 0 and each other
                :obj:`stride` frames later. The output then has a dimension
                for the windows, after that of the recordings.
                (default: only the last window)
            num_bodies: The number of bodies in each scene, if :obj:`motion`
                holds the bodies of scenes one after the other. Those in a
                scene are recognised together. (default: one)
            fill_gaps: If set to :obj:`True`, missing joints (NaN) are
                interpolated between the frames in which they were seen.
                (default: :obj:`False`)

        Raises:
            TypeError: If :obj:`motion` does not hold numbers, or
                :obj:`stride` is not an integer.
            ValueError: If :obj:`motion` has another shape, or holds infinite
                values or gaps that are not filled.
        """
        given = read_recordings(
            motion,
            self.skeleton,
            self.network.num_channels,
            self.num_observed,
        )
        if not isinstance(stride, int | None):
            raise TypeError(f"'stride' must be an integer, got {stride!r}")
        if stride is not None and stride < 1:
            raise ValueError(f"'stride' must be at least 1, got {stride}")
        lengths = {len(frames) for frames in given.frames}
        if stride is not None and len(lengths) > 1:
            raise ValueError(
                f"With 'stride', recordings must have the same number of "
                f"frames, got {sorted(lengths)}; pass them one by one"
            )
        windows = [
            self._windows(frames, stride, fill_gaps, given.name_of(i))
            for i, frames in enumerate(given.frames)
        ]
        bodies = _check_bodies(num_bodies, len(windows))
        modes = {module: module.training for module in self.modules()}
        self.eval()
        try:
            logits, future = self._run(windows, bodies)
        finally:
            for module, training in modes.items():
                module.training = training
        return self._output(logits, future, given, stride)

    def _windows(
        self, frames: Tensor, stride: int | None, fill: bool, name: str
    ) -> Tensor:
        """Views of a recording, of shape [W, V, C, T]."""
        start = 0
        if fill:
            frames = filled(frames, name)
        if stride is None:
            start = len(frames) - self.num_observed
        frames = frames[start:].to(next(self.network.parameters()))
        check_finite(frames, self.skeleton, start, name)
        return frames.unfold(0, self.num_observed, 1)[:: stride or 1]

    def _run(
        self, windows: list[Tensor], num_bodies: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        found: list[tuple[Tensor | None, Tensor | None]] = []
        at_once = max(1, CHUNK // len(windows))
        for start in range(0, len(windows[0]), at_once):
            part = torch.stack([w[start : start + at_once] for w in windows], 1)
            scenes = None
            if num_bodies is not None:
                scenes = num_bodies.to(part.device).repeat(len(part))
            x = part.flatten(0, 1).transpose(-1, -2)  # [M, V, T, C]
            found.append(self.network(x, scenes))
        logits, future = (
            None
            if head[0] is None
            else torch.cat(head).unflatten(0, (len(windows[0]), -1))
            for head in zip(*found, strict=True)
        )
        return logits, future

    def _output(
        self,
        logits: Tensor | None,
        future: Tensor | None,
        given: Recordings,
        stride: int | None,
    ) -> PoseOutput:
        def arranged(rows: Tensor) -> Tensor:  # [W, N, *]
            rows = rows.squeeze(0) if stride is None else rows.transpose(0, 1)
            return rows.squeeze(0) if given.single else rows

        action = probabilities = None
        if logits is not None:
            scores = arranged(logits.softmax(dim=-1))
            action = _named(scores.argmax(dim=-1).tolist(), self.classes)
            columns = given.returned(scores)
            probabilities = {
                name: columns[..., i] if scores.dim() > 1 else float(scores[i])
                for i, name in enumerate(self.classes)
            }
        if future is None:
            return PoseOutput(action, probabilities, None)
        future = arranged(future).transpose(-2, -3)  # [*, T', V, C]
        return PoseOutput(action, probabilities, given.returned(future))

    # Files ###################################################################

    def save_pretrained(
        self,
        folder: str | os.PathLike[str],
        *,
        dtype: torch.dtype | None = None,
        **about: Any,
    ) -> None:
        r"""Saves the network with all that :meth:`from_pretrained` needs to
        use it on raw motion, and writes a model card, :obj:`README.md`.

        Args:
            folder: The folder, which is created if it is missing.
            dtype: The data type for floating-point weights, such as
                :obj:`torch.half` for half the size. (default: unchanged)
            **about: Further entries of :obj:`config.json` in JSON types, added
                to :attr:`about`. The card shows :obj:`data` (text or a
                dictionary: where the data come from), :obj:`frame_rate` (in
                hertz), :obj:`trained` (the classes that had data),
                :obj:`metrics` (a dictionary), :obj:`command` (the command
                that trained the network) and :obj:`license`.
        """
        about = {**self.about, **about}
        about["classes"] = self.classes
        about["transform"] = transform_to_config(self.transform)
        about["skeleton"] = self.skeleton.to_dict()
        for statistic in ("mean", "std"):  # They are in the transform.
            about.pop(statistic, None)
        self.model.save_pretrained(folder, dtype, **about)
        card = resolved(folder) / CARD
        if card.exists() and "library_name: symgnn_pyg" not in card.read_text(
            errors="replace"
        ):
            warnings.warn(
                f"{card} is not a model card of this library and was kept; "
                f"the model was saved without a card",
                stacklevel=2,
            )
            return
        known = {
            **about,
            "skeleton_name": self.skeleton.name,
            "joints": self.skeleton.joints,
            "num_joints": self.skeleton.num_joints,
            "num_channels": self.network.num_channels,
            "num_observed": self.num_observed,
            "num_future": self.num_future,
            "num_parameters": sum(p.numel() for p in self.parameters()),
            "steps": [*map(repr, self.network.steps)],
        }
        kind = type(self.model).__name__
        with replacing(card) as path:
            path.write_text(model_card(card.parent.name, kind, known))

    @classmethod
    def from_pretrained(
        cls,
        folder_or_id: str | os.PathLike[str],
        skeleton: Skeleton | str | None = None,
        *,
        revision: str | None = None,
        subfolder: str | None = None,
    ) -> Self:
        r"""Loads a network with its transforms and class names. Nothing is
        unpickled, and no code is run.

        Args:
            folder_or_id: A folder, the name of weights that come with the
                library, or the id of a repository on the Hugging Face Hub; see
                :meth:`SymGNN.from_pretrained`.
            skeleton: The skeleton of your data, which must be that of the
                model; :meth:`SymGNN.from_pretrained` transfers weights to
                another. (default: any)
            revision: The branch, tag or commit of the repository.
                (default: the latest)
            subfolder: The folder of the model within the folder or the
                repository. (default: the folder itself)

        Raises:
            DataError: If the files are damaged, hold another network or
                another skeleton, or were saved by a newer version.
            FileNotFoundError: If there is no such folder.
        """
        folder = pretrained_folder(folder_or_id, revision, subfolder)
        path = folder / CONFIG
        kind = read_config(path)["class"]
        if kind not in NETWORKS:
            raise DataError(
                f"{path} describes a {kind}; expected one of "
                f"{', '.join(NETWORKS)}"
            )
        network = NETWORKS[kind].from_pretrained(folder)
        about = network.about
        own = _saved_skeleton(about, path)
        try:
            model = cls(
                network,
                _saved_transform(about, path),
                classes=about.get("classes"),
                skeleton=own,
            )
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}: {error}") from error
        if skeleton is not None:
            skeleton = as_skeleton(skeleton)
            if skeleton.fingerprint != model.skeleton.fingerprint:
                raise DataError(
                    f"Expected a model for {skeleton!r} in {folder}, got one "
                    f"for {model.skeleton!r}; to fine-tune it on another "
                    f"skeleton, pass that to {kind}.from_pretrained"
                )
        return model.eval()

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({type(self.model).__name__}, "
            f"{self.skeleton!r}, num_observed={self.num_observed}, "
            f"num_future={self.num_future}, num_classes={len(self.classes)}, "
            f"transform={self.transform!r})"
        )


def as_pose_model(
    model: PoseModel | Network, transform: Callable[..., Any] | None
) -> PoseModel:
    r"""Returns a model as it is, and a network with its transform as a model.

    Args:
        model: The model or the network.
        transform: The transform of the network.

    Raises:
        ValueError: If there is a transform in addition to that of a model, or
            it does not fit the network.
    """
    if not isinstance(model, PoseModel):
        return PoseModel(model, transform)
    if transform is not None:
        raise ValueError(
            f"A PoseModel has its own transform, but got {transform} in "
            f"addition; pass either a PoseModel, or a network and its transform"
        )
    return model


def check_classes(classes: Sequence[str] | None, num_classes: int) -> list[str]:
    r"""The names of the classes, by default their indices.

    Args:
        classes: The names.
        num_classes: The number of classes of the network.

    Raises:
        TypeError: If :obj:`classes` is text.
        ValueError: If there are more or fewer names than classes.
    """
    if classes is None:
        return [str(i) for i in range(num_classes)]
    if isinstance(classes, str):
        raise TypeError(f"Expected a list of 'classes', got {classes!r}")
    names = [*classes]
    check_names(names, "The class")
    if len(names) != num_classes or len({*names}) != num_classes:
        raise ValueError(
            f"'classes' must name the {num_classes} classes of the network, "
            f"got {len({*names})} names"
        )
    return names


def _check_bodies(
    num_bodies: Sequence[int] | Tensor | None, total: int
) -> Tensor | None:
    if num_bodies is None:
        return None
    bodies = torch.as_tensor(num_bodies)
    if (
        bodies.dim() != 1
        or bodies.is_floating_point()
        or bool((bodies < 1).any())
        or int(bodies.sum()) != total
    ):
        raise ValueError(
            f"Expected 'num_bodies' to list the number of bodies of each "
            f"scene, {total} in all as in 'motion', got {bodies.tolist()}"
        )
    return bodies.long()


def _named(index: Any, classes: list[str]) -> Any:
    if isinstance(index, list):
        return [_named(each, classes) for each in index]
    return classes[index]


def _saved_transform(
    about: Mapping[str, Any], path: Path
) -> Callable[..., Any] | None:
    if "transform" in about:
        return transform_from_config(about["transform"], str(path))
    if "mean" not in about and "std" not in about:
        return None
    # The statistics that models were saved with before.
    try:
        return Standardize(
            torch.tensor(about["mean"]), torch.tensor(about["std"])
        )
    except (LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: 'mean' and 'std' must be tables of numbers: {error}"
        ) from error


def _saved_skeleton(about: Mapping[str, Any], path: Path) -> Skeleton | None:
    if "skeleton" not in about:
        return None
    try:
        if len(about["skeleton"]["joints"]) > MOST["joints"]:
            raise ValueError(f"more than {MOST['joints']} joints")
        return Skeleton(**about["skeleton"])
    except (LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: 'skeleton' does not describe a skeleton: {error}"
        ) from error

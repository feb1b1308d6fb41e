import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, get_args

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.errors import (
    DataError,
    check_choices,
    check_listed,
    check_names,
    check_sizes,
    data_error,
)
from symgnn_pyg.inference.answer_windows import answer_windows
from symgnn_pyg.inference.deterministic_steps import (
    saved_transform,
    step_to_config,
)
from symgnn_pyg.inference.model_card import write_card
from symgnn_pyg.inference.pose_network import NETWORKS, Network, PoseNetwork
from symgnn_pyg.inference.pose_output import PoseOutput, pose_output
from symgnn_pyg.inference.recordings import (
    check_bodies,
    check_finite,
    read_recordings,
)
from symgnn_pyg.io import fill_gaps
from symgnn_pyg.modes import evaluation
from symgnn_pyg.nn.models.pretrained_files import (
    CONFIG,
    check_cost,
    pretrained_folder,
    read_config,
)
from symgnn_pyg.ops import stretch_frames
from symgnn_pyg.skeleton import Skeleton, as_skeleton
from symgnn_pyg.typing import Samples


class PoseModel(Module):
    r"""A trained network from raw motion to answers: it applies the transforms
    that the network was trained with, and undoes them in the predicted poses.

    The answer to a recording longer than a window is that to its last
    :attr:`num_observed` frames: what happens now, and what comes next. With
    :obj:`stride`, every window is answered. A network that was trained on whole
    recordings (:obj:`samples="clips"`) recognises whole ones, of any length.

    Where a transform removes the position of poses, such as
    :class:`~symgnn_pyg.transforms.Center` with :obj:`per_frame` or
    :class:`~symgnn_pyg.transforms.ToBones`, they are predicted where the body
    was last observed. After :class:`~symgnn_pyg.transforms.Resample`,
    predicted poses are interpolated at the frame rate of the data.

    Args:
        model: The network, a :class:`~symgnn_pyg.nn.SymGNN`,
            :class:`~symgnn_pyg.nn.DualSymGNN`, :class:`Ensemble`,
            :class:`MirrorAverage` or one of :mod:`symgnn_pyg.nn.baselines`
            that is trained by gradient descent.
        transform: The transform of the validation data: any composition of
            :class:`~symgnn_pyg.transforms.Center`,
            :class:`~symgnn_pyg.transforms.Difference`,
            :class:`~symgnn_pyg.transforms.NormalizeView`,
            :class:`~symgnn_pyg.transforms.Resample`,
            :class:`~symgnn_pyg.transforms.Standardize`,
            :class:`~symgnn_pyg.transforms.ToBones` and
            :class:`~symgnn_pyg.transforms.UniformSample` with
            :obj:`random=False`. (default: :obj:`None`)
        classes: The names of the classes. (default: their indices)
        skeleton: The skeleton of the data, required only with
            :class:`~symgnn_pyg.transforms.ToBones`. (default: that of the
            network)
        samples: :obj:`"windows"`, or :obj:`"clips"` if the network recognises
            whole recordings, each stretched over :obj:`num_observed` frames;
            as in the data set. (default: :obj:`"windows"`)
        num_observed: The number of observed frames, as in the data set;
            required only if the network or a transform takes any number of
            frames. (default: as many as the network observes)

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
        samples: Samples = "windows",
        num_observed: int | None = None,
    ) -> None:
        super().__init__()
        check_choices(get_args(Samples), samples=samples)
        if not isinstance(model, Network):
            raise TypeError(
                f"Expected 'model' to be one of {', '.join(NETWORKS)}, got "
                f"{type(model).__name__}"
            )
        if skeleton is not None:
            skeleton = as_skeleton(skeleton)
        self.network = PoseNetwork(
            model, transform, skeleton, num_observed=num_observed
        )
        if samples == "clips" and self.num_future:
            raise ValueError(
                f"Expected samples='windows' for a network that predicts "
                f"{self.num_future} frames: clips are stretched, and have no "
                f"frame rate"
            )
        self.samples = samples
        self.transform = transform
        num_classes = self.network.num_classes
        if classes is None:
            classes = [str(i) for i in range(num_classes)]
        check_listed(classes=classes)
        self.classes = [*classes]
        check_names(self.classes, "The class")
        if not len(self.classes) == len({*self.classes}) == num_classes:
            raise ValueError(
                f"'classes' must name the {num_classes} classes of the "
                f"network, got {len({*self.classes})} names"
            )

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
        r"""The number of frames of a window, or of a stretched clip."""
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
                With :obj:`samples="clips"`, recordings may also be shorter
                than a window.
            stride: If given, each recording is answered once per window, of
                which the first starts at frame 0 and each other
                :obj:`stride` frames later. The output then has a dimension
                for the windows, after that of the recordings.
                (default: only the last window, or the whole clip)
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
        clips = self.samples == "clips"
        given = read_recordings(
            motion, self.network.pose_shape, 1 if clips else self.num_observed
        )
        if stride is not None:
            check_sizes(1, stride=stride)
            if clips:
                raise ValueError(
                    f"Expected no 'stride', since this model recognises whole "
                    f"recordings (samples='clips'), got {stride}"
                )
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
        bodies = check_bodies(num_bodies, len(windows))
        with evaluation(self):
            logits, future = answer_windows(self.network, windows, bodies)
        return pose_output(
            logits,
            future,
            given=given,
            classes=self.classes,
            every_window=stride is not None,
        )

    def _windows(
        self, frames: Tensor, stride: int | None, fill: bool, name: str
    ) -> Tensor:
        """Views of a recording, of shape [W, V, C, T]."""
        if fill:
            filled = fill_gaps(frames.cpu().double().numpy(), name)
            frames = torch.from_numpy(filled).to(frames)
        clips = self.samples == "clips"
        start = 0
        if stride is None and not clips:
            start = len(frames) - self.num_observed
        like = next(self.network.parameters())
        frames = frames[start:].to(like)
        check_finite(frames, self.skeleton, start, name)
        if clips and len(frames) != self.num_observed:
            poses = stretch_frames(frames.flatten(1), self.num_observed)
            frames = poses.unflatten(1, self.network.pose_shape)
        return frames.unfold(0, self.num_observed, 1)[:: stride or 1]

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
                hertz), :obj:`unit`, :obj:`trained` (the classes that had data),
                :obj:`metrics` (a dictionary), :obj:`command` (the command
                that trained the network) and :obj:`license`.

        Raises:
            ValueError: If :obj:`about` has other :obj:`classes`,
                :obj:`samples` or :obj:`num_observed` than the model, or the
                window has more than 100,000 frames.
        """
        described = {
            "classes": self.classes,
            "transform": [*map(step_to_config, self.network.steps)],
            "skeleton": self.skeleton.to_dict(),
            "samples": self.samples,
            "num_observed": self.num_observed,
        }
        check_cost({"num_observed": self.num_observed})
        for name in ("classes", "samples", "num_observed"):
            if about.get(name, described[name]) != described[name]:
                raise ValueError(
                    f"Expected {name!r} as in the model, {described[name]}, "
                    f"got {about[name]}"
                )
        about = {**self.about, **about, **described}
        for statistic in ("mean", "std"):  # They are in the transform.
            about.pop(statistic, None)
        self.model.save_pretrained(folder, dtype, **about)
        write_card(folder, self, about)

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
            skeleton: The skeleton of your data, to check that it is that of
                the model. Unlike :meth:`SymGNN.from_pretrained`, this method
                never transfers weights to another skeleton, for which the
                transforms and the answers would be meaningless.
                (default: no check)
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
                f"Expected one of {', '.join(NETWORKS)} in {path}, got a {kind}"
            )
        network = NETWORKS[kind].from_pretrained(folder)
        about = network.about
        with data_error(str(path)):
            check_cost({"num_observed": about.get("num_observed") or 1})
            model = cls(
                network,
                saved_transform(about),
                classes=about.get("classes"),
                skeleton=_saved_skeleton(about),
                samples=about.get("samples", "windows"),
                num_observed=about.get("num_observed"),
            )
        if skeleton is not None:
            skeleton = as_skeleton(skeleton)
            if skeleton.fingerprint != model.skeleton.fingerprint:
                raise DataError(
                    f"Expected a model for {skeleton!r} in {folder}, got one "
                    f"for {model.skeleton!r}; to fine-tune it on another "
                    f"skeleton, pass that to "
                    f"{type(network).__name__}.from_pretrained"
                )
        return model.eval()

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({type(self.model).__name__}, "
            f"{self.skeleton!r}, samples={self.samples!r}, "
            f"num_observed={self.num_observed}, "
            f"num_future={self.num_future}, num_classes={len(self.classes)}, "
            f"transform={self.transform!r})"
        )


def as_pose_model(
    model: PoseModel | Network, transform: Callable[..., Any] | None
) -> PoseModel:
    r"""Returns a model as it is, and makes one of a network and transform."""
    if not isinstance(model, PoseModel):
        return PoseModel(model, transform)
    if transform is not None:
        raise ValueError(
            f"A PoseModel has its own transform, but got {transform} in "
            f"addition; pass either a PoseModel, or a network and its transform"
        )
    return model


def _saved_skeleton(about: Mapping[str, Any]) -> Skeleton | None:
    if "skeleton" not in about:
        return None
    with data_error("'skeleton' does not describe a skeleton"):
        check_cost(about["skeleton"])
        return Skeleton(**about["skeleton"])

from collections.abc import Callable
from typing import Any, NamedTuple

import networkx as nx
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.inference.captured_network import CapturedNetwork
from symgnn_pyg.inference.fold import fold
from symgnn_pyg.inference.pose_model import PoseModel, as_pose_model
from symgnn_pyg.inference.pose_network import Network, PoseNetwork
from symgnn_pyg.inference.recordings import as_array, as_tensor
from symgnn_pyg.skeleton import Skeleton


class StreamOutput(NamedTuple):
    r"""The output of :meth:`Stream.step`.

    Args:
        probabilities: The class probabilities :math:`[K]`, or :obj:`None` if
            the network has no recognition head or there is no body.
        future: The future poses :math:`[V, T', C]`, or :math:`[B, V, T', C]`
            for :math:`B` bodies, with NaN for absent bodies. :obj:`None` if
            the network has no prediction head or there is no body.
        num_seen: The number of frames in the window that showed the body, from
            0 to :math:`T`, of shape :math:`[]`, or :math:`[B]` for :math:`B`
            bodies. The other frames are repeated poses.
    """

    probabilities: Tensor | None
    future: Tensor | None
    num_seen: Tensor


class Stream:
    r"""Recognises the action and predicts the motion online, one frame at a
    time. Each step runs the network on the last :math:`T` frames, which should
    arrive at the frame rate of the training data.

    **Missing data are filled in.** A joint that is NaN keeps its last pose. A
    joint that has not been seen yet takes the pose of the closest joint that
    has, counted in bones. A dropped frame, ``step(None)``, repeats the
    previous frame, and the first pose fills a window that is not full yet. The
    stream therefore gives an output from the first frame on, and
    :obj:`num_seen` tells how much of the window was actually seen.

    **Several bodies** in a scene are recognised together, and the future of
    each is predicted. Every frame must list the bodies in the same order. A
    body whose joints are all NaN keeps its last pose. Once no frame in the
    window shows it, the body is absent: the network ignores it, and it starts
    afresh when it returns. To recognise people separately, use one stream per
    person.

    A model of whole recordings (:obj:`samples="clips"`) recognises the last
    :math:`T` frames as they are, without stretching them.

    The stream uses a copy of the network that is folded by :func:`fold`.

    Args:
        model: A :class:`PoseModel`, or a network that it takes.
        transform: The transform of the validation data, as for
            :class:`PoseModel`, if :obj:`model` is a network. Frames and future
            poses are in the unit of the data. (default: :obj:`None`)
        cuda_graph: If set to :obj:`True`, a GPU replays the network as a CUDA
            graph; see :class:`CapturedNetwork`. (default: :obj:`False`)

    Raises:
        ValueError: If :obj:`transform` does not fit the network, or cannot be
            applied to raw frames.

    Example:
        >>> model = PoseModel.from_pretrained("cmu-light-short")
        >>> output = Stream(model).step(torch.randn(26, 3))
        >>> output.future.shape, int(output.num_seen)
        (torch.Size([26, 10, 3]), 1)
    """

    def __init__(
        self,
        model: PoseModel | Network,
        transform: Callable[..., Any] | None = None,
        *,
        cuda_graph: bool = False,
    ) -> None:
        model = as_pose_model(model, transform)
        self.transform = model.transform
        self.model = PoseNetwork(
            fold(model.model),
            model.transform,
            model.skeleton,
            num_observed=model.num_observed,
        ).eval()
        self._network: Module = self.model
        if cuda_graph:
            self._network = CapturedNetwork(self.model)
        self._like = next(self.model.parameters()).new_empty(0)
        self._nearest = _nearest(self.model.skeleton).to(self._like.device)
        self.reset()

    def reset(self) -> None:
        r"""Forgets all frames and the number of bodies."""
        self._shape: torch.Size | None = None

    @torch.inference_mode()
    def step(self, frame: ArrayLike | Tensor | None) -> StreamOutput:
        r"""Processes the next frame.

        Args:
            frame: The pose of a single body, of shape :math:`[V, C]`, or of
                :math:`B` bodies, of shape :math:`[B, V, C]`. The shape must
                stay the same until :meth:`reset`. Masked values count as NaN.
                :obj:`None` for a dropped frame.

        Raises:
            TypeError: If :obj:`frame` does not hold real numbers.
            ValueError: If :obj:`frame` has another shape or infinite values.
        """
        if frame is not None:
            self._push(self._check(frame))
        elif self._shape is None:
            return StreamOutput(None, None, torch.tensor(0))
        else:
            self._push(torch.full_like(self._window[:, :, -1], torch.nan))
        num_seen = self._seen.sum(dim=1)
        probabilities, future = self._run(num_seen > 0)
        if self._shape is not None and len(self._shape) == 2:
            num_seen = num_seen.squeeze(0)
            future = None if future is None else future.squeeze(0)
        return StreamOutput(probabilities, future, num_seen)

    def _check(self, frame: ArrayLike | Tensor) -> Tensor:
        frame = as_tensor(as_array(frame, "frame"))
        expected = self.model.pose_shape
        if self._shape is None:
            fits = frame.dim() in (2, 3) and frame.shape[-2:] == expected
            wanted = f"{list(expected)} or [B, {expected[0]}, {expected[1]}]"
        else:
            fits = frame.shape == self._shape
            wanted = f"{list(self._shape)} as before (or call reset())"
        if not fits or frame.numel() == 0:
            raise ValueError(
                f"Expected 'frame' of shape {wanted}, got {list(frame.shape)}"
            )
        frame = frame.to(self._like)
        if frame.isinf().any():
            raise ValueError(
                "'frame' must not hold infinite values; use NaN for missing "
                "joints"
            )
        bodies = frame.view(-1, *expected)
        if self._shape is None:
            self._shape, zeros = frame.shape, self._like.new_zeros
            b, v, t, c = *bodies.shape[:2], self.model.num_observed, expected[1]
            self._window = zeros(b, v, t, c)
            self._seen = zeros(b, t).bool()
            self._known = zeros(b, v).bool()
        return bodies

    def _push(self, frame: Tensor) -> None:
        missing = frame.isnan().any(dim=-1)  # [B, V]
        arrived = ~missing.all(dim=1)
        new = ~self._seen.any(dim=1)
        self._known = self._known & ~new.unsqueeze(1) | ~missing
        pose = torch.where(missing.unsqueeze(2), self._window[:, :, -1], frame)
        # The nearest known joint, which is the joint itself if it is known.
        rank = self._known[:, self._nearest].int().argmax(dim=2)  # [B, V]
        joint = self._nearest.expand(len(rank), -1, -1)
        joint = joint.gather(2, rank.unsqueeze(2))  # [B, V, 1]
        pose = pose.gather(1, joint.expand_as(pose)).unsqueeze(2)
        window = torch.cat([self._window[:, :, 1:], pose], dim=2)
        starts = (new & arrived).view(-1, 1, 1, 1)
        self._window = torch.where(starts, pose, window)
        self._seen = torch.cat([self._seen[:, 1:], arrived.unsqueeze(1)], dim=1)

    def _run(self, present: Tensor) -> tuple[Tensor | None, Tensor | None]:
        if not present.any():
            return None, None
        num_bodies = None if len(present) == 1 else present.sum().view(1)
        logits, coming = self._network(self._window[present], num_bodies)
        probabilities = future = None
        if logits is not None:
            probabilities = logits.softmax(dim=-1).squeeze(0)
        if coming is not None:
            shape = (present.size(0), *coming.shape[1:])
            future = coming.new_full(shape, torch.nan)
            future[present] = coming
        return probabilities, future

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({self.model.skeleton!r}, "
            f"num_observed={self.model.num_observed}, "
            f"transform={self.transform!r})"
        )


def _nearest(skeleton: Skeleton) -> Tensor:
    r"""For each joint, all joints sorted by distance in bones, of shape
    :math:`[V, V]`.
    """
    graph = nx.Graph(skeleton.bones + skeleton.links)
    graph.add_nodes_from(range(skeleton.num_joints))
    rows = [
        list(nx.single_source_shortest_path_length(graph, joint))
        for joint in range(skeleton.num_joints)
    ]
    return torch.tensor(rows)

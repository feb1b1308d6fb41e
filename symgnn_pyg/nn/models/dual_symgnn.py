from operator import attrgetter
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from symgnn_pyg.errors import check_fractions
from symgnn_pyg.nn.models.bones_to_joints import BonesToJoints
from symgnn_pyg.nn.models.pretrained import Pretrained
from symgnn_pyg.nn.models.symgnn import SymGNN, SymGNNOutput
from symgnn_pyg.skeleton import Skeleton

SIZES = ("num_observed", "in_channels", "num_classes", "num_future")


class DualSymGNNOutput(NamedTuple):
    r"""The output of :class:`DualSymGNN`.

    Args:
        logits: The fused class scores before the softmax :math:`[N, K]`, or
            :obj:`None` without recognition heads.
        future: The fused poses :math:`[M \cdot V, T', C]`, or :obj:`None`
            without prediction heads.
        joint: The output of the joint network.
        bone: The output of the bone network.
    """

    logits: Tensor | None
    future: Tensor | None
    joint: SymGNNOutput
    bone: SymGNNOutput


class DualSymGNN(Pretrained):
    r"""The dual network of the `"Symbiotic Graph Neural Networks for 3D
    Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper (section 5.5): one
    :class:`SymGNN` on the joints, and one of the same size on the bones, which
    are the nodes of the dual skeleton. Class scores are fused before the
    softmax,

    .. math::
        \mathbf{z} = \beta \, \mathbf{z}_{\textrm{joint}} + (1 - \beta) \,
        \mathbf{z}_{\textrm{bone}},

    and predictions are fused likewise, once :class:`BonesToJoints` has
    computed joints from the predicted bones, starting from the roots that the
    joint network predicts.

    The networks can be trained together, or separately and combined later.

    Args:
        joint: The joint network.
        bone: The bone network, on :obj:`joint.skeleton.dual()`.
        recognition_weight: The weight :math:`\beta` of the scores of the joint
            network; see :meth:`fit_recognition_weight`. (default: :obj:`0.5`)
        prediction_weight: The weight of the prediction of the joint network.
            (default: :obj:`0.5`)

    Shapes:
        - **input:** joints :math:`[M \cdot V, T, C]`, bones
          :math:`[M \cdot V_b, T, C]`
        - **output:** a :class:`DualSymGNNOutput`

    Raises:
        ValueError: If the skeletons are not dual, the networks have different
            heads or sizes, or a weight does not lie between 0 and 1.
    """

    recognition_weight: Tensor
    prediction_weight: Tensor

    def __init__(
        self,
        joint: SymGNN,
        bone: SymGNN,
        *,
        recognition_weight: float = 0.5,
        prediction_weight: float = 0.5,
    ) -> None:
        super().__init__()
        if not bone.fits(joint.skeleton.dual()):
            raise ValueError(
                f"Expected a 'bone' network for the dual of "
                f"{joint.skeleton!r}, got one for {bone.skeleton!r}"
            )
        sizes_of = attrgetter(*SIZES)
        if sizes_of(joint) != sizes_of(bone):
            raise ValueError(
                f"'joint' and 'bone' must have the same {', '.join(SIZES)}, "
                f"got {sizes_of(joint)} and {sizes_of(bone)}"
            )
        weights = {
            "recognition_weight": recognition_weight,
            "prediction_weight": prediction_weight,
        }
        check_fractions(**weights)
        for name, weight in weights.items():
            self.register_buffer(name, torch.tensor(float(weight)))
        self.about = {}
        self.skeleton = joint.skeleton
        self.joint = joint
        self.bone = bone
        self.bones_to_joints = BonesToJoints(joint.skeleton)

    def to_config(self) -> dict[str, Any]:
        return {"joint": self.joint.to_config(), "bone": self.bone.to_config()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(
            SymGNN.from_config(config["joint"]),
            SymGNN.from_config(config["bone"]),
        )

    @classmethod
    def _changed_config(
        cls, config: dict[str, Any], changes: dict[str, Any]
    ) -> dict[str, Any]:
        of_bones = dict(changes)
        if "skeleton" in changes:
            of_bones["skeleton"] = changes["skeleton"].dual()
        return {
            "joint": SymGNN._changed_config(config["joint"], changes),
            "bone": SymGNN._changed_config(config["bone"], of_bones),
        }

    def fits(self, skeleton: Skeleton) -> bool:
        # The order of bones is the order of nodes in the dual skeleton.
        dual = skeleton.dual()
        return (
            super().fits(skeleton)
            and dual.fingerprint == self.bone.skeleton.fingerprint
        )

    def forward(
        self, x: Tensor, bone_x: Tensor, num_bodies: Tensor | None = None
    ) -> DualSymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed joints, of shape :math:`[M \cdot V, T, C]`.
            bone_x: The observed bones, child minus parent, of shape
                :math:`[M \cdot V_b, T, C]`.
            num_bodies: The number of bodies in each sample, of shape
                :math:`[N]`. (default: one body per sample)

        Raises:
            ValueError: If :obj:`x` and :obj:`bone_x` do not belong to the
                same bodies, or their number of frames or channels does not
                fit the networks.
        """
        self.bones_to_joints.count_bodies(bone_x, x)
        joint = self.joint(x, num_bodies)
        bone = self.bone(bone_x, num_bodies)
        logits = future = None
        if joint.logits is not None and bone.logits is not None:
            logits = torch.lerp(
                bone.logits, joint.logits, self.recognition_weight
            )
        if joint.future is not None and bone.future is not None:
            placed = self.bones_to_joints(bone.future, joint.future)
            future = torch.lerp(placed, joint.future, self.prediction_weight)
        return DualSymGNNOutput(logits, future, joint, bone)

    @torch.no_grad()
    def fit_recognition_weight(
        self, joint_logits: Tensor, bone_logits: Tensor, y: Tensor
    ) -> float:
        r"""Sets :obj:`recognition_weight` to the value among 0, 0.01, ..., 1
        that gives the highest accuracy on validation data; of several such
        values, to the one closest to 0.5.
        :func:`~symgnn_pyg.inference.fit_fusion_weights` fits the weights of any
        number of networks instead, and calibrates the fused probabilities.

        Args:
            joint_logits: The scores of the joint network, of shape
                :math:`[N, K]`.
            bone_logits: The scores of the bone network, of shape
                :math:`[N, K]`.
            y: The labels, of shape :math:`[N]`.

        Returns:
            The weight.

        Raises:
            ValueError: If the shapes do not fit, there are no samples, or a
                score is not finite.
        """
        shape = joint_logits.shape
        if (
            joint_logits.dim() != 2
            or bone_logits.shape != shape
            or y.shape != shape[:1]
            or y.numel() == 0
        ):
            raise ValueError(
                f"Expected 'joint_logits' and 'bone_logits' of shape [N, K] "
                f"and 'y' of shape [N] with N at least 1, got {list(shape)}, "
                f"{list(bone_logits.shape)} and {list(y.shape)}"
            )
        for name, logits in (
            ("joint_logits", joint_logits),
            ("bone_logits", bone_logits),
        ):
            if not logits.isfinite().all():
                raise ValueError(
                    f"'{name}' must be finite, got NaN or infinity"
                )
        weights = torch.linspace(0, 1, 101)
        fused = (
            torch.lerp(bone_logits, joint_logits, weight)
            for weight in weights.tolist()
        )
        right = torch.tensor([int((z.argmax(1) == y).sum()) for z in fused])
        best = weights[right == right.max()]
        self.recognition_weight.copy_(best[(best - 0.5).abs().argmin()])
        return float(self.recognition_weight)

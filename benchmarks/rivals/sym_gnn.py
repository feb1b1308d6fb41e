"""The whole network on the operators of the field's published code.

It is built from a :class:`symgnn_pyg.nn.SymGNN` and computes the same function
with the same weights: features [N, C, T, V], for each graph a product with A
and a 1x1 convolution, AGIM on the concatenated features of all pairs, and a
decoder that mixes hop by hop and calls a GRUCell on its whole input.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import (
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Identity,
    Linear,
    Module,
    ModuleList,
    Parameter,
    ReLU,
    Sequential,
)

from symgnn_pyg import ops
from symgnn_pyg.nn import (
    ActionalGraphInference,
    JointGraphConv,
    PredictionHead,
    SymGNN,
    SymGNNOutput,
    TemporalConv,
)
from symgnn_pyg.nn.conv.channel_norm import ChannelNorm
from symgnn_pyg.skeleton import Skeleton

# The light network, as :func:`light_networks` builds it.
OBSERVED, FUTURE, CLASSES = 50, 10, 8


class GraphConv(Module):
    """For each graph a product with A, then a 1x1 convolution."""

    def __init__(self, ours: Any) -> None:
        super().__init__()
        self.lambda_: Any = getattr(ours, "lambda_", None)
        self.graph = copy.deepcopy(ours.masked_graph)
        self.convs = ModuleList()
        for w in ours.weight:
            conv = Conv2d(w.size(0), w.size(1), kernel_size=1, bias=False)
            conv.weight = Parameter(w.detach().t()[..., None, None].clone())
            self.convs.append(conv)

    def forward(self, x: Tensor, actional: Tensor | None = None) -> Tensor:
        n, c, t, v = x.shape
        graphs = list(self.graph())
        if actional is not None:
            graphs.append(self.lambda_ * actional)
        out = x.new_zeros(())
        for graph, conv in zip(graphs, self.convs, strict=True):
            mixed = torch.matmul(x.reshape(n, c * t, v), graph.mT)
            out = out + conv(mixed.view(n, c, t, v))
        return out


class Block(Module):
    """Graph convolution, then a (tau, 1) convolution, in [N, C, T, V]."""

    def __init__(
        self, ours: Any, graph_conv: Callable[[Any], Module] | None = None
    ) -> None:
        super().__init__()
        self.graph_conv = (graph_conv or GraphConv)(ours.graph_conv)
        self.graph_norm = norm2d(ours.graph_norm)
        self.temporal_conv = conv2d(ours.temporal_conv)
        self.temporal_norm = norm2d(ours.temporal_norm)
        self.dropout = Dropout(ours.dropout.p)
        self.residual: Module | None = None
        if isinstance(ours.residual, Identity):
            self.residual = Identity()
        elif ours.residual is not None:
            conv, norm = ours.residual
            self.residual = Sequential(conv2d(conv), norm2d(norm))
        self.relu = ReLU(inplace=True)

    def forward(self, x: Tensor, *actional: Tensor | None) -> Tensor:
        h = self.relu(self.graph_norm(self.graph_conv(x, *actional)))
        out = self.dropout(self.temporal_norm(self.temporal_conv(h)))
        if self.residual is not None:
            out = out + self.residual(x)
        return self.relu(out)


def norm2d(ours: ChannelNorm) -> BatchNorm2d:
    norm = BatchNorm2d(ours.norm.num_features)
    norm.load_state_dict(ours.norm.state_dict())
    return norm


def conv2d(ours: TemporalConv) -> Conv2d:
    conv: Any = copy.deepcopy(ours.conv)
    theirs = Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size[::-1],
        conv.stride[::-1],
        conv.padding[::-1],
    )
    theirs.weight = Parameter(conv.weight.detach().transpose(2, 3).clone())
    theirs.bias = Parameter(conv.bias.detach().clone())
    return theirs


class Branch(Module):
    share: Tensor
    joint_to_part: Tensor

    def __init__(self, ours: Any, skeleton: Skeleton) -> None:
        super().__init__()
        self.fusion = ours.fusion
        self.joint_blocks = ModuleList(map(Block, ours.joint_blocks))
        self.part_blocks = ModuleList(map(Block, ours.part_blocks))
        self.register_buffer("share", ours.joint_to_part.share.t().clone())
        self.register_buffer("joint_to_part", skeleton.joint_to_part)

    def forward(self, x: Tensor, actional: Tensor) -> Tensor:
        joint = self.joint_blocks[0](x, actional)
        part = torch.matmul(joint, self.share)
        pairs = zip(self.joint_blocks[1:], self.part_blocks, strict=True)
        for i, (joint_block, part_block) in enumerate(pairs, start=1):
            joint, part = joint_block(joint, actional), part_block(part)
            if i in self.fusion:
                from_part = part[..., self.joint_to_part]
                from_joint = torch.matmul(joint, self.share)
                joint = torch.cat([joint, from_part], dim=1)
                part = torch.cat([part, from_joint], dim=1)
        out = joint + part[..., self.joint_to_part]
        return out.mean(dim=2).mT.flatten(0, 1)  # [N*V, C]


class Propagation(Module):
    """One iteration of AGIM on the concatenated features of all pairs."""

    pairs: Tensor

    def __init__(self, ours: Any, num_joints: int) -> None:
        super().__init__()
        pairs = (~torch.eye(num_joints, dtype=torch.bool)).nonzero().t()
        self.register_buffer("pairs", pairs, persistent=False)
        first = Linear(2 * ours.lin_i.in_features, ours.lin_i.out_features)
        weight = torch.cat([ours.lin_i.weight, ours.lin_j.weight], dim=1)
        first.weight = Parameter(weight.detach().clone())
        first.bias = Parameter(ours.lin_i.bias.detach().clone())
        norm = BatchNorm1d(ours.norm.num_features)
        norm.load_state_dict(ours.norm.state_dict())
        last = copy.deepcopy(ours.lin_out)
        self.edge_mlp = Sequential(first, norm, ReLU(), last)
        self.joint_mlp = copy.deepcopy(ours.joint_mlp)

    def forward(self, h: Tensor, num_joints: int) -> Tensor:
        h = h.view(-1, num_joints, h.size(-1))
        i, j = self.pairs
        pairs = torch.cat([h[:, i], h[:, j]], dim=-1)
        q = self.edge_mlp(pairs.flatten(0, 1))
        q = q.view(-1, num_joints, num_joints - 1, q.size(-1))
        return self.joint_mlp(q.mean(dim=2).flatten(0, 1))


def inference(
    ours: ActionalGraphInference, num_joints: int
) -> ActionalGraphInference:
    theirs = copy.deepcopy(ours)
    theirs.propagations = ModuleList(
        Propagation(each, num_joints) for each in ours.propagations
    )
    return theirs


class Decoder(Module):
    """The prediction head hop by hop, with a GRUCell on its whole input."""

    def __init__(self, ours: Any) -> None:
        super().__init__()
        ours = copy.deepcopy(ours)
        self.num_future, self.orders = ours.num_future, ours.step.orders
        self.fuse, self.gru, self.out = ours.fuse, ours.step.gru, ours.step.out
        conv = ours.step.graph_conv
        assert isinstance(conv, JointGraphConv)
        self.graph: Any = conv.masked_graph
        self.lambda_ = conv.lambda_
        self.lins = ModuleList()
        for w in conv.weight:
            lin = Linear(w.size(0), w.size(1), bias=False)
            lin.weight = Parameter(w.detach().t().clone())
            self.lins.append(lin)

    def forward(
        self, x: Tensor, h: Tensor, actional: Tensor, probabilities: Tensor
    ) -> Tensor:
        n, v, _ = actional.shape
        label = probabilities.unsqueeze(1).expand(-1, v, -1).flatten(0, 1)
        highest = max(self.orders)
        recent = x[:, -(highest + 1) :]
        state = [ops.difference(recent, b)[:, -1] for b in range(highest + 1)]
        h, poses = self.fuse(h), []
        for _ in range(self.num_future):
            samples, mixed = h.view(n, v, -1), h.new_zeros(())
            graphs = (*self.graph(), self.lambda_ * actional)
            for graph, lin in zip(graphs, self.lins, strict=True):
                mixed = mixed + lin(torch.matmul(graph, samples))
            seen = [state[order] for order in self.orders]
            h = self.gru(torch.cat([*seen, label], dim=-1), mixed.flatten(0, 1))
            following = [state[0] + self.out(h)]
            for previous in state[:-1]:
                following.append(following[-1] - previous)
            state = following
            poses.append(state[0])
        return torch.stack(poses, dim=1)


class RivalSymGNN(Module):
    """The network on the field's operators that computes the same as
    :obj:`ours`.
    """

    def __init__(self, ours: Any) -> None:
        super().__init__()
        self.num_joints, self.orders = ours.skeleton.num_joints, ours.orders
        self.actional_inference = inference(
            ours.actional_inference, self.num_joints
        )
        self.branches = ModuleList(
            Branch(branch, ours.skeleton) for branch in ours.branches
        )
        self.recognition_head = copy.deepcopy(ours.recognition_head)
        self.prediction_head = Decoder(ours.prediction_head)

    def forward(self, x: Tensor) -> SymGNNOutput:
        actional = self.actional_inference(x)
        shared = []
        for order, branch in zip(self.orders, self.branches, strict=True):
            h = ops.difference(x, order).unflatten(0, (-1, self.num_joints))
            h = h.permute(0, 3, 2, 1).contiguous()  # [N, C, T, V]
            shared.append(branch(h, actional))
        h = torch.cat(shared, dim=-1)
        logits = self.recognition_head(h)
        future = self.prediction_head(x, h, actional, logits.softmax(dim=-1))
        return SymGNNOutput(logits, future, actional, h)


def light_networks(device: torch.device) -> tuple[SymGNN, RivalSymGNN]:
    """The light network on the skeleton of CMU Mocap and its rival, in
    evaluation mode.
    """
    model = SymGNN.light(
        "cmu26", CLASSES, num_observed=OBSERVED, num_future=FUTURE
    )
    set_in_motion(model.prediction_head)
    model.to(device).eval()
    return model, RivalSymGNN(model).eval()


def set_in_motion(head: PredictionHead | None) -> None:
    """Draws the weights that start at zero, so that results can differ."""
    assert head is not None
    assert head.step is not None
    torch.nn.init.normal_(head.step.out.lins[-1].weight, std=0.01)

import torch
from torch import Tensor
from torch.nn import Module
from torch_geometric.nn import MessagePassing

from symgnn_pyg.errors import check_choices
from symgnn_pyg.nn.batch import all_pairs
from symgnn_pyg.nn.models.symgnn import SymGNN


class Explainable(Module):
    r"""A network in the form that :class:`torch_geometric.explain.Explainer`
    expects: frames and channels are flattened to one dimension, the arguments
    begin with :obj:`x` and :obj:`edge_index`, and there is a single output.

    A mask of edges weights the messages between joints, of all joint-scale
    layers alike. Its edges must be those of :meth:`edge_index`: actional graphs
    connect every pair of joints. Messages between body parts have no mask.

    Args:
        model: The network.
        output: What to explain, :obj:`"logits"` or :obj:`"future"`.
            (default: :obj:`"logits"`)

    Raises:
        ValueError: If :obj:`output` is unknown or the network has no such
            head.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T \cdot C]`
        - **output:** class scores :math:`[N, K]`, or future poses
          :math:`[M \cdot V, T' \cdot C]`
    """

    def __init__(self, model: SymGNN, output: str = "logits") -> None:
        super().__init__()
        check_choices(("logits", "future"), output=output)
        if not (model.num_classes if output == "logits" else model.num_future):
            raise ValueError(f"The network has no head for {output!r}")
        self.model = model
        self.output = output
        # Explainers restore the mode of the whole afterwards.
        self.training = model.training

    def edge_index(self, num_bodies: int = 1) -> Tensor:
        r"""All pairs of joints of each body, self-loops included, of shape
        :math:`[2, M \cdot V^2]`, in the order of the masks.

        Args:
            num_bodies: The number of bodies :math:`M`. (default: :obj:`1`)
        """
        return all_pairs([(num_bodies, self.model.skeleton.num_joints)])

    def forward(
        self,
        x: Tensor,
        edge_index: Tensor | None = None,
        num_bodies: Tensor | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T \cdot C]`.
            edge_index: The edges that an explainer masks, which must be those
                of :meth:`edge_index`. Without a mask of edges, they are not
                used. (default: :obj:`None`)
            num_bodies: The number of bodies in each sample, of shape
                :math:`[N]`. (default: one body per sample)

        Raises:
            ValueError: If :obj:`x` does not fit the network, or edges are
                masked that are not those of :meth:`edge_index`.
        """
        sizes = self.model.num_observed, self.model.in_channels
        if x.dim() != 2 or x.size(1) != sizes[0] * sizes[1]:
            raise ValueError(
                f"Expected 'x' of shape [N * {self.model.skeleton.num_joints}, "
                f"{sizes[0] * sizes[1]}], got {list(x.shape)}; "
                f"x.flatten(1) makes it of sequences [N * V, T, C]"
            )
        if any(
            isinstance(module, MessagePassing)
            and bool(module.explain)
            and module._edge_mask is not None
            for module in self.modules()
        ):
            bodies = x.size(0) // self.model.skeleton.num_joints
            pairs = self.edge_index(bodies)
            if edge_index is None or not torch.equal(edge_index.cpu(), pairs):
                raise ValueError(
                    f"An explainer can mask edges only if 'edge_index' is that "
                    f"of Explainable.edge_index({bodies}), every pair of "
                    f"joints in its order"
                )
        out = self.model(x.unflatten(1, sizes), num_bodies)
        if self.output == "logits":
            return out.logits
        return out.future.flatten(1)

from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge
from torch.nn import Module
from torch.nn.functional import cross_entropy

from symgnn_pyg.errors import check_choices, check_tensors
from symgnn_pyg.nn.loss.mgda import NORMALIZATIONS, mgda_weight
from symgnn_pyg.nn.models.symgnn import SymGNNOutput
from symgnn_pyg.typing import UNLABELLED, Normalization


class SymbioticLossOutput(NamedTuple):
    r"""The output of :class:`SymbioticLoss`.

    Args:
        total: The loss to minimise.
        recognition_loss: The recognition loss (11), or :obj:`None`.
        prediction_loss: The prediction loss (12), or :obj:`None`.
        alpha: The weight of the recognition loss.
    """

    total: Tensor
    recognition_loss: Tensor | None
    prediction_loss: Tensor | None
    alpha: Tensor


class SymbioticLoss(Module):
    r"""The convex combination of both tasks' losses, equations (11) and (12)
    of the `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human
    Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper:

    .. math::
        \mathcal{L} = \alpha \mathcal{L}_{\textrm{recg}} + (1 - \alpha)
        \mathcal{L}_{\textrm{pred}}, \qquad
        \mathcal{L}_{\textrm{recg}} = -\frac{1}{N} \sum_{n=1}^{N}
        \mathbf{y}_n^{\top} \log \hat{\mathbf{y}}_n, \qquad
        \mathcal{L}_{\textrm{pred}} = \frac{1}{N} \sum_{n=1}^{N} \Vert
        \mathbf{X}_n^{+} - \hat{\mathbf{X}}_n^{+} \Vert_1

    With :obj:`"mgda"`, :math:`\alpha` balances the gradients with respect to
    what both heads share: the representation :math:`\mathbf{H}` and the
    actional graphs. Only those gradients are weighted; each head learns from
    its own loss, whatever :math:`\alpha` is. For a network with a single head,
    the total is the loss of that head.

    Args:
        weighting: :obj:`"mgda"` for the :math:`\alpha` of
            :func:`~symgnn_pyg.nn.mgda_weight`, or a fixed :math:`\alpha` from 0
            to 1. (default: :obj:`"mgda"`)
        prediction_criterion: A function of the predicted and the true future
            that replaces :math:`\mathcal{L}_{\textrm{pred}}`, such as
            :class:`~symgnn_pyg.nn.PoseLoss`. (default: equation (12))
        normalization: The scale of each task's gradient for :obj:`"mgda"`:
            :obj:`"none"` as in the paper, :obj:`"l2"`, :obj:`"loss"` or
            :obj:`"loss+"`; see :func:`~symgnn_pyg.nn.mgda_weight`.
            (default: :obj:`"l2"`)
        recognition_criterion: A function of the class scores and the labels
            that replaces :math:`\mathcal{L}_{\textrm{recg}}`, such as
            :obj:`CrossEntropyLoss(weight=...)` for class weights, or
            :obj:`BCEWithLogitsLoss()` for samples of several classes.
            (default: equation (11))

    Raises:
        ValueError: If :obj:`weighting` is neither :obj:`"mgda"` nor a number
            from 0 to 1, or :obj:`normalization` is unknown.

    Shapes:
        - **input:** the :class:`SymGNNOutput`, labels :math:`[N]`,
          true future :math:`[N \cdot V, T', C]`
        - **output:** a :class:`SymbioticLossOutput`
    """

    alpha: Tensor

    def __init__(
        self,
        weighting: float | str = "mgda",
        prediction_criterion: Callable[[Tensor, Tensor], Tensor] | None = None,
        *,
        normalization: Normalization = "l2",
        recognition_criterion: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        check_choices(NORMALIZATIONS, normalization=normalization)
        fixed = isinstance(weighting, Real)
        if weighting != "mgda" and not (fixed and 0 <= float(weighting) <= 1):
            raise ValueError(
                f"'weighting' must be 'mgda' or a number from 0 to 1, got "
                f"{weighting!r}"
            )
        self.weighting = weighting
        self.prediction_criterion = prediction_criterion
        self.normalization = normalization
        self.recognition_criterion = recognition_criterion
        alpha = float(weighting) if fixed else 0.5
        self.register_buffer("alpha", torch.tensor(alpha))

    def forward(
        self, out: SymGNNOutput, y: Tensor, future: Tensor | None = None
    ) -> SymbioticLossOutput:
        r"""Runs the forward pass. In evaluation mode, and if gradients are
        disabled, :math:`\alpha` keeps its last value.

        Args:
            out: The output of the network.
            y: The labels, of shape :math:`[N]`, where samples with label -100
                are left out of the recognition loss, or class probabilities,
                of shape :math:`[N, K]`. Without recognition, only their
                number matters.
            future: The true poses, of shape :math:`[N \cdot V, T', C]`; not
                needed by a network without prediction.

        Raises:
            TypeError: If :obj:`y` is not a tensor.
            ValueError: If :obj:`y` or :obj:`future` do not fit the output of
                the network.
        """
        if y is not None:
            check_tensors(y=y)
        if y is None or y.dim() not in (1, 2):
            shape = None if y is None else list(y.shape)
            raise ValueError(
                f"Expected labels 'y' of shape [N] or [N, K], got {shape}; a "
                f"network without recognition needs them to count the samples"
            )
        if out.logits is not None and y.shape not in (
            out.logits.shape[:1],
            out.logits.shape,
        ):
            raise ValueError(
                f"Expected labels 'y' of shape {list(out.logits.shape[:1])} "
                f"or probabilities of shape {list(out.logits.shape)}, got "
                f"{list(y.shape)}; if samples have several bodies, pass "
                f"'num_bodies' to the network"
            )
        recognition = prediction = None
        if out.logits is not None:
            recognition = self._recognition_loss(out.logits, y)
        if out.future is not None:
            if future is None or future.shape != out.future.shape:
                got = None if future is None else list(future.shape)
                raise ValueError(
                    f"Expected 'future' of shape {list(out.future.shape)}, "
                    f"got {got}"
                )
            if self.prediction_criterion is None:
                prediction = _l1_norm(out.future, future) / y.size(0)
            else:
                prediction = self.prediction_criterion(out.future, future)
        if recognition is None or prediction is None:
            total = prediction if recognition is None else recognition
            assert total is not None
            alpha = total.new_tensor(float(prediction is None))
            return SymbioticLossOutput(total, recognition, prediction, alpha)
        if (
            self.weighting == "mgda"
            and self.training
            and out.shared.requires_grad
        ):
            total = self._balance(out, recognition, prediction)
        else:
            total = self._weighted(recognition, prediction)
        return SymbioticLossOutput(total, recognition, prediction, self.alpha)

    def _weighted(self, recognition: Tensor, prediction: Tensor) -> Tensor:
        return self.alpha * recognition + (1 - self.alpha) * prediction

    def _balance(
        self, out: SymGNNOutput, recognition: Tensor, prediction: Tensor
    ) -> Tensor:
        r"""Updates :math:`\alpha`; returns the weighted loss, which has the
        gradients of MGDA.
        """
        shared = [out.shared]
        if out.actional is not None and out.actional.requires_grad:
            shared.append(out.actional)
        recognition_grads = _gradients(recognition, shared)
        prediction_grads = _gradients(prediction, shared)
        alpha = mgda_weight(
            torch.cat([grad.flatten() for grad in recognition_grads]),
            torch.cat([grad.flatten() for grad in prediction_grads]),
            losses=(recognition, prediction),
            normalization=self.normalization,
        )
        dtype = torch.promote_types(self.alpha.dtype, torch.float)
        self.alpha = alpha.to(dtype)
        # The sum of both losses gives each head the gradient of its own loss,
        # but what is shared g_r + g_p. Linear terms subtract what exceeds the
        # weighted sum.
        total = summed = recognition + prediction
        for tensor, g_r, g_p in zip(
            shared, recognition_grads, prediction_grads, strict=True
        ):
            if torch.finfo(tensor.dtype).bits < 32:
                # Half precision would lose the smaller gradient in the terms.
                _replace_gradient(tensor, g_r, g_p, self.alpha, summed)
                continue
            excess = (1 - self.alpha) * g_r + self.alpha * g_p
            total = total - (excess * tensor).sum()
        value = self._weighted(recognition, prediction)
        return total + (value - total).detach()

    def _recognition_loss(self, logits: Tensor, y: Tensor) -> Tensor:
        criterion = self.recognition_criterion or cross_entropy
        if y.dim() == 2:
            return criterion(logits, y.to(logits.dtype))
        if not y.is_floating_point():
            y = y.long()
        # The mean over no labels is not a number.
        loss = criterion(logits, y)
        return loss.where((y != UNLABELLED).any(), 0.0 * logits.sum())

    def extra_repr(self) -> str:
        text = f"weighting={self.weighting!r}"
        if self.weighting == "mgda":
            text += f", normalization={self.normalization!r}"
        return text


def _gradients(loss: Tensor, shared: list[Tensor]) -> list[Tensor]:
    """The gradients of a loss with respect to what both heads share."""
    grads = torch.autograd.grad(
        loss, shared, retain_graph=True, allow_unused=True
    )
    if grads[0] is None:
        grads = _gradients_of_originals(loss, shared)
    return [
        torch.zeros_like(tensor) if grad is None else grad.detach()
        for tensor, grad in zip(shared, grads, strict=True)
    ]


def _gradients_of_originals(
    loss: Tensor, shared: list[Tensor]
) -> tuple[Tensor | None, ...]:
    # DistributedDataParallel returns copies of a network's outputs in some
    # modes; the gradients of the originals are one node further up.
    edges = []
    for tensor in shared:
        assert tensor.grad_fn is not None
        functions = tensor.grad_fn.next_functions
        if tensor.output_nr < len(functions):
            node, number = functions[tensor.output_nr]
            if node is not None:
                edges.append(GradientEdge(node, number))
    grads: tuple[Tensor | None, ...] = (None,)
    if len(edges) == len(shared):
        grads = torch.autograd.grad(
            loss, edges, retain_graph=True, allow_unused=True
        )
    if grads[0] is None:
        raise RuntimeError(
            "'mgda' needs the gradients of the losses with respect to "
            "'out.shared', which is not part of their graph, as after "
            "torch.compile or reentrant checkpointing; compile with "
            "SymGNNTask.compile(), or the network and its loss in one function "
            "with torch._dynamo.config.trace_autograd_ops = True, checkpoint "
            "with use_reentrant=False, or pass a fixed 'weighting'"
        )
    return grads


def _l1_norm(predicted: Tensor, true: Tensor) -> Tensor:
    # The sum over all joints and frames would overflow in half precision.
    dtype = torch.promote_types(true.dtype, torch.float)
    return (true.to(dtype) - predicted).abs().sum()


def _replace_gradient(
    tensor: Tensor, g_r: Tensor, g_p: Tensor, alpha: Tensor, loss: Tensor
) -> None:
    """Replaces the gradient of a loss in a tensor, the sum of two, by their
    weighted sum. Gradients of other losses stay.
    """
    scale: list[Tensor] = []
    half = torch.finfo(tensor.dtype)
    # Their product with the scale of a gradient scaler may overflow.
    g_r, g_p = g_r.float(), g_p.float()

    def replace(grad: Tensor) -> Tensor:
        if not scale:
            return grad  # Of other losses only.
        factor = scale.pop()
        other = grad - factor * (g_r + g_p)
        # Smaller differences come from rounding.
        size = g_r.abs() + g_p.abs() + 2 * half.tiny
        noise = half.eps * factor.abs() * size
        other = other.where(other.abs() > noise, 0.0)
        weighted = alpha * g_r + (1 - alpha) * g_p
        return (factor * weighted + other).to(grad)

    loss.register_hook(scale.append)
    tensor.register_hook(replace)

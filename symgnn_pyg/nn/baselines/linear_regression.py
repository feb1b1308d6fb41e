from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch_geometric.data import Data

from symgnn_pyg import Skeleton
from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.baselines.baseline import Baseline

RIDGES = tuple(10.0**exponent for exponent in range(-4, 3))


class LinearRegression(Baseline):
    r"""Ridge regression from the last :math:`k` observed frames of all joints
    to what each future frame adds to the last pose:

    .. math::
        \hat{\mathbf{x}}_{T + t} = \mathbf{x}_T + \mathbf{b}_t +
        \mathbf{W}_{t,0} \, \mathbf{x}_T + \sum_{s=1}^{k - 1}
        \mathbf{W}_{t,s} (\mathbf{x}_{T - s} - \mathbf{x}_T), \qquad
        \mathbf{x}_t \in \mathbb{R}^{V \cdot C}

    :meth:`fit` computes the weights in closed form. They are buffers, not
    parameters: there is nothing for an optimiser to do. Before the fit all of
    them are zero, which is :class:`ZeroVelocity`. The method is the one from
    the `"Ridge Regression: Biased Estimation for Nonorthogonal Problems"
    <https://doi.org/10.1080/00401706.1970.10488634>`_ paper.

    With the 26 joints of CMU Mocap and the defaults it has 3.04 million
    weights (:math:`k V C \times T' V C`, and :math:`T' V C` for
    :math:`\mathbf{b}`).

    Args:
        skeleton: The skeleton, of :math:`V` joints.
        num_future: The number of frames to predict :math:`T'`.
            (default: :obj:`25`)
        in_channels: Size of a joint's pose :math:`C`. (default: :obj:`3`)
        num_recent: How many of the last observed frames it reads :math:`k`;
            older frames are ignored. (default: :obj:`20`)

    Raises:
        ValueError: If a size is smaller than 1.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of
          :math:`M` bodies, :math:`T \geq k`
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput` with poses
          :math:`[M \cdot V, T', C]`

    Example:
        >>> model = LinearRegression(train.skeleton, num_future=25)
        >>> ridge = model.fit(
        ...     SkeletonLoader(train, 256), SkeletonLoader(val, 256)
        ... )
    """

    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        skeleton: Skeleton | str,
        num_future: int = 25,
        *,
        in_channels: int = 3,
        num_recent: int = 20,
    ) -> None:
        super().__init__(skeleton, in_channels, min_frames=num_recent)
        self._keep_arguments(locals())
        check_sizes(1, num_future=num_future, num_recent=num_recent)
        self.num_future = num_future
        self.num_recent = num_recent
        width = self.skeleton.num_joints * in_channels
        shape = num_recent * width, num_future * width
        self.register_buffer("weight", torch.zeros(shape))
        self.register_buffer("bias", torch.zeros(shape[1]))

    def reset_parameters(self) -> None:
        r"""Forgets the fit."""
        self.weight.zero_()
        self.bias.zero_()

    @torch.no_grad()
    def fit(
        self,
        train: Iterable[Data],
        val: Iterable[Data] | None = None,
        ridges: Sequence[float] = RIDGES,
    ) -> float:
        r"""Solves the normal equations in double precision,

        .. math::
            \left( \mathbf{C}_{xx} + \lambda \, \sigma^2 \mathbf{I} \right)
            \mathbf{W} = \mathbf{C}_{xy}, \qquad
            \sigma^2 = \frac{\textrm{tr}(\mathbf{C}_{xx})}{k V C}

        with the covariances of the training windows. The ridge
        :math:`\lambda` is relative to the mean variance of the inputs, and so
        does not depend on their unit. Each iterable is read once.

        Args:
            train: Batches of training windows with :obj:`x`
                :math:`[M \cdot V, T, C]` and :obj:`future`
                :math:`[M \cdot V, T', C]`, such as a
                :class:`~symgnn_pyg.data.SkeletonLoader` gives.
            val: Batches of validation windows. The ridge with the smallest
                mean squared error on them is chosen. (default: :obj:`None`)
            ridges: The ridges :math:`\lambda` to choose from.
                (default: the powers of ten from :obj:`1e-4` to :obj:`100`)

        Returns:
            The ridge that was chosen.

        Raises:
            ValueError: If there are no windows, their shapes do not fit, a
                ridge is not positive, or several ridges come without
                validation windows.
        """
        if not ridges or min(ridges) <= 0:
            raise ValueError(f"'ridges' must be positive, got {[*ridges]}")
        if val is None and len(ridges) > 1:
            raise ValueError(
                f"Choosing one of {len(ridges)} 'ridges' requires validation "
                f"windows: pass 'val', or a single ridge"
            )
        fits = self._solve(train, ridges)
        best = 0 if val is None else self._best(fits, val)
        weight, bias = fits[best]
        self.weight.copy_(weight)
        self.bias.copy_(bias)
        return ridges[best]

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        inputs = self._inputs(x)
        shape = self.skeleton.num_joints, self.num_future, self.in_channels
        offsets = (inputs @ self.weight + self.bias).unflatten(1, shape)
        future = x[:, -1:] + offsets.flatten(0, 1)
        return SymGNNOutput(None, future, None, x[:, -1])

    def _inputs(self, x: Tensor) -> Tensor:
        recent = self.samples(x)[:, :, -self.num_recent :]  # [M, V, k, C]
        last = recent[:, :, -1:]
        # The ridge shrinks weights of differences better than those of poses,
        # which are nearly equal from frame to frame.
        return torch.cat([recent[:, :, :-1] - last, last], dim=2).flatten(1)

    def _windows(
        self, batches: Iterable[Data], name: str
    ) -> Iterable[tuple[Tensor, Tensor]]:
        r"""The inputs and the targets of each batch."""
        found = False
        for batch in batches:
            x, future = (getattr(batch, key, None) for key in ("x", "future"))
            if not isinstance(x, Tensor) or not isinstance(future, Tensor):
                raise ValueError(
                    f"Expected batches with 'x' and 'future' in '{name}', got "
                    f"{type(batch).__name__}"
                )
            expected = [x.size(0), self.num_future, self.in_channels]
            if list(future.shape) != expected:
                raise ValueError(
                    f"Expected 'future' of shape {expected} in '{name}', got "
                    f"{list(future.shape)}"
                )
            x, future = x.to(self.weight), future.to(self.weight)
            inputs = self._inputs(x)
            if len(inputs):
                found = True
                yield inputs, (future - x[:, -1:]).view(len(inputs), -1)
        if not found:
            raise ValueError(f"'{name}' has no windows")

    def _solve(
        self, train: Iterable[Data], ridges: Sequence[float]
    ) -> list[tuple[Tensor, Tensor]]:
        r"""The weights and the bias for each ridge."""
        size = self.weight.size(0)
        total = sum(self.weight.shape)
        moments = self.weight.new_zeros(size, total, dtype=torch.double)
        mean = moments.new_zeros(total)
        count = 0
        for windows in self._windows(train, "train"):
            both = torch.cat(windows, dim=1).double()
            moments.addmm_(both[:, :size].t(), both)
            mean += both.sum(dim=0)
            count += len(both)
        mean /= count
        covariance = moments.div_(count).addr_(mean[:size], mean, alpha=-1)
        inputs, targets = covariance.split([size, total - size], dim=1)
        # Inputs that never change leave nothing to scale the ridge with.
        variance = inputs.diagonal().mean().clamp(min=torch.finfo().eps)
        fits = []
        for ridge in ridges:
            damped = inputs.clone()
            damped.diagonal().add_(ridge * variance)
            weight = torch.cholesky_solve(
                targets, torch.linalg.cholesky(damped)
            )
            bias = mean[size:] - mean[:size] @ weight
            fits.append((weight.to(self.weight), bias.to(self.bias)))
        return fits

    def _best(
        self, fits: Sequence[tuple[Tensor, Tensor]], val: Iterable[Data]
    ) -> int:
        errors = [0.0] * len(fits)
        for inputs, targets in self._windows(val, "val"):
            for i, (weight, bias) in enumerate(fits):
                residual = targets - bias - inputs @ weight
                errors[i] += float(residual.square().sum())
        return errors.index(min(errors))

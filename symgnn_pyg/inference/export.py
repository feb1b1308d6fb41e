"""Export of networks to programs and files that run without this library."""

import copy
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from symgnn_pyg.errors import requires_extra
from symgnn_pyg.files import replacing
from symgnn_pyg.inference.pose_model import PoseModel, as_pose_model
from symgnn_pyg.inference.pose_network import Network, PoseNetwork


def export_program(
    model: PoseModel | Network,
    transform: Callable[..., Any] | None = None,
    *,
    several_bodies: bool = False,
) -> ExportedProgram:
    r"""Exports a network in evaluation mode by :func:`torch.export.export`,
    for any number :math:`M` of bodies. The program takes raw windows
    :math:`[M, V, T, C]`, applies the transforms that the network was trained
    with, and returns class scores before the softmax :math:`[N, K]` and future
    poses :math:`[M, V, T', C]` in the unit of the data, or only one of them if
    the network has a single head. For a model of whole recordings
    (:obj:`samples="clips"`), stretch them to :math:`T` frames first, as
    :func:`~symgnn_pyg.ops.stretch_frames` does.

    Args:
        model: A :class:`PoseModel`, or the network. It is not modified.
        transform: The transform of the validation data, as for
            :class:`PoseModel`, if :obj:`model` is a network.
            (default: :obj:`None`)
        several_bodies: If set to :obj:`True`, the program takes a second
            argument, :obj:`num_bodies` :math:`[N]`: the number of bodies in
            each of :math:`N` samples, which are recognised together.
            Otherwise, each body is a sample. (default: :obj:`False`)

    Raises:
        ValueError: If :obj:`transform` does not fit the network, or cannot be
            applied to raw windows.
    """
    model = as_pose_model(model, transform)
    network = copy.deepcopy(model.model).eval().requires_grad_(False)
    windows = _Exported(
        network,
        model.transform,
        model.skeleton,
        num_observed=model.num_observed,
    ).eval()
    like = next(windows.parameters())
    joints, channels = windows.pose_shape
    # Several, since torch.export treats sizes of 0 and 1 as constants.
    x = like.new_zeros(4, joints, windows.num_observed, channels)
    arguments, shapes = [x], [{0: Dim("bodies")}]
    if several_bodies:
        arguments.append(torch.tensor([1, 3], device=x.device))
        shapes.append({0: Dim("samples")})
    return torch.export.export(
        windows, tuple(arguments), dynamic_shapes=tuple(shapes)
    )


def export_onnx(
    model: PoseModel | Network,
    path: str | os.PathLike[str],
    classes: Sequence[str] | None = None,
    *,
    transform: Callable[..., Any] | None = None,
    several_bodies: bool = False,
) -> None:
    r"""Exports the program of :func:`export_program` to an ONNX file with the
    input :obj:`x`, the input :obj:`num_bodies` if there are several bodies per
    sample, and the outputs :obj:`logits` and :obj:`future`. The metadata of
    the file describe them as JSON: the names of :obj:`joints` in order, the
    whole :obj:`skeleton`, the :obj:`classes`, the kind of :obj:`samples`, the
    numbers of frames, :obj:`num_observed` and :obj:`num_future`, and the
    :obj:`frame_rate` in hertz if it was saved with the model. The light
    network takes about a minute.

    Args:
        model: A :class:`PoseModel`, or the network. It is not modified.
        path: The file to write. It appears once it is complete.
        classes: The names of the classes. (default: those of the
            :class:`PoseModel`, or their indices)
        transform: The transform of the validation data, as for
            :class:`PoseModel`, if :obj:`model` is a network.
            (default: :obj:`None`)
        several_bodies: Whether the file takes the number of bodies in each
            sample; see :func:`export_program`. (default: :obj:`False`)

    Raises:
        ImportError: If the packages of the extra :obj:`export` are missing.
        ValueError: If the number of names differs from the number of classes,
            or :obj:`transform` does not fit the network or cannot be applied
            to raw windows.
    """
    with requires_extra("export"):
        import onnxscript.optimizer
        from onnx_ir.passes.common import ClearMetadataAndDocStringPass
    model = as_pose_model(model, transform)
    if classes is not None:
        model = PoseModel(
            model.model,
            model.transform,
            classes=classes,
            skeleton=model.skeleton,
            samples=model.samples,
            num_observed=model.num_observed,
        )
    heads = (("logits", model.classes), ("future", model.num_future))
    program = torch.onnx.export(
        export_program(model, several_bodies=several_bodies),
        input_names=["x", "num_bodies"][: 1 + several_bodies],
        output_names=[name for name, size in heads if size],
        verbose=False,
        # The optimisation takes most of the time, and runtimes do the same.
        optimize=False,
    )
    assert program is not None
    onnxscript.optimizer.fold_constants(program.model)
    onnxscript.optimizer.remove_unused_nodes(program.model)
    # Otherwise each node refers to source lines on this machine.
    ClearMetadataAndDocStringPass()(program.model)
    for given, axis in zip(
        program.model.graph.inputs, ("bodies", "samples"), strict=False
    ):
        assert given.shape is not None
        program.rename_axes({given.shape[0]: axis})  # type: ignore[dict-item]
    about = {
        "joints": model.skeleton.joints,
        "skeleton": model.skeleton.to_dict(),
        "classes": model.classes,
        "samples": model.samples,
        "num_observed": model.num_observed,
        "num_future": model.num_future,
        "frame_rate": model.about.get("frame_rate"),
    }
    for key, value in about.items():
        program.model.metadata_props[key] = json.dumps(value)
    with replacing(path) as temporary:
        program.save(temporary)


class _Exported(PoseNetwork):
    def forward(  # type: ignore[override]
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        outputs = super().forward(x, num_bodies)
        return tuple(out for out in outputs if out is not None)

"""Export of networks to programs and files that run without this library."""

import copy
import json
import os
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from symgnn_pyg.errors import requires_extra
from symgnn_pyg.files import replacing
from symgnn_pyg.inference.pose_model import PoseModel
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.transforms import Standardize

# The output of each head by the entry of the metadata that describes it.
OUTPUTS = {"classes": "logits", "num_future": "future"}


def export_program(
    model: SymGNN | DualSymGNN, transform: Standardize | None = None
) -> ExportedProgram:
    r"""Exports a network in evaluation mode by :func:`torch.export.export`,
    for any number :math:`N` of bodies. The program takes poses
    :math:`[N, V, T, C]` and returns class scores before the softmax
    :math:`[N, K]` and future poses :math:`[N, V, T', C]`, or only one of them
    if the network has a single head. A :class:`~symgnn_pyg.nn.DualSymGNN`
    computes bones from joints.

    Args:
        model: The network. It is not modified.
        transform: The transform that standardised the training data. It
            becomes part of the program, which takes and returns poses in the
            unit of the data. (default: :obj:`None`)

    Raises:
        ValueError: If :obj:`transform` does not fit the network.
    """
    windows = _Exported(copy.deepcopy(model), transform).eval()
    windows.requires_grad_(False)
    like = next(windows.parameters())
    joints, channels = windows.pose_shape
    # Two bodies, since torch.export treats sizes of 0 and 1 as constants.
    x = like.new_zeros(2, joints, windows.num_observed, channels)
    return torch.export.export(
        windows, (x,), dynamic_shapes=({0: Dim("bodies")},)
    )


def export_onnx(
    model: SymGNN | DualSymGNN,
    path: str | os.PathLike[str],
    classes: Sequence[str] | None = None,
    *,
    transform: Standardize | None = None,
) -> None:
    r"""Exports the program of :func:`export_program` to an ONNX file with the
    input :obj:`x` and the outputs :obj:`logits` and :obj:`future`. The metadata
    of the file describe them as JSON: the names of :obj:`joints` in order, the
    whole :obj:`skeleton`, the :obj:`classes`, and the numbers of frames,
    :obj:`num_observed` and :obj:`num_future`. The light network takes about a
    minute.

    Args:
        model: The network. It is not modified.
        path: The file to write. It appears once it is complete.
        classes: The names of the classes. (default: their indices)
        transform: The transform that standardised the training data. It
            becomes part of the file, which takes and returns poses in the unit
            of the data. (default: :obj:`None`)

    Raises:
        ImportError: If the packages of the extra :obj:`export` are missing.
        ValueError: If the number of names differs from the number of classes,
            or :obj:`transform` does not fit the network.
    """
    with requires_extra("export"):
        import onnxscript.optimizer
        from onnx_ir.passes.common import ClearMetadataAndDocStringPass
    about = _about(model, classes)
    program = torch.onnx.export(
        export_program(model, transform),
        input_names=["x"],
        output_names=[OUTPUTS[head] for head in OUTPUTS if about[head]],
        verbose=False,
        # The optimisation takes most of the time, and runtimes do the same.
        optimize=False,
    )
    assert program is not None
    onnxscript.optimizer.fold_constants(program.model)
    onnxscript.optimizer.remove_unused_nodes(program.model)
    # Otherwise each node refers to source lines on this machine.
    ClearMetadataAndDocStringPass()(program.model)
    shape = program.model.graph.inputs[0].shape
    assert shape is not None
    program.rename_axes({shape[0]: "bodies"})  # type: ignore[dict-item]
    for key, value in about.items():
        program.model.metadata_props[key] = json.dumps(value)
    with replacing(path) as temporary:
        program.save(temporary)


def _about(
    model: SymGNN | DualSymGNN, classes: Sequence[str] | None
) -> dict[str, object]:
    joint = model.joint if isinstance(model, DualSymGNN) else model
    count = joint.num_classes
    names = [str(i) for i in range(count)] if classes is None else [*classes]
    if len(names) != count:
        raise ValueError(
            f"'classes' must name the {count} classes of the network, got "
            f"{len(names)} names"
        )
    skeleton = joint.skeleton
    return {
        "joints": skeleton.joints,
        "skeleton": skeleton.to_dict(),
        "classes": names,
        "num_observed": joint.num_observed,
        "num_future": joint.num_future,
    }


class _Exported(PoseModel):
    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        return tuple(out for out in super().forward(x) if out is not None)

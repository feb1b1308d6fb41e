"""Networks as programs and files that run without this library."""

import copy
import json
import os
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from symgnn_pyg.files import replacing
from symgnn_pyg.inference.pose_model import PoseModel
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.transforms import Standardize

# What each head returns, by what there is to say about it.
OUTPUTS = {"classes": "logits", "num_future": "future"}


def export_program(
    model: SymGNN | DualSymGNN, transform: Standardize | None = None
) -> ExportedProgram:
    r"""Exports what a network computes in evaluation mode, by
    :func:`torch.export.export`, for any number :math:`N` of bodies. The
    program takes poses :math:`[N, V, T, C]` and returns the class scores
    before softmax :math:`[N, K]` and the coming poses :math:`[N, V, T', C]`,
    or one of them where the network has one head. A
    :class:`~symgnn_pyg.nn.DualSymGNN` takes the bones from the joints.

    Args:
        model: The network. It stays as it is.
        transform: What the network's windows were standardised by. It becomes
            part of the program, whose poses are in the unit of the data.
            (default: :obj:`None`)

    Raises:
        ValueError: If :obj:`transform` was made for other poses.
    """
    windows = _Exported(copy.deepcopy(model), transform).eval()
    windows.requires_grad_(False)
    like = next(windows.parameters())
    joints, channels = windows.pose_shape
    # Two bodies: sizes of 0 and 1 would be taken for constants.
    x = like.new_zeros(2, joints, windows.num_observed, channels)
    return torch.export.export(
        windows, (x,), dynamic_shapes=({0: Dim("bodies")},)
    )


def export_onnx(
    model: SymGNN | DualSymGNN,
    path: str | os.PathLike[str],
    classes: Sequence[str] | None = None,
    transform: Standardize | None = None,
) -> None:
    r"""Writes a network as an ONNX file, of what :func:`export_program`
    exports: input :obj:`x`, outputs :obj:`logits` and :obj:`future`. The file
    tells what they mean: its metadata hold, as JSON, the :obj:`joints` by name
    and order, the whole :obj:`skeleton`, the :obj:`classes`, and the numbers of
    frames, :obj:`num_observed` and :obj:`num_future`. For the light network
    this takes about a minute.

    Args:
        model: The network. It stays as it is.
        path: The file to write. It appears when it is complete.
        classes: The names of the classes. (default: their numbers)
        transform: What the network's windows were standardised by. It becomes
            part of the file, whose poses are in the unit of the data.
            (default: :obj:`None`)

    Raises:
        ImportError: If the packages of the extra :obj:`export` are missing.
        ValueError: If there are more or fewer names than classes, or
            :obj:`transform` was made for other poses.
    """
    try:
        import onnxscript.optimizer
        from onnx_ir.passes.common import ClearMetadataAndDocStringPass
    except ImportError as error:
        raise ImportError(
            "ONNX files need the packages of the extra 'export': "
            "pip install 'symgnn_pyg[export]'"
        ) from error
    about = _about(model, classes)
    program = torch.onnx.export(
        export_program(model, transform),
        input_names=["x"],
        output_names=[OUTPUTS[head] for head in OUTPUTS if about[head]],
        verbose=False,
        # Its rewriting would take most of the time here; those who run the
        # file do the same.
        optimize=False,
    )
    assert program is not None
    onnxscript.optimizer.fold_constants(program.model)
    onnxscript.optimizer.remove_unused_nodes(program.model)
    # Else each node names lines of files of this machine.
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
            f"'classes' names {len(names)} classes, but the network has {count}"
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

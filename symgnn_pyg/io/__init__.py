r"""Readers: each takes a file, as its path or its content, and returns its
arrays, with the skeleton and the frame rate where the file has them. One
writer: :func:`write_bvh`.
"""

from symgnn_pyg.io.amass import read_amass
from symgnn_pyg.io.annotations import Annotation, read_annotations, read_labels
from symgnn_pyg.io.asf_amc import ASF, read_asf, read_asf_amc
from symgnn_pyg.io.bvh import (
    BVHHeader,
    read_bvh,
    read_bvh_header,
    read_bvh_rotations,
)
from symgnn_pyg.io.bvh_writer import write_bvh
from symgnn_pyg.io.coco import read_coco
from symgnn_pyg.io.csv import read_csv, read_table
from symgnn_pyg.io.frames import (
    as_frames,
    check_axes,
    fill_gaps,
    find_zeros,
    resample_frames,
    same_rate,
)
from symgnn_pyg.io.header import same_unit
from symgnn_pyg.io.joint_tree import Motion, TreeJoint, select_joints
from symgnn_pyg.io.kinetics import (
    KineticsLabel,
    read_kinetics,
    read_kinetics_labels,
)
from symgnn_pyg.io.limits import read_text
from symgnn_pyg.io.mediapipe import read_mediapipe
from symgnn_pyg.io.npy import read_npy
from symgnn_pyg.io.ntu import read_ntu
from symgnn_pyg.io.openpose import read_openpose
from symgnn_pyg.io.recording import POSITIONS, SUFFIXES, read_recording
from symgnn_pyg.io.source import Source
from symgnn_pyg.io.tables import Tracks, read_deeplabcut, read_sleap

__all__ = [
    "ASF",
    "POSITIONS",
    "SUFFIXES",
    "Annotation",
    "BVHHeader",
    "KineticsLabel",
    "Motion",
    "Source",
    "Tracks",
    "TreeJoint",
    "as_frames",
    "check_axes",
    "fill_gaps",
    "find_zeros",
    "read_amass",
    "read_annotations",
    "read_asf",
    "read_asf_amc",
    "read_bvh",
    "read_bvh_header",
    "read_bvh_rotations",
    "read_coco",
    "read_csv",
    "read_deeplabcut",
    "read_kinetics",
    "read_kinetics_labels",
    "read_labels",
    "read_mediapipe",
    "read_npy",
    "read_ntu",
    "read_openpose",
    "read_recording",
    "read_sleap",
    "read_table",
    "read_text",
    "resample_frames",
    "same_rate",
    "same_unit",
    "select_joints",
    "write_bvh",
]

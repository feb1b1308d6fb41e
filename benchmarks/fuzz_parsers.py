"""What `benchmarks.fuzz` fuzzes: readers, with valid documents of each."""

import tempfile
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.fuzz_documents import (
    AMC,
    ASF,
    BVH,
    CSV,
    DEEPLABCUT,
    SLEAP,
    TIMED,
    annotations,
    archive,
    coco,
    mediapipe,
    mediapipe_of_two,
    mmpose,
    numbers,
    openpose,
    saved,
    skeleton_json,
    skeleton_text,
    sleap_hdf5,
    store,
    table,
)
from symgnn_pyg.data import SequenceStore
from symgnn_pyg.errors import DataError
from symgnn_pyg.io import (
    Source,
    read_amass,
    read_annotations,
    read_asf,
    read_asf_amc,
    read_bvh,
    read_coco,
    read_csv,
    read_deeplabcut,
    read_kinetics,
    read_mediapipe,
    read_npy,
    read_ntu,
    read_openpose,
    read_sleap,
    read_table,
)

Parse = Callable[[bytes, str], np.ndarray]


class Parser(NamedTuple):
    """What to fuzz.

    Args:
        name: What to call it.
        seeds: Valid documents.
        parse: Parses a document, given the name of its file, into frames.
        binary: Whether documents are binary rather than text.
        seconds: The most time that a document may take.
    """

    name: str
    seeds: Sequence[bytes]
    parse: Parse
    binary: bool = False
    seconds: float = 10.0


def frames_of(read: Callable[..., Any], **options: Any) -> Parse:
    return lambda content, where: read(content, where, **options).frames


def without_gaps(read: Callable[..., Any], **options: Any) -> Parse:
    """The frames of formats in which joints may be missing (NaN)."""
    parse = frames_of(read, **options)
    return lambda content, where: np.nan_to_num(parse(content, where))


def table_frames(content: bytes, where: str) -> np.ndarray:
    return read_table(content, 99, where)[:, :, None]


def read_store(content: bytes, where: str) -> np.ndarray:
    Path(where).write_bytes(content)
    found = SequenceStore(where)
    rows = [found[i].flatten(0, 1).numpy() for i in range(len(found))]
    # A store has no checksum: another bit makes another number, of any kind.
    return np.nan_to_num(np.concatenate(rows))


def read_archive(content: bytes, where: str) -> np.ndarray:
    Path(where).write_bytes(content)
    with Source(where, anchors=("S1", "S5")) as source:
        tables = [
            table_frames(source.read(name), source.where(name))
            for name in source
        ]
    if not tables:
        raise DataError(f"{where} holds no recordings")
    return np.concatenate(tables)


def annotation_frames(content: bytes, where: str) -> np.ndarray:
    clips, _ = read_annotations(content, where)
    if not clips:
        raise DataError(f"{where} holds no recordings")
    return clips[0].frames


def openpose_frames(content: bytes, where: str) -> np.ndarray:
    with tempfile.TemporaryDirectory(dir=Path(where).parent) as folder:
        (Path(folder) / "clip_0_keypoints.json").write_bytes(content)
        try:
            return read_openpose(folder).frames
        except DataError as e:
            raise DataError(f"{where}: {e}") from e


PARSERS = {
    parser.name: parser
    for parser in (
        Parser("table", [table(4, 99)], table_frames),
        Parser(
            "ntu",
            [skeleton_text(["a", "", "ba", "b"]), skeleton_text(["a"])],
            read_ntu,
        ),
        Parser(
            "kinetics",
            [skeleton_json([1, 0, 2, 3]), skeleton_json([1])],
            partial(read_kinetics, max_bodies=2),
        ),
        Parser("bvh", [BVH], frames_of(read_bvh)),
        Parser(
            "asf",
            [ASF],
            lambda c, w: np.array([read_asf(c, w).skeleton.offsets]),
        ),
        Parser("amc", [AMC], frames_of(partial(read_asf_amc, ASF))),
        Parser(
            "csv",
            [CSV, TIMED, table(3, 4)],
            lambda c, w: read_csv(c, ("a", "b"), w),
        ),
        Parser("openpose", [openpose()], openpose_frames),
        Parser(
            "coco",
            [
                coco([3, 3, 4, 7]),
                coco(["0.jpg", "1.jpg", "10.jpg"]),
                b'{"0.jpg": %b, "2.jpg": %b}' % (openpose(), openpose()),
                mmpose(),
            ],
            frames_of(partial(read_coco, max_bodies=2)),
        ),
        Parser(
            "mediapipe",
            [mediapipe(), mediapipe_of_two()],
            without_gaps(read_mediapipe, max_bodies=2),
        ),
        Parser("deeplabcut", [DEEPLABCUT], without_gaps(read_deeplabcut)),
        Parser("sleap", [SLEAP], without_gaps(read_sleap)),
        Parser(
            "sleap_hdf5",
            [
                sleap_hdf5((0, 1, 2, 3), (0, 1, 2)),
                sleap_hdf5((3, 0, 2, 1), (2, 0, 1)),
            ],
            without_gaps(read_sleap),
            binary=True,
        ),
        Parser("annotations", [annotations()], annotation_frames, binary=True),
        Parser(
            "amass",
            [saved(np.savez, poses=numbers(2, 66), mocap_framerate=120.0)],
            frames_of(read_amass),
            binary=True,
        ),
        Parser(
            "npy", [saved(np.save, numbers(2, 3, 3))], read_npy, binary=True
        ),
        Parser(
            "npz",
            [
                saved(save, numbers(2, 3, 3))
                for save in (np.savez, np.savez_compressed)
            ],
            read_npy,
            binary=True,
        ),
        Parser("sequence_store", [store()], read_store, binary=True),
        Parser(
            "zip_source",
            [archive(zipfile.ZIP_STORED), archive(zipfile.ZIP_DEFLATED)],
            read_archive,
            binary=True,
        ),
    )
}

"""Recognise and predict with an ONNX file, numpy and onnxruntime.

    python examples/onnx_inference.py model.onnx               # synthetic poses
    python examples/onnx_inference.py model.onnx --motion motion.npy

motion.npy holds poses of shape [frames, joints, channels] in the unit of the
training data. To write model.onnx, where this library is installed, call

    from symgnn_pyg.inference import PoseModel, export_onnx

    export_onnx(PoseModel.from_pretrained("cmu-light-short"), "model.onnx")

This script needs neither the library nor torch.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--motion", type=Path, help="a .npy file of poses")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    try:
        run(args)
    except (OSError, ValueError) as error:
        raise SystemExit(f"Error: {error}") from None
    except KeyboardInterrupt:
        print("\nStopped", file=sys.stderr)
        raise SystemExit(130) from None


def run(args: argparse.Namespace) -> None:
    session, about = load(args.model, args.threads)
    (x,) = session.get_inputs()
    _, num_joints, observed, channels = x.shape
    if args.motion is None:
        print("Note: without --motion the poses are synthetic")
        random = np.random.default_rng(0)
        steps = random.normal(0, 0.05, (2 * observed, num_joints, channels))
        motion = steps.cumsum(axis=0)
    else:
        # Mapped, because the header may declare more than the file holds.
        motion = np.load(args.motion, mmap_mode="r", allow_pickle=False)
    if motion.shape[1:] != (num_joints, channels) or len(motion) < observed:
        raise ValueError(
            f"Expected at least {observed} frames of {num_joints} joints and "
            f"{channels} channels, got {list(motion.shape)}"
        )
    motion = motion.astype(np.float32)
    print(f"Joints: {', '.join(about['joints'])}")

    seconds = []
    for last in range(observed, len(motion) + 1):
        window = motion[last - observed : last].swapaxes(0, 1)  # [V, T, C]
        start = time.perf_counter()
        outputs = predict(session, window)
        seconds.append(time.perf_counter() - start)
        if last % 25 == 0 or last == len(motion):
            print(f"frame {last}: {describe(outputs, window, about)}")
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    print(f"{len(seconds)} windows; p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def load(
    path: Path, threads: int
) -> tuple[onnxruntime.InferenceSession, dict[str, Any]]:
    """The session and the metadata of the file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        session = onnxruntime.InferenceSession(path, options)
    except Exception as error:  # onnxruntime has many error classes.
        raise ValueError(f"{path} is not an ONNX file: {error}") from error
    metadata = session.get_modelmeta().custom_metadata_map
    if "joints" not in metadata:
        raise ValueError(f"{path} was not written by export_onnx")
    about = {key: json.loads(text) for key, text in metadata.items()}
    if about.get("samples") == "clips":
        raise ValueError(
            f"{path} recognises whole recordings, but this example runs on "
            f"windows"
        )
    return session, about


def predict(
    session: onnxruntime.InferenceSession, window: np.ndarray
) -> dict[str, np.ndarray]:
    """Runs the network on one body's window [V, T, C]."""
    names = [output.name for output in session.get_outputs()]
    values = session.run(names, {"x": window[None]})
    return {name: value[0] for name, value in zip(names, values, strict=True)}


def describe(
    outputs: dict[str, np.ndarray], window: np.ndarray, about: dict[str, Any]
) -> str:
    parts = []
    if "logits" in outputs:
        scores = np.exp(outputs["logits"] - outputs["logits"].max())
        top = int(scores.argmax())
        share = scores[top] / scores.sum()
        parts.append(f"{about['classes'][top]} ({share:.0%})")
    if "future" in outputs:
        future = outputs["future"]  # [V, T', C]
        moves = np.linalg.norm(future[:, -1] - window[:, -1], axis=-1)
        joint = about["joints"][int(moves.argmax())]
        parts.append(
            f"in {about['num_future']} frames {joint!r} will have moved most, "
            f"by {moves.max():.3f}"
        )
    return "; ".join(parts)


if __name__ == "__main__":
    main()

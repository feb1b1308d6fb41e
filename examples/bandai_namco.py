"""Recognise and predict motion in styles that the network has never seen.

    python examples/bandai_namco.py --data bandai_namco.zip

The data are the BVH files of the Bandai-Namco-Research-Motiondataset-2, ten
actions in seven styles, as ACTION/dataset-2_ACTION_STYLE_NUMBER.bvh. A network
is trained for both tasks on windows of five styles, selected on other
recordings of these styles, and tested on two styles that it has never seen.
Writes metrics.json, recognition.json, confusion.png, scores.csv and the model
to --output.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import seed_everything
from recognition_report import report
from shared import command, no_traceback, positive, write_json
from short_training import fit
from torch.nn import Module
from torch_geometric.transforms import Compose

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import MotionDataset, SkeletonFolder
from symgnn_pyg.files import expanded
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn.baselines import LinearRegression
from symgnn_pyg.training import evaluate, light_network
from symgnn_pyg.transforms import Center, NormalizeView, Standardize

ATTRIBUTION = (
    "Bandai-Namco-Research-Motiondataset-2 (c) Bandai Namco Research Inc., "
    "CC BY-NC 4.0, "
    "https://github.com/BandaiNamcoResearchInc/Bandai-Namco-Research-"
    "Motiondataset"
)
# The name tells the action and what decides the split: an unseen style, or the
# number of the recording.
NAME = r"(?P<label>[^/]+)/[^/]*?_(?P<group>elderly|youthful|\d{3})"
GROUPS = {"val": ["008"], "test": ["elderly", "youthful"]}
LIMBS = {
    "arm": ["Shoulder", "UpperArm", "LowerArm", "Hand"],
    "leg": ["UpperLeg", "LowerLeg", "Foot", "Toes"],
}
# How a network gets only the head of its task.
LACKS: dict[str, dict[str, Any]] = {
    "both": {},
    "recognition": {"num_future": 0},
    "prediction": {"num_classes": 0},
}
FRAME_RATE = 25
# Of the future frames, those at 80, 160, 320, 400 and 1000 ms.
REPORTED = (1, 3, 7, 9, 24)
OBSERVED = FUTURE = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", required=True, help="the folder or zip archive"
    )
    count = positive(int, 1)
    parser.add_argument("--task", choices=LACKS, default="both")
    parser.add_argument("--steps", type=count, default=3500)
    parser.add_argument("--batch-size", type=count, default=32)
    parser.add_argument("--learning-rate", type=positive(float), default=3e-3)
    parser.add_argument(
        "--output", type=expanded, default=Path("outputs/bandai_namco")
    )
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with no_traceback():
        run(args)


def run(args: argparse.Namespace) -> None:
    print(f"Data: {ATTRIBUTION}")
    started = time.process_time()
    seed_everything(args.seed, verbose=False)
    args.output.mkdir(parents=True, exist_ok=True)
    train, val, test = (
        open_split(args, split) for split in ("train", "val", "test")
    )
    # The hips of the first frame are the origin, and the body faces along -y.
    place = Compose([
        Center("Hips", per_frame=False),
        NormalizeView(
            spine=("Hips", "Chest"), shoulders=("UpperArm_R", "UpperArm_L")
        ),
    ])  # fmt: skip
    train.transform = place
    standardize = statistics(train[:: max(1, len(train) // 2000)])
    # Without mirror images: some actions differ only in the side.
    for windows in (train, val, test):
        windows.transform = Compose([place, standardize])
    model = light_network(
        train, (32, 64), strides=(2, 2), hidden_channels=64, **LACKS[args.task]
    )
    few = val[:: max(1, len(val) // 256)]
    best = fit(model, train, few, args, torch.device("cpu"))
    seconds = time.process_time() - started
    classes = train.classes if model.num_classes else ()
    PoseModel(model, val.transform, classes=classes).save_pretrained(
        args.output / "model",
        seed=args.seed,
        frame_rate=FRAME_RATE,
        metrics=best,
        data={"dataset": ATTRIBUTION, "training windows": len(train)},
        license="cc-by-nc-4.0",
        command=command(),
    )
    metrics: dict[str, Any] = {"task": args.task, "seed": args.seed}
    metrics |= {"steps": args.steps, "cpu_seconds": round(seconds)}
    if model.num_future:
        linear = LinearRegression(train.skeleton, FUTURE)
        linear.fit(SkeletonLoader(train, 256), SkeletonLoader(val, 256))
        metrics |= report_prediction(model, linear, test[::5])
    write_json(metrics, args.output / "metrics.json")
    print(f"{seconds:.0f} seconds of processor time up to the trained model")
    if model.num_classes:
        report_recognition(model, args, val.transform)
    print(f"Wrote {args.output}/")
    if args.exit_status:
        raise SystemExit(args.exit_status)


def body() -> Skeleton:
    """The joints that move: neither the ends of chains nor the fixed root."""
    trunk = ["Hips", "Spine", "Chest", "Neck", "Head"]
    bones = list(zip(trunk[1:], trunk, strict=False))
    parts = {"trunk": trunk}
    for side in "LR":
        for limb, names in LIMBS.items():
            joints = [f"{name}_{side}" for name in names]
            base = "Chest" if limb == "arm" else "Hips"
            bones += zip(joints, [base, *joints], strict=False)
            parts[f"{limb}_{side}"] = joints
    order = [joint for part in parts.values() for joint in part]
    return Skeleton(order, bones, parts=parts, name="bandai_namco")


def open_split(
    args: argparse.Namespace, split: str, num_future: int = FUTURE
) -> SkeletonFolder:
    return SkeletonFolder(
        args.data,
        body(),
        split,
        num_observed=OBSERVED,
        num_future=num_future,
        name_pattern=NAME,
        groups=GROUPS,
        frame_rate=FRAME_RATE,
        unit="cm",
        path=args.output / "bandai_namco.h5",
    )


def statistics(some: MotionDataset) -> Standardize:
    """Normalises poses by their mean and deviation after the transform."""
    poses = torch.stack([data.x for data in some])  # [N, V, T, C]
    return Standardize(poses.mean(dim=(0, 2)), poses.std(dim=(0, 2)))


def report_prediction(
    model: Module, linear: Module, test: MotionDataset
) -> dict[str, Any]:
    """Prints and returns the errors, averaged over actions."""
    found = evaluate(model, test)
    rows = {
        "zero velocity": found["still"],
        "linear regression": evaluate(linear, test)["error"],
        "Sym-GNN": found["error"],
    }
    milliseconds = [1000 * (frame + 1) // FRAME_RATE for frame in REPORTED]
    print(
        f"\nmean error per joint in cm, path of the body included, average "
        f"over actions; {len(test)} windows of unseen styles"
    )
    header = [f"{ms} ms" for ms in milliseconds]
    print(f"{'':18}{''.join(f'{cell:>9}' for cell in header)}")
    errors = {}
    for name, metric in rows.items():
        errors[name] = metric.compute()[list(REPORTED)].tolist()
        print(f"{name:18}{''.join(f'{error:9.2f}' for error in errors[name])}")
    return {"milliseconds": milliseconds, "cm": errors}


@torch.no_grad()
def report_recognition(
    model: Module, args: argparse.Namespace, transform: Any
) -> None:
    """Recognises windows, and whole recordings by the mean of their scores."""
    # Even the shortest recording has a window without a future.
    test = open_split(args, "test", num_future=0)
    test.transform = transform
    test = test[::5]
    loader = SkeletonLoader(test, 256)
    scores = torch.cat([model(batch.x).logits for batch in loader])
    recording = test.sequence_index
    right = scores.argmax(dim=1) == test.store.labels[recording]
    windows = right.double().mean().item()
    print(f"windows recognised from one second: {windows:.1%}")
    tested = recording.unique()
    whole = torch.stack([scores[recording == i].mean(dim=0) for i in tested])
    labels = test.store.labels[tested]
    report(
        "recordings of unseen styles",
        [test.store.names[i] for i in tested],
        whole,
        labels,
        test.classes,
        args.output,
        task=args.task,
        seed=args.seed,
        windows_top1=windows,
    )


if __name__ == "__main__":
    main()

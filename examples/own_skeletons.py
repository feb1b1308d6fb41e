"""Your own skeletons: from a folder of .npy files to a trained model.

    python examples/own_skeletons.py                 # synthetic motion
    python examples/own_skeletons.py --data FOLDER   # your files

FOLDER/CLASS/RECORDING.npy holds positions of shape [frames, joints, 3]; list
their joints and bones in SKELETON. The script trains on most recordings, prints
how well the network recognises and predicts the others, and writes a folder for
PoseModel.from_pretrained to --output. Other formats: docs/own_skeletons.md.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from shared import command, no_traceback
from torch.utils.data import RandomSampler
from torch_geometric import seed_everything
from tqdm import tqdm

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import SkeletonFolder
from symgnn_pyg.files import expanded
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.metrics import MPJPE, TopKAccuracy
from symgnn_pyg.nn import SymbioticLoss, SymGNN

SKELETON = Skeleton(
    joints=["hips", "chest", "head", "left hand", "right hand"],
    bones=[(1, 0), (2, 1), (3, 1), (4, 1)],  # (child, parent)
    parts={"trunk": [0, 1, 2], "left arm": [3], "right arm": [4]},
)
# Smaller than the light network, and fast on a laptop.
NETWORK: dict[str, Any] = {
    "num_observed": 20, "num_future": 10, "channels": [16, 32, 64],
    "strides": [1, 2, 2], "fusion": [1, 2], "hidden_channels": 64,
    "dropout": 0.1,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=expanded, help="a folder of .npy files")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--output", type=expanded, default=Path("outputs"))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with no_traceback():
        run(args)


def run(args: argparse.Namespace) -> None:
    # With five joints, one thread is faster than several.
    torch.set_num_threads(1)
    seed_everything(args.seed)
    if args.data is None:
        args.data = args.output / "own_skeletons"
        write_motion(args.data, args.seed)
    train, test = (
        SkeletonFolder(
            args.data, SKELETON, split,
            num_observed=NETWORK["num_observed"],
            num_future=NETWORK["num_future"],
            shares=(0.75, 0, 0.25), seed=args.seed,
        )
        for split in ("train", "test")
    )  # fmt: skip
    train.transform = test.transform = train.standardize()
    model = SymGNN.light(SKELETON, train.num_classes, **NETWORK)
    fit(model, train, args.steps)
    report(model, test)
    PoseModel(model, train.transform, classes=train.classes).save_pretrained(
        args.output / "own_skeletons_model",
        data={"recordings": str(args.data), "training windows": len(train)},
        command=command(),
    )
    print(f"Wrote {args.output}/own_skeletons_model")


def write_motion(folder: Path, seed: int) -> None:
    """Writes synthetic recordings of four actions, 25 frames/s, in metres."""
    random = np.random.default_rng(seed)
    rest = [[0, 1, 0], [0, 1.4, 0], [0, 1.7, 0], [0.3, 1, 0], [-0.3, 1, 0]]
    for action in ("bow", "clap", "jump", "wave"):
        (folder / action).mkdir(parents=True, exist_ok=True)
        for i in range(20):
            frequency, start = random.uniform((0.5, 0), (1.0, 1.0))
            phase = 2 * np.pi * (np.arange(100) / 25 * frequency + start)
            up = random.uniform(0.7, 1.3) * (0.5 - 0.5 * np.cos(phase))
            pose = np.tile(np.array(rest), (100, 1, 1))  # [T, V, 3]
            if action == "bow":
                pose[:, 1:] += up[:, None, None] * [0, -0.3, 0.4]
            elif action == "clap":
                pose[:, 3:, 1:] += [0.3, 0.3]
                pose[:, 3:, 0] *= 1 - 0.7 * up[:, None]
            elif action == "jump":
                pose[:, :, 1] += 0.4 * up[:, None]
            else:
                pose[:, 4, 1] += 0.7
                pose[:, 4, 0] += 0.3 * up
            pose += random.normal(0, 0.02, (1, 5, 3))
            pose += random.normal(0, 0.005, pose.shape)
            np.save(folder / action / f"{i:02}.npy", pose)


def fit(model: SymGNN, train: SkeletonFolder, steps: int) -> None:
    drawn = RandomSampler(train, replacement=True, num_samples=16 * steps)
    loader = SkeletonLoader(train, batch_size=16, sampler=drawn)
    # The prediction loss, a sum over joints and frames, is far larger.
    criterion = SymbioticLoss(0.9)
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps)
    model.train()
    for batch in tqdm(loader):
        loss = criterion(model(batch.x), batch.y, batch.future)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        schedule.step()


@torch.no_grad()
def report(model: SymGNN, test: SkeletonFolder) -> None:
    accuracy = TopKAccuracy(test.num_classes)
    shape = test.skeleton.num_joints, test.num_future
    error, still = MPJPE(*shape), MPJPE(*shape)
    inverse = test.transform.inverse
    model.eval()
    for batch in SkeletonLoader(test, batch_size=64):
        out = model(batch.x)
        accuracy.update(out.logits, batch.y)
        future = inverse(batch.future)
        error.update(inverse(out.future), future)
        still.update(inverse(batch.x[:, -1:]).expand_as(future), future)
    print(f"{len(test)} windows of held-out recordings:")
    print(f"recognised {accuracy.compute():.1%}")
    for name, metric in (("model", error), ("zero velocity", still)):
        print(f"mean joint error {metric.compute().mean():.4f} ({name})")


if __name__ == "__main__":
    main()

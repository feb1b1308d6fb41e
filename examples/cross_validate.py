"""Recognise whole recordings of CMU Mocap that were not trained on.

    python examples/cross_validate.py --data cmu_mocap.zip

The published split has only one test recording per action. Here all recordings
are split into five folds, action by action. Networks are trained for both tasks
on four folds and recognise the windows of the fifth: for each seed, one sees
joint rotations and one joint positions. Their class probabilities are averaged
over networks, and for a whole recording over its windows. Actions with a single
recording are left out. Writes recognition.json to --output.
"""

import argparse
from pathlib import Path

import torch
from lightning.pytorch import seed_everything
from shared import no_traceback, positive, write_json
from torch_geometric.transforms import Compose

from symgnn_pyg.data import SequenceStore, SkeletonLoader
from symgnn_pyg.datasets import (
    CMUMocap,
    MotionDataset,
    SkeletonArrays,
    all_windows,
)
from symgnn_pyg.files import expanded
from symgnn_pyg.metrics import TopKAccuracy
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.skeleton import joint_positions
from symgnn_pyg.training import (
    MotionDataModule,
    SymGNNTask,
    light_network,
    make_trainer,
)
from symgnn_pyg.transforms import Mirror

FOLDS = 5
KINDS = ("rotation", "position")
# The field takes every other frame of the files.
STRIDE = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    count = positive(int, 1)
    parser.add_argument(
        "--data", required=True, help="the folder or zip archive of CMU Mocap"
    )
    parser.add_argument("--observed", type=count, default=60, help="frames")
    parser.add_argument("--future", type=count, default=10, help="frames")
    parser.add_argument("--channels", type=count, nargs="+", default=[32, 64])
    parser.add_argument(
        "--kinds",
        choices=KINDS,
        nargs="+",
        default=KINDS,
        help="what the networks see of the joints",
    )
    parser.add_argument(
        "--steps", type=count, default=400, help="steps per network"
    )
    parser.add_argument("--batch-size", type=count, default=16)
    parser.add_argument("--precision", default="32")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--output", type=expanded, default=Path("outputs/cross_validate")
    )
    args = parser.parse_args()
    with no_traceback():
        run(args)


def run(args: argparse.Namespace) -> None:
    args.output.mkdir(parents=True, exist_ok=True)
    store = CMUMocap(
        args.data,
        num_observed=args.observed,
        num_future=args.future,
        allow_missing=True,
        path=args.output / "cmu.h5",
    ).store
    stores = {"rotation": store}
    if "position" in args.kinds:
        stores["position"] = positions(store, args)
    fold = deal(store)
    networks: dict[str, dict[int, torch.Tensor]] = {}
    for kind in dict.fromkeys(args.kinds):
        for seed in dict.fromkeys(args.seeds):
            found: dict[int, torch.Tensor] = {}
            for k in range(FOLDS):
                print(f"{kind}, seed {seed}, fold {k + 1} of {FOLDS}")
                train = windows(
                    stores[kind], [i for i in fold if fold[i] != k], kind, args
                )
                test = windows(
                    stores[kind], [i for i in fold if fold[i] == k], kind, args
                )
                test.transform = train.standardize()
                train.transform = Compose([Mirror(kind=kind), test.transform])
                folder = args.output / f"{kind}_{seed}" / f"fold_{k}"
                found |= recognise(fit(train, folder, seed, args), test)
            networks[f"{kind}, seed {seed}"] = found
    report(store, networks, args)


def positions(store: SequenceStore, args: argparse.Namespace) -> SequenceStore:
    """The same recordings as joint positions, by forward kinematics."""
    recordings = [store[i] for i in range(len(store))]
    return SkeletonArrays(
        [joint_positions(frames[0], store.skeleton) for frames in recordings],
        store.labels,
        store.skeleton,
        classes=store.classes,
        num_observed=args.observed,
        num_future=args.future,
        stride=STRIDE,
        path=args.output / "positions.h5",
    ).store


def deal(store: SequenceStore) -> dict[int, int]:
    """Assigns the recordings of each action to folds; returns index to fold."""
    fold: dict[int, int] = {}
    for label in range(len(store.classes)):
        own = (store.labels == label).nonzero().flatten().tolist()
        if len(own) > 1:
            fold |= {i: k % FOLDS for k, i in enumerate(own)}
    return fold


def windows(
    store: SequenceStore,
    recordings: list[int],
    kind: str,
    args: argparse.Namespace,
) -> MotionDataset:
    sizes = {
        "num_observed": args.observed,
        "num_future": args.future,
        "stride": STRIDE,
    }
    # The first row of a file is an artificial T-pose.
    chosen = all_windows(store, recordings, **sizes, skip=1)
    dataset = MotionDataset(store, chosen, **sizes)
    dataset.kind = kind
    return dataset


def fit(
    train: MotionDataset, folder: Path, seed: int, args: argparse.Namespace
) -> SymGNN:
    """Trains a network; no checkpoint is selected by the test fold."""
    seed_everything(seed, verbose=False)
    model = light_network(
        train,
        args.channels,
        dropout=0.2,
        strides=(2,) * len(args.channels),
        hidden_channels=64,
    )
    trainer = make_trainer(
        folder,
        ema=0.98,
        max_steps=args.steps,
        max_epochs=-1,
        precision=args.precision,
    )
    trainer.fit(
        SymGNNTask(model, train, prediction_criterion="pose", seed=seed),
        MotionDataModule(
            train, batch_size=args.batch_size, balanced=True, seed=seed
        ),
    )
    return model.eval()


@torch.no_grad()
def recognise(model: SymGNN, test: MotionDataset) -> dict[int, torch.Tensor]:
    """The class probabilities [N, K] of the windows of each recording."""
    # Windows one frame apart are nearly identical.
    test = test[:: test.stride]
    loader = SkeletonLoader(test, batch_size=64)
    scores = torch.cat([
        model(batch.x).logits.softmax(dim=1) for batch in loader
    ])  # fmt: skip
    recording = test.sequence_index
    return {int(i): scores[recording == i] for i in recording.unique()}


def report(
    store: SequenceStore,
    networks: dict[str, dict[int, torch.Tensor]],
    args: argparse.Namespace,
) -> None:
    recordings = next(iter(networks.values())).keys()
    mean = {
        i: torch.stack([found[i] for found in networks.values()]).mean(dim=0)
        for i in recordings
    }
    every = networks | {f"mean of {len(networks)}": mean}
    protocol = (
        f"{FOLDS} folds over {len(recordings)} recordings of CMU Mocap; "
        f"windows of {args.observed} frames; {args.steps} steps per network"
    )
    measured = {
        name: {
            "windows": accuracies(store, found),
            "recordings": accuracies(store, over_windows(found)),
        }
        for name, found in every.items()
    }
    print(protocol)
    for name, parts in measured.items():
        print(name)
        for part, cells in parts.items():
            print(
                f"{cells['count']:6} {part:10} top-1 {cells['top1']:.1%}, "
                f"top-5 {cells['top5']:.1%}"
            )
    for i, scores in over_windows(mean).items():
        if scores.argmax() != store.labels[i]:
            said = store.classes[int(scores.argmax())]
            print(f"{store.names[i]} was recognised as {said}")
    write_json(
        {"protocol": protocol, "networks": measured},
        args.output / "recognition.json",
    )


def over_windows(found: dict[int, torch.Tensor]) -> dict[int, torch.Tensor]:
    return {i: scores.mean(dim=0, keepdim=True) for i, scores in found.items()}


def accuracies(
    store: SequenceStore, scores: dict[int, torch.Tensor]
) -> dict[str, float]:
    """Top-1 and top-5 accuracy over the windows, or over the recordings."""
    labels = torch.cat(
        [store.labels[i].repeat(len(each)) for i, each in scores.items()]
    )
    cells = torch.cat([*scores.values()])
    return {"count": len(labels)} | {
        f"top{k}": TopKAccuracy(cells.size(1), k)(cells, labels).item()
        for k in (1, 5)
    }


if __name__ == "__main__":
    main()

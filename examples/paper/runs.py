"""Runs: a network is trained once, and every table takes it from there.

A run is the hash of its arguments. `runs/HASH/` holds `result.json` with the
arguments and what was measured, `model.safetensors`, `outputs.safetensors`
(class scores and labels of the test windows) and the logs; `last.ckpt` while
it lasts, from which an interrupted run goes on.
"""

import hashlib
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

import torch
from filelock import FileLock
from lightning.pytorch import seed_everything
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import Module

import symgnn_pyg
from benchmarks.rivals import RIVALS
from examples.paper.data import (
    FRAME_MS,
    OBSERVED,
    Bones,
    Data,
    NoisySupervision,
    every_nth,
)
from examples.paper.evaluate import evaluate
from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.files import replacing
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import (
    MotionDataModule,
    SafetensorsCheckpoint,
    SymGNNTask,
    make_trainer,
)

SYM_GNN = "Sym-GNN"
# How often a training is kept, to go on from when it is interrupted.
CHECKPOINT_SECONDS = 20.0
# What makes networks small enough to be trained in seconds.
SMALL_GRAPHS = {"channels": (16, 32), "strides": (1, 2), "dropout": 0.1}
SMALL: dict[str, dict[str, Any]] = {
    SYM_GNN: {
        "channels": (16, 32),
        "strides": (2, 2),
        "fusion": (1,),
        "hidden_channels": 32,
    },
    "ST-GCN": SMALL_GRAPHS,
    "AS-GCN": SMALL_GRAPHS,
    "2s-AGCN, one stream": {"channels": (16, 32), "strides": (1, 2)},
    "HCN": {"frames": 16, "hidden_channels": 64, "dropout": 0.1},
    "Res-uns": {"channels": 64},
    "LTD": {"channels": 32, "num_blocks": 2, "dropout": 0.1},
}


@dataclass(frozen=True)
class Settings:
    """How experiments are run.

    Args:
        data: :obj:`"synthetic"`, or the folder or zip archive of CMU Mocap.
        quick: Whether networks are small and trained for seconds.
        steps: The training steps. (default: 2000, and 25 in a quick run)
        seeds: The seeds, each a run of its own.
        output: Where everything is written.
    """

    data: str = "synthetic"
    quick: bool = False
    steps: int | None = None
    seeds: tuple[int, ...] = (0,)
    output: Path = Path("outputs/paper")


@dataclass(frozen=True)
class Run:
    """One training.

    Args:
        network: Sym-GNN or one of the rivals.
        variant: The arguments of the network that differ, by name.
        observed: The number of observed frames.
        future: The number of frames to predict.
        horizon: How many frames a window has behind its first 50.
        bones: Whether the network is that of the bones.
        noisy_targets: The share of shuffled futures.
        noisy_labels: The share of shuffled labels.
        seed: The seed.
    """

    network: str = SYM_GNN
    variant: tuple[tuple[str, Any], ...] = ()
    observed: int = OBSERVED
    future: int = 10
    horizon: int = 10
    bones: bool = False
    noisy_targets: float = 0.0
    noisy_labels: float = 0.0
    seed: int = 0


class Spread(NamedTuple):
    """A number as it came out with several seeds.

    Args:
        mean: The mean.
        std: The standard deviation, or :obj:`None` of a single seed.
    """

    mean: float
    std: float | None = None


def sym_gnn(**variant: Any) -> Run:
    """A run of Sym-GNN.

    Args:
        **variant: Arguments of the network, or fields of :class:`Run`.
    """
    fields = {
        name: variant.pop(name)
        for name in Run.__dataclass_fields__
        if name in variant
    }
    # Written out or not, a default makes the same network.
    default = {n: p.default for n, p in signature(SymGNN).parameters.items()}
    differ = {n: v for n, v in variant.items() if v != default[n]}
    return Run(variant=tuple(sorted(differ.items())), **fields)


class Runs:
    """Trains runs, or takes those that are finished.

    Args:
        settings: How experiments are run.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = settings.output / "runs"
        self.data = Data(settings.data, settings.output / "data")
        quick = settings.quick
        given = settings.steps
        self.steps = (25 if quick else 2000) if given is None else given
        if self.steps < 1:
            raise ValueError(f"'steps' must be at least 1, got {self.steps}")
        self.batch_size = 8 if quick else 32
        # So few steps want long ones.
        self.learning_rate = 1e-2 if quick else None
        self.validations = 1 if quick else 10
        self.validated = 32 if quick else 256
        self.used: set[str] = set()

    def results(self, run: Run) -> list[dict[str, Any]]:
        """What was measured, for each seed."""
        return [
            json.loads((self._finished(one) / "result.json").read_text())
            for one in self._seeds(run)
        ]

    def spread(
        self, run: Run, pick: Callable[[dict[str, Any]], float]
    ) -> Spread:
        """A number of a run over all seeds."""
        return spread([pick(result) for result in self.results(run)])

    def outputs(self, run: Run) -> list[dict[str, Tensor]]:
        """Class scores and labels of the test windows, for each seed."""
        return [
            load_file(self._finished(one) / "outputs.safetensors")
            for one in self._seeds(run)
        ]

    def models(self, run: Run) -> list[Module]:
        """The trained networks in evaluation mode, one for each seed."""
        models = []
        for one in self._seeds(run):
            model = self.build(one)
            folder = self._finished(one)
            model.load_state_dict(load_file(folder / "model.safetensors"))
            models.append(model.eval())
        return models

    def test(self, run: Run) -> MotionDataset | Bones:
        """The test windows of a run."""
        return self._view(self._split("test", run), run)

    def validation(self, run: Run, at_most: int = 256) -> MotionDataset | Bones:
        """Validation windows of a run, spread evenly."""
        val = every_nth(self._split("val", run), at_most)
        return self._view(val, run)

    def build(self, run: Run) -> Module:
        """A network with new weights."""
        skeleton = self.data.skeleton
        if run.bones:
            skeleton = skeleton.dual()
        kind = SymGNN if run.network == SYM_GNN else RIVALS[run.network]
        return kind(
            skeleton,
            len(self.data.classes),
            observed=run.observed,
            future=run.future,
            **self._arguments(run),
        )

    def protocol(self, setting: tuple[str, ...]) -> dict[str, object]:
        """How the numbers of the runs that were used came about.

        Args:
            setting: The data sets of the paper.
        """
        data, quick = self.data, self.settings.quick
        stands_in = f": run on {data.name}"
        missing = [
            f"{name} is not here{'' if data.name in setting else stands_in}"
            for name in setting
            if name != data.name
        ]
        windows = len(data.split("test"))
        return {
            "data of the paper": list(setting),
            "data of ours": data.identity,
            "missing": [*missing, *data.absent],
            "windows": f"{OBSERVED} frames observed, 10 or 25 predicted, one "
            f"every {FRAME_MS} ms; {windows} test windows",
            "split": "the fifth training recording of each action of CMU "
            "Mocap validates, the published windows test"
            if not data.synthetic
            else "training, validation and test sequences of SyntheticMotion",
            "training": f"{self.steps} steps of {self.batch_size} windows, "
            f"classes equally often, AdamW in one cycle up to "
            f"{self.learning_rate or '1.5e-3'}, MGDA; the best of "
            f"{self.validations} validation(s) is tested",
            "networks": f"small: {SMALL}" if quick else "light; dropout 0.1",
            "quick": quick,
            "seeds": list(self.settings.seeds),
            "runs": sorted(self.used),
        }

    def identity(self, run: Run) -> dict[str, Any]:
        """All that a run depends on."""
        return {
            **asdict(run),
            "variant": self._arguments(run),
            "data": self.data.identity,
            "steps": self.steps,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "validations": self.validations,
            "validated": self.validated,
            "version": symgnn_pyg.__version__,
        }

    def hash(self, run: Run) -> str:
        """The name of a run's folder."""
        text = json.dumps(self.identity(run), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def _arguments(self, run: Run) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if run.network == SYM_GNN:
            arguments["dropout"] = 0.1
        if self.settings.quick:
            arguments |= SMALL.get(run.network, {})
        return arguments | dict(run.variant)

    def _seeds(self, run: Run) -> list[Run]:
        return [replace(run, seed=seed) for seed in self.settings.seeds]

    def _split(self, split: str, run: Run) -> MotionDataset:
        return self.data.split(split, run.observed, run.future, run.horizon)

    def _view(self, dataset: MotionDataset, run: Run) -> MotionDataset | Bones:
        return Bones(dataset) if run.bones else dataset

    def _finished(self, run: Run) -> Path:
        """The folder of a run, after training where that is due."""
        name = self.hash(run)
        self.used.add(name)
        folder = self.folder / name
        if not (folder / "result.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            # Another command may be at the same run.
            with FileLock(folder / "lock"):
                if not (folder / "result.json").exists():
                    self._carry_out(run, folder)
        return folder

    def _carry_out(self, run: Run, folder: Path) -> None:
        print(f"  {folder.name}: {describe(run)}", flush=True)
        start = time.monotonic()
        seed_everything(run.seed, verbose=False)
        model = self.build(run)
        if any(True for _ in model.parameters()):
            self._train(model, run, folder)
        found, outputs = evaluate(model.cpu().eval(), self.test(run), self.data)
        found |= {
            "run": self.identity(run),
            "parameters": sum(p.numel() for p in model.parameters()),
            "seconds": round(time.monotonic() - start, 1),
        }
        for file, tensors in (
            ("model.safetensors", model.state_dict()),
            ("outputs.safetensors", outputs),
        ):
            with replacing(folder / file) as path:
                save_file({k: t.contiguous() for k, t in tensors.items()}, path)
        with replacing(folder / "result.json") as path:
            path.write_text(json.dumps(found, indent=2) + "\n")
        for checkpoint in ("last.ckpt", "best.ckpt"):
            (folder / checkpoint).unlink(missing_ok=True)

    # Asked for by what records no gradients, it still trains.
    @torch.enable_grad()
    def _train(self, model: Module, run: Run, folder: Path) -> None:
        train = self._view(self._split("train", run), run)
        if run.noisy_targets or run.noisy_labels:
            train = NoisySupervision(
                train, run.noisy_targets, run.noisy_labels, run.seed
            )
        task = SymGNNTask(
            model,
            train,
            learning_rate=self.learning_rate,
            metric="position" if run.bones else "angle",
            seed=run.seed,
        )
        data = MotionDataModule(
            train,
            self.validation(run, self.validated),
            batch_size=self.batch_size,
            balanced=True,
            seed=run.seed,
        )
        trainer = make_trainer(
            folder,
            checkpoint_seconds=CHECKPOINT_SECONDS,
            max_steps=self.steps,
            val_check_interval=max(1, self.steps // self.validations),
            check_val_every_n_epoch=None,
            enable_progress_bar=not self.settings.quick,
            log_every_n_steps=max(1, min(50, self.steps // 5)),
            devices=1,
        )
        last = folder / "last.ckpt"
        try:
            trainer.fit(task, data, ckpt_path=last if last.exists() else None)
        except SystemExit:
            # Which is what Lightning makes of Ctrl-C.
            raise KeyboardInterrupt from None
        best = folder / "best.ckpt"
        if best.exists():
            state = SafetensorsCheckpoint().load_checkpoint(best)["state_dict"]
            task.load_state_dict(state)


def spread(values: list[float]) -> Spread:
    """The mean of some numbers, and their standard deviation."""
    several = len(values) > 1
    return Spread(
        statistics.fmean(values), statistics.stdev(values) if several else None
    )


def describe(run: Run) -> str:
    """A run in words."""
    parts = [run.network, "of the bones" if run.bones else ""]
    parts += [f"{name}={value}" for name, value in run.variant]
    default = Run()
    parts += [
        f"{name}={value}"
        for name, value in asdict(run).items()
        if name not in ("network", "variant", "bones")
        and value != getattr(default, name)
    ]
    return " ".join(filter(None, parts))


def frame_at(milliseconds: int) -> int:
    """The index of the future frame at a time."""
    return milliseconds // FRAME_MS - 1


def average_error(result: dict[str, Any], frame: int) -> float:
    """The mean angle error at a frame, averaged over actions."""
    return statistics.fmean(e[frame] for e in result["error"].values())

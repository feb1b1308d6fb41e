"""Trains networks, each only once, for all tables that use it.

A run is identified by the hash of its arguments. `runs/HASH/` holds
`result.json` (arguments and measures), `model.safetensors`,
`outputs.safetensors` (class scores and labels of the test windows), the logs,
and until the run is finished `last.ckpt`, from which it resumes.
"""

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from filelock import FileLock, Timeout
from lightning.pytorch import seed_everything
from lightning.pytorch.callbacks import Timer
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import Module
from torch_geometric.transforms import Compose

import symgnn_pyg
from examples.paper.data import Data, NoisySupervision
from examples.paper.evaluate import evaluate
from examples.paper.measures import Spread, spread
from examples.paper.networks import arguments_of, build
from examples.paper.run import SYM_GNN, Run, describe
from examples.paper.settings import Settings, check_seeds
from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.errors import DAMAGE, DataError, check_sizes
from symgnn_pyg.files import replacing
from symgnn_pyg.nn.baselines import LinearRegression
from symgnn_pyg.training import (
    MotionDataModule,
    SafetensorsCheckpoint,
    SymGNNTask,
    load_best,
    make_trainer,
)
from symgnn_pyg.transforms import Mirror, ToBones

# The weight of recognition. MGDA's weight approaches 1 once the recognition
# loss nearly vanishes, as it does with few recordings.
WEIGHTING = 0.5
# The decay of the average of the weights that is validated and tested.
EMA = 0.99
# The highest learning rates, compared on validation windows; few steps need a
# high one.
RATE, BASELINE_RATE, QUICK_RATE = 3e-3, 1.5e-3, 1e-2


class Runs:
    """Trains runs, or loads finished ones.

    Args:
        settings: The settings.
        checkpoint_seconds: The time between two checkpoints, from which
            interrupted runs resume, in seconds. (default: :obj:`20.0`)
    """

    def __init__(
        self, settings: Settings, checkpoint_seconds: float = 20.0
    ) -> None:
        quick, given = settings.quick, settings.steps
        self.steps = (25 if quick else 2000) if given is None else given
        check_sizes(1, steps=self.steps)
        check_seeds(settings.seeds)
        self.settings = settings
        self.checkpoint_seconds = checkpoint_seconds
        self.folder = settings.output / "runs"
        self.data = Data(
            settings.data, settings.output / "data", settings.dataset
        )
        self.batch_size = 8 if quick else 16
        self.validations = 1 if quick else 10
        self.validate_every = max(1, self.steps // self.validations)
        self.validated = 32 if quick else 256
        # The results used so far, by the hashes of their runs.
        self.used: dict[str, dict[str, Any]] = {}

    def results(self, run: Run) -> list[dict[str, Any]]:
        """The measures, for each seed."""
        return [self.used[self._finished(one).name] for one in self._seeds(run)]

    def spread(
        self, run: Run, pick: Callable[[dict[str, Any]], float]
    ) -> Spread:
        """A measure of a run over all seeds."""
        return spread([pick(result) for result in self.results(run)])

    def outputs(self, run: Run) -> list[dict[str, Tensor]]:
        """Class scores and labels of the test windows, for each seed."""
        found = []
        for one in self._seeds(run):
            file = self._finished(one) / "outputs.safetensors"
            with usable(file):
                found.append(load_file(file))
        return found

    def models(self, run: Run) -> list[Any]:
        """The trained networks in evaluation mode, one for each seed."""
        models = []
        for one in self._seeds(run):
            model = self.build(one)
            file = self._finished(one) / "model.safetensors"
            with usable(file):
                model.load_state_dict(load_file(file))
            models.append(model.eval())
        return models

    def test(self, run: Run) -> MotionDataset:
        """The test windows of a run."""
        return self._view(self._split("test", run), run)

    def validation(self, run: Run, at_most: int = 256) -> MotionDataset:
        """Evenly spaced validation windows of a run."""
        val = self._split("val", run)
        return self._view(val[:: -(-len(val) // at_most)], run)

    def build(self, run: Run) -> Module:
        """A network with new weights."""
        skeleton = self.data.skeleton
        if run.bones:
            skeleton = skeleton.dual()
        num_classes = len(self.data.classes)
        return build(run, skeleton, num_classes, self.settings.quick)

    def learning_rate(self, run: Run) -> float:
        """The highest learning rate of a run."""
        if self.settings.quick:
            return QUICK_RATE
        return RATE if run.network == SYM_GNN else BASELINE_RATE

    def identity(self, run: Run) -> dict[str, Any]:
        """Everything that a run depends on."""
        return {
            **asdict(run),
            "variant": arguments_of(run, self.settings.quick),
            "data": self.data.identity,
            "steps": self.steps,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate(run),
            "validations": self.validations,
            "validated": self.validated,
            "precision": self.settings.precision,
            "weighting": WEIGHTING,
            "ema": EMA,
            "mirror": True,
            "version": symgnn_pyg.__version__,
        }

    def hash(self, run: Run) -> str:
        """The name of a run's folder."""
        text = json.dumps(self.identity(run), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def _seeds(self, run: Run) -> list[Run]:
        return [replace(run, seed=seed) for seed in self.settings.seeds]

    def _split(self, split: str, run: Run) -> MotionDataset:
        return self.data.split(
            split, run.num_observed, run.num_future, run.horizon
        )

    def _view(self, dataset: MotionDataset, run: Run) -> MotionDataset:
        if run.bones:
            dataset = copy.copy(dataset)
            dataset.transform = Compose([dataset.transform, ToBones()])
        return dataset

    def _finished(self, run: Run) -> Path:
        """The folder of a run, trained first if necessary."""
        folder = self.folder / self.hash(run)
        file = folder / "result.json"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder):
                if not file.exists():
                    self._carry_out(run, folder)
        with usable(file):
            result = json.loads(file.read_text())
            if result["run"] != json.loads(json.dumps(self.identity(run))):
                raise ValueError("it is the result of another run")
        self.used[folder.name] = result
        return folder

    def _carry_out(self, run: Run, folder: Path) -> None:
        print(f"  {folder.name}: {describe(run)}", flush=True)
        seed_everything(run.seed, verbose=False)
        model = self.build(run)
        size = sum(p.numel() for p in model.parameters())
        trained = self._train(model, run, folder) if size else {}
        if isinstance(model, LinearRegression):
            train, val = (self._split(split, run) for split in ("train", "val"))
            model.fit(SkeletonLoader(train, 256), SkeletonLoader(val, 256))
        found, outputs = evaluate(model.cpu().eval(), self.test(run), self.data)
        found |= {"run": self.identity(run), "parameters": size, **trained}
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

    # Callers may have disabled gradients.
    @torch.enable_grad()
    def _train(self, model: Module, run: Run, folder: Path) -> dict[str, Any]:
        """Trains a network; returns the seconds and the device."""
        clean = self._view(self._split("train", run), run)
        augmented = copy.copy(clean)
        kind: Any = clean.kind
        augmented.transform = Compose([Mirror(kind=kind), clean.transform])
        train: Any = augmented
        if run.noisy_targets or run.noisy_labels:
            train = NoisySupervision(
                train, run.noisy_targets, run.noisy_labels, run.seed
            )
        task = SymGNNTask(
            model,
            clean,
            weighting=WEIGHTING,
            learning_rate=self.learning_rate(run),
            metric="position" if run.bones else "angle",
            seed=run.seed,
            prediction_criterion="pose",
        )
        data = MotionDataModule(
            train,
            self.validation(run, self.validated),
            batch_size=self.batch_size,
            balanced=True,
            seed=run.seed,
        )
        # Saved in checkpoints, so that it survives interruptions.
        timer = Timer()
        trainer = make_trainer(
            folder,
            ema=EMA,
            checkpoint_seconds=self.checkpoint_seconds,
            callbacks=[timer],
            max_steps=self.steps,
            validate_every=self.validate_every,
            enable_progress_bar=not self.settings.quick,
            log_every_n_steps=max(1, min(50, self.steps // 5)),
            devices=1,
            precision=self.settings.precision,
        )
        last = folder / "last.ckpt"
        if last.exists():
            with usable(last):
                state = SafetensorsCheckpoint().load_checkpoint(last)
                task.load_state_dict(state["state_dict"])
        try:
            trainer.fit(task, data, ckpt_path=last if last.exists() else None)
        except SystemExit:
            # Lightning turns Ctrl-C into SystemExit.
            raise KeyboardInterrupt from None
        load_best(trainer, task)
        return {
            "seconds": round(timer.time_elapsed(), 1),
            "device": describe_device(trainer.strategy.root_device),
        }


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Waits while another command trains the same run, and says so."""
    lock = FileLock(folder / "lock")
    try:
        held = lock.acquire(blocking=False)
    except Timeout:
        print(f"  {folder.name}: waiting for another command", flush=True)
        held = lock.acquire()
    with held:
        yield


@contextmanager
def usable(file: Path) -> Iterator[None]:
    """Raises an error that names an unusable file and says what to do."""
    try:
        yield
    except (*DAMAGE, SafetensorError) as error:
        why = shorten(f"{type(error).__name__}: {error}", 200)
        raise DataError(
            f"{file} cannot be used ({why}); remove its folder to train the "
            f"run again"
        ) from error


def describe_device(device: torch.device) -> str:
    """A device as text."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type.upper()}, {torch.get_num_threads()} thread(s)"

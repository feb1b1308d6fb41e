"""Full batches on as many processes as torchrun starts, batch statistics
frozen: what is learned must not depend on their number. Writes the losses.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path

import torch
from lightning.pytorch import Callback

PATH = Path(__file__).with_name("tiny_run.py")
spec = importlib.util.spec_from_file_location("tiny_run", PATH)
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)


class Log(Callback):
    """Keeps the loss of each step and freezes the batch statistics."""

    def __init__(self):
        self.losses = []

    def on_train_epoch_start(self, trainer, task):
        task.model.eval()

    def on_train_batch_end(self, trainer, task, *_):
        found = trainer.callback_metrics
        self.losses.append(
            [float(found[k]) for k in ("recognition", "prediction", "alpha")]
        )


def main() -> None:
    torch.set_num_threads(1)
    folder, log = Path(sys.argv[1]), Log()
    rank = os.environ.get("RANK", 0)
    task, data, trainer = tiny.make_run(
        folder,
        max_epochs=5,
        callbacks=[log],
        devices=int(os.environ.get("LOCAL_WORLD_SIZE", 1)),
        data={"batch_size": 20},
        transform=False,
    )
    trainer.fit(task, data)
    (folder / f"losses_{rank}.json").write_text(json.dumps(log.losses))


if __name__ == "__main__":
    main()

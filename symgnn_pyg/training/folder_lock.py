import errno
from pathlib import Path

from filelock import FileLock, Timeout
from lightning.pytorch import Callback, LightningModule, Trainer

from symgnn_pyg.errors import warn

# The errors of file systems without locks.
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


class FolderLock(Callback):
    r"""Refuses a folder that another training is writing to."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.lock: FileLock | None = None

    def setup(
        self, trainer: Trainer, task: LightningModule, stage: str
    ) -> None:
        if stage != "fit" or not trainer.is_global_zero:
            return
        self.output.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.output / "training.lock")
        try:
            # The system releases it when the process ends, however it ends.
            lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(
                f"Another training is writing to {self.output}: pass another "
                f"'output', or wait until it has ended. If none is running, "
                f"delete {lock.lock_file}"
            ) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            warn(
                f"The file system of {self.output} has no locks: start only "
                f"one training in it"
            )
            return
        self.lock = lock

    def teardown(self, *_: object, **__: object) -> None:
        if self.lock is not None:
            self.lock.release()
            self.lock = None

    on_exception = teardown

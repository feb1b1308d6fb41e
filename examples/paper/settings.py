"""The settings of all experiments."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Settings of all experiments.

    Args:
        data: :obj:`"synthetic"`, or the folder or zip archive of a data set.
        quick: Whether to train small networks for seconds.
        steps: The training steps. (default: 2000, and 25 in a quick run)
        seeds: The seeds, one run each.
        output: The folder for all output.
        precision: Lightning's name for the precision of training; tests run
            in float32. (default: :obj:`"32"`)
        dataset: The data set, :obj:`"cmu"` or :obj:`"h36m"`.
            (default: :obj:`"cmu"`)
    """

    data: str = "synthetic"
    quick: bool = False
    steps: int | None = None
    seeds: tuple[int, ...] = (0,)
    output: Path = Path("outputs/paper")
    precision: str = "32"
    dataset: str = "cmu"


def check_seeds(seeds: tuple[int, ...]) -> None:
    """Raises an error for repeated or invalid seeds."""
    for seed in seeds:
        if not 0 <= seed < 2**32:
            raise ValueError(f"'seed' must be 0 to 2^32 - 1, got {seed}")
        if seeds.count(seed) > 1:
            raise ValueError(
                f"'seed' {seed} was passed {seeds.count(seed)} times"
            )

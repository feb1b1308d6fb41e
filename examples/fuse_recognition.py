"""Average what several networks say about the same recordings.

    python examples/fuse_recognition.py outputs/recognition outputs/bandai_namco

Takes folders that train_recognition.py or bandai_namco.py wrote, and averages
the class probabilities in their scores.csv. Networks that see different things
fail on different recordings: one that sees whole recordings, stretched to one
length, cannot tell how fast they are, and one that sees windows cannot tell how
they go on. Writes recognition.json, confusion.png and scores.csv to --output.
"""

import argparse
from pathlib import Path

import torch
from recognition_report import read_scores, report
from shared import no_traceback

from symgnn_pyg.files import expanded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=expanded, nargs="+", metavar="folder")
    parser.add_argument(
        "--output", type=expanded, default=Path("outputs/fused")
    )
    args = parser.parse_args()
    with no_traceback():
        run(args)


def run(args: argparse.Namespace) -> None:
    folders = [folder.resolve() for folder in (*args.folders, args.output)]
    if len(set(folders)) < len(folders):
        raise ValueError("Expected different folders, and another --output")
    first, *others = (read_scores(f / "scores.csv") for f in args.folders)
    classes, expected, _ = first
    for folder, other in zip(args.folders[1:], others, strict=True):
        if other[:2] != first[:2]:
            raise ValueError(
                f"Expected the same classes and recordings in {folder} and "
                f"{args.folders[0]}"
            )
    names, labels = [*expected], torch.tensor([*expected.values()])
    total = torch.tensor([
        [found[name] for name in names] for _, _, found in (first, *others)
    ])  # fmt: skip
    scores = total.sum(dim=0).log()
    fused = [str(folder) for folder in args.folders]
    report(
        "recordings", names, scores, labels, classes, args.output, fused=fused
    )
    print(f"Wrote {args.output}/")


if __name__ == "__main__":
    main()

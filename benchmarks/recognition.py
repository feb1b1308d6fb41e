"""Recognition of two-body sequences by ST-GCN, as its field measures it.

    python -m benchmarks.recognition --threads 1

The shape is that of pyskl (https://github.com/kennymckormick/pyskl): 16
samples of two bodies and 100 frames, the 25 joints and 60 classes of
NTU-RGB+D, ST-GCN with the ten blocks of its published code. On an Intel
i7-11800H pyskl reports 13.8 samples per second for ST-GCN, 8.9 for ST-GCN++
and 7.2 for CTR-GCN. Absolute speeds of different machines cannot be compared;
the ratio is between the same network, with the same weights, on this
library's operators and on those of the field's published code.
"""

from statistics import quantiles

import torch

from benchmarks.measure import agree, interleaved, ratios
from benchmarks.report import Table, arguments, write
from benchmarks.rivals.st_gcn import RivalSTGCN
from symgnn_pyg import Skeleton
from symgnn_pyg.nn.baselines import STGCN
from symgnn_pyg.testing import randomise_state

CLASSES, BODIES, FRAMES, SAMPLES = 60, 2, 100, 16
CHANNELS = (64,) * 4 + (128,) * 3 + (256,) * 3
STRIDES = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)
OURS, RIVAL = "symgnn_pyg", "the field's operators"


def main() -> None:
    args = arguments(__doc__)
    samples, frames = (2, 20) if args.quick else (SAMPLES, FRAMES)
    skeleton = Skeleton.get("ntu25")
    model = STGCN(skeleton, CLASSES, channels=CHANNELS, strides=STRIDES)
    # New running statistics and masks would hide a difference.
    randomise_state(model).eval()
    rival = RivalSTGCN(model).eval()
    theirs = torch.randn(samples, BODIES, frames, skeleton.num_joints, 3)
    ours = theirs.transpose(2, 3).flatten(0, 2).contiguous()  # [N*B*V, T, C]
    num_bodies = torch.full((samples,), BODIES)
    candidates = {
        OURS: lambda: model(ours, num_bodies).logits,
        RIVAL: lambda: rival(theirs),
    }
    with torch.inference_mode():
        agree({RIVAL: candidates[RIVAL]()}, candidates[OURS]())
        repeats, seconds = (3, 2.0) if args.quick else (11, 120.0)
        times = interleaved(candidates, repeats, seconds)
    against = ratios(times, RIVAL)
    table = Table(
        f"ST-GCN on {samples} samples of {BODIES} bodies and {frames} frames "
        f"(median and quartiles)",
        ["operators", "samples per second", "time as a ratio"],
    )
    for name, values in times.items():
        speed = quantiles([samples / value for value in values], n=4)
        table.add(name, tuple(speed), against[name])
    write(args, [table])


if __name__ == "__main__":
    main()

"""Made-up recordings in the form of Human3.6M."""

import numpy as np

from symgnn_pyg.datasets.human36m import ACTIONS

# The shortest recording of subject 5 has 333 frames.
FRAMES = {"S1": 160, "S5": 340, "S11": 160}


def write_human36m(root):
    """Two takes of each action by three subjects. Every joint swings, faster
    from action to action, and each recording starts at another moment."""
    for a, action in enumerate(ACTIONS):
        time = np.arange(2 * sum(FRAMES.values()))[:, np.newaxis]
        columns = np.arange(99)
        table = 0.4 * np.sin((0.05 + 0.01 * a) * time + columns**2)
        lines = [",".join(["%.4f"] * 99) % tuple(row) for row in table]
        for subject, rows in FRAMES.items():
            (root / subject).mkdir(parents=True, exist_ok=True)
            for take in (1, 2):
                path = root / subject / f"{action}_{take}.txt"
                path.write_text("\n".join(lines[:rows]))
                del lines[:rows]

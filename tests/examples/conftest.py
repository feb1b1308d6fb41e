import sys
from pathlib import Path

# Where scripts find what they share, as when they are started as such.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

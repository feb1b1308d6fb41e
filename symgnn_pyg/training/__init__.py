from symgnn_pyg.deprecated import accept_old_names
from symgnn_pyg.errors import requires_extra

with requires_extra("train"):
    from symgnn_pyg.training.evaluate import evaluate
    from symgnn_pyg.training.light_network import DEFAULT_HEAD, light_network
    from symgnn_pyg.training.motion_data_module import MotionDataModule
    from symgnn_pyg.training.recipes import RECIPES
    from symgnn_pyg.training.safetensors_checkpoint import SafetensorsCheckpoint
    from symgnn_pyg.training.symgnn_task import SymGNNTask
    from symgnn_pyg.training.trainer import load_best, make_trainer
    from symgnn_pyg.training.training_bar import TrainingBar

__all__ = [
    "DEFAULT_HEAD",
    "RECIPES",
    "MotionDataModule",
    "SafetensorsCheckpoint",
    "SymGNNTask",
    "TrainingBar",
    "evaluate",
    "light_network",
    "load_best",
    "make_trainer",
]

accept_old_names(globals())

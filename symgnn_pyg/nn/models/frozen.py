from torch.nn import BatchNorm1d, BatchNorm2d, Module, SyncBatchNorm

BATCH_NORMS = (BatchNorm1d, BatchNorm2d, SyncBatchNorm)


def keep_frozen_statistics(model: Module) -> None:
    r"""Puts frozen batch normalisations in evaluation mode: layers whose
    weights are not trained would otherwise still change their running
    statistics.
    """
    for module in model.modules():
        if isinstance(module, BATCH_NORMS):
            weights = list(module.parameters())
            if weights and not any(w.requires_grad for w in weights):
                module.eval()

from torch.nn import BatchNorm1d, BatchNorm2d, Module, SyncBatchNorm

BATCH_NORMS = (BatchNorm1d, BatchNorm2d, SyncBatchNorm)


def keep_frozen_statistics(model: Module) -> None:
    r"""Puts frozen batch normalisations of a network in training mode in
    evaluation mode: layers whose weights are not trained would otherwise still
    change their running statistics. Those that were released since return to
    training mode.
    """
    for module in model.modules():
        if not isinstance(module, BATCH_NORMS):
            continue
        weights = list(module.parameters())
        frozen = bool(weights) and not any(w.requires_grad for w in weights)
        if module.training:
            # Tells them from layers that were put in evaluation mode otherwise.
            module.keeps_statistics = frozen  # type: ignore[assignment]
            module.train(not frozen)
        elif model.training and not frozen:
            module.train(getattr(module, "keeps_statistics", False))

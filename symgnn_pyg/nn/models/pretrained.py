import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import load_file, save_file
from torch.nn import Module
from torch_geometric.nn.inits import reset

from symgnn_pyg import __version__
from symgnn_pyg.deprecated import current_arguments
from symgnn_pyg.errors import DataError, data_error, warn
from symgnn_pyg.files import replacing
from symgnn_pyg.nn.conv.masked_graph import MaskedGraph
from symgnn_pyg.nn.models.frozen import BATCH_NORMS, keep_frozen_statistics
from symgnn_pyg.nn.models.pretrained_files import (
    CONFIG,
    WEIGHTS,
    check_classes,
    check_cost,
    check_weights,
    pretrained_folder,
    read_config,
    to_json,
)
from symgnn_pyg.skeleton import Skeleton, as_skeleton


class Pretrained(Module):
    r"""The base class of networks that can be saved in a folder, in the
    convention of the Hugging Face Hub: :obj:`config.json` describes how to
    build the network, and :obj:`model.safetensors` holds its weights. Loading
    them runs no code.

    A subclass sets its :attr:`skeleton` and calls
    :obj:`self._keep_arguments(locals())` in its constructor before it has any
    other local variables, or it overrides :meth:`to_config` and
    :meth:`from_config`.
    """

    arguments: dict[str, Any]
    about: dict[str, Any]
    skeleton: Skeleton
    # What did not fit when the network was loaded with other arguments.
    new_weights: Sequence[str] = ()

    def _keep_arguments(self, given: Mapping[str, Any]) -> None:
        self.arguments = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if name not in ("self", "__class__")
        }

    def to_config(self) -> dict[str, Any]:
        r"""The arguments of the network in JSON types."""
        return {**self.arguments, "skeleton": self.skeleton.to_dict()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        r"""Builds a network with new weights.

        Args:
            config: The output of :meth:`to_config`.
        """
        with torch.device("cpu"):
            skeleton = Skeleton(**config["skeleton"])
        return cls(**{**current_arguments(config), "skeleton": skeleton})

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        for module in self.children():
            reset(module)

    def train(self, mode: bool = True) -> Self:
        r"""Sets the mode as :meth:`torch.nn.Module.train` does, except that
        frozen batch normalisations, whose weights have
        :obj:`requires_grad=False`, stay in evaluation mode and keep their
        running statistics.

        Args:
            mode: Whether to set training mode. (default: :obj:`True`)
        """
        super().train(mode)
        keep_frozen_statistics(self)
        return self

    def fits(self, skeleton: Skeleton) -> bool:
        r"""Whether the network was built for a skeleton.

        Args:
            skeleton: The skeleton.
        """
        return skeleton.fingerprint == self.skeleton.fingerprint

    def save_pretrained(
        self,
        folder: str | os.PathLike[str],
        dtype: torch.dtype | None = None,
        **about: Any,
    ) -> None:
        r"""Saves the network.

        Args:
            folder: The folder, which is created if it is missing.
            dtype: The data type for floating-point weights, such as
                :obj:`torch.half` for half the size. (default: unchanged)
            **about: Further entries of :obj:`config.json`, such as the names
                of the classes, the normalisation of the data, or results.
                Arrays and tensors are saved as lists.

        Raises:
            TypeError: If :obj:`about` has entries that JSON cannot hold.
            ValueError: If the network exceeds the limits for loading: 1000
                joints, 5000 frames to predict, and 100 blocks, orders, hops
                and iterations; or if modules were replaced, so that its
                arguments no longer build it.
        """
        config = {
            "library_name": "symgnn_pyg",
            "library_version": __version__,
            "class": type(self).__name__,
            "arguments": self.to_config(),
            "about": about,
        }
        self._check_modules(config)
        text = json.dumps(config, indent=2, default=to_json) + "\n"
        check_cost(json.loads(text)["arguments"])
        weights = {
            name: tensor.detach()
            .to(
                device="cpu",
                dtype=dtype if tensor.is_floating_point() else None,
            )
            .contiguous()
            for name, tensor in self.state_dict().items()
        }
        with replacing(Path(folder) / WEIGHTS) as path:
            save_file(weights, path)
        with replacing(Path(folder) / CONFIG) as path:
            path.write_text(text)

    @classmethod
    def from_pretrained(
        cls,
        folder_or_id: str | os.PathLike[str],
        skeleton: Skeleton | str | None = None,
        revision: str | None = None,
        subfolder: str | None = None,
        **changes: Any,
    ) -> Self:
        r"""Loads a network that :meth:`save_pretrained` saved. The network is
        in evaluation mode, and its :attr:`about` holds the further entries.

        Arguments that differ from those of the saved network build another
        one for fine-tuning. It keeps the weights that fit
        (:meth:`load_fitting_weights`); a warning and :attr:`new_weights` list
        the others, and entries of :attr:`about` that no longer hold are
        dropped.

        Args:
            folder_or_id: The folder, the name of weights that come with the
                library (:obj:`"cmu-light-long"`, :obj:`"cmu-light-short"`), or
                the id of a repository on the Hugging Face Hub, which requires
                :obj:`huggingface_hub`. They are tried in this order.
            skeleton: The skeleton. Another one than that of the saved network
                builds another network, as any other argument does.
                (default: that of the saved network)
            revision: The revision of the repository. (default: the latest)
            subfolder: The folder of the network within the folder or the
                repository. (default: the folder itself)
            **changes: Other arguments than those of the saved network, such as
                :obj:`num_classes` or :obj:`num_future`.

        Raises:
            DataError: If the files are damaged, hold another network, or were
                saved by a newer version.
            FileNotFoundError: If there is no such folder.
            TypeError: If the network has no such argument.
        """
        changes = current_arguments(changes, cls.__name__)
        folder = pretrained_folder(folder_or_id, revision, subfolder)
        config = read_config(folder / CONFIG)
        if config["class"] != cls.__name__:
            raise DataError(
                f"Expected a {cls.__name__} in {folder}, got a "
                f"{config['class']}; load it with that class"
            )
        # Built without memory, so that a malicious configuration cannot
        # allocate more than its weights need.
        with torch.device("meta"):
            outline = cls._build(config, folder / CONFIG)
        check_weights(folder / WEIGHTS, outline)
        model = cls._build(config, folder / CONFIG)
        with data_error(f"{folder / WEIGHTS} does not fit the network"):
            model.load_state_dict(load_file(folder / WEIGHTS))
        if skeleton is not None:
            skeleton = as_skeleton(skeleton)
            if not model.fits(skeleton):
                changes["skeleton"] = skeleton
        if changes:
            model = model._changed(changes)
        return model.eval()

    def load_fitting_weights(self, other: Module) -> list[str]:
        r"""Takes the weights of another network that have the same name and
        shape and, if the skeletons differ, do not belong to joints: the masks
        of graphs stay as they are.

        Args:
            other: The other network.

        Returns:
            The names of the weights that were not taken.
        """
        skeleton = getattr(other, "skeleton", self.skeleton)
        of_joints: set[str] = set()
        if not self.fits(skeleton):
            of_joints = {
                f"{name}.mask"
                for name, module in self.named_modules()
                if isinstance(module, MaskedGraph)
            }
        state = {
            name: tensor
            for name, tensor in self.state_dict().items()
            if not name.endswith("skeleton_id")
        }
        found = other.state_dict()
        fitting = {
            name: found[name]
            for name, tensor in state.items()
            if name in found
            and found[name].shape == tensor.shape
            and name not in of_joints
        }
        self.load_state_dict(fitting, strict=False)
        return [name for name in state if name not in fitting]

    def _changed(self, changes: dict[str, Any]) -> Self:
        r"""A network with other arguments and the weights that fit."""
        config = self._changed_config(self.to_config(), changes)
        check_cost(config)
        model = self.from_config(config)
        model.new_weights = model.load_fitting_weights(self)
        stale = {"metrics"} if model.new_weights else set()
        if "num_classes" in changes:
            stale |= {"classes", "trained"}
        if "skeleton" in changes:
            stale |= {"mean", "std"}
        if "num_observed" in changes:
            stale |= {"num_observed"}
        model.about = {
            name: value
            for name, value in self.about.items()
            if name not in stale
        }
        if model.new_weights:
            warn(
                f"These weights do not fit and are new: "
                f"{', '.join(model.new_weights)}",
            )
        return model

    @classmethod
    def _changed_config(
        cls, config: dict[str, Any], changes: dict[str, Any]
    ) -> dict[str, Any]:
        changes = dict(changes)
        if "skeleton" in changes:
            changes["skeleton"] = changes["skeleton"].to_dict()
        return {**current_arguments(config), **changes}

    def _check_modules(self, config: dict[str, Any]) -> None:
        with torch.device("meta"):
            outline = self.from_config(config["arguments"])
        found, expected = _shapes(self), _shapes(outline)
        differing = sorted(
            name
            for name in found.keys() | expected.keys()
            if found.get(name) != expected.get(name)
        )
        if differing:
            raise ValueError(
                f"The arguments of the network do not build its modules "
                f"{', '.join(differing[:5])}, so it could not be loaded; build "
                f"it with other arguments, such as from_pretrained(..., "
                f"num_classes=...) for another head, or save its state_dict"
            )

    @classmethod
    def _build(cls, config: dict[str, Any], path: Path) -> Self:
        with data_error(f"{path} does not describe a network"):
            check_cost(config["arguments"])
            model = cls.from_config(config["arguments"])
            model.about = dict(config["about"])
            check_classes(model.about.get("classes"))
        return model


def _shapes(model: Module) -> dict[str, object]:
    r"""The types of modules and the shapes of weights, by name."""
    # Synchronised batch normalisation has the weights of the plain one.
    found: dict[str, object] = {
        name: BATCH_NORMS if isinstance(module, BATCH_NORMS) else type(module)
        for name, module in model.named_modules()
        if name
    }
    for name, tensor in model.state_dict().items():
        found[name] = tuple(tensor.shape)
    return found

"""What CONTRIBUTING.md says about imports holds."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "symgnn_pyg"
ROW = re.compile(r"^\| (`.*?) \|.*\| (.*?) \|$", re.M)
OURS = re.compile(r"symgnn_pyg\.(\w+)")


def names(cell):
    return {
        name.removesuffix("/").removesuffix(".py")
        for name in re.findall(r"`([^`]+)`", cell)
    }


ROWS = [
    (names(of), names(allowed))
    for of, allowed in ROW.findall((ROOT / "CONTRIBUTING.md").read_text())
]
MODULES = {
    path.stem
    for path in PACKAGE.iterdir()
    if (path.is_dir() or path.suffix == ".py") and path.stem[0] != "_"
}


def imported(path):
    """The full names that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_each_module_is_in_one_row():
    listed = [name for of, _ in ROWS for name in of]
    assert sorted(listed) == sorted(MODULES)
    assert set().union(*(allowed for _, allowed in ROWS)) <= MODULES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(sorted(row[0])))
def test_imports_are_those_that_the_row_allows(row):
    of, allowed = row
    for name in of:
        folder = PACKAGE / name
        files = folder.rglob("*.py") if folder.is_dir() else [f"{folder}.py"]
        for path in map(Path, files):
            found = (OURS.match(full) for full in imported(path))
            used = MODULES.intersection(ours[1] for ours in found if ours)
            assert used <= of | allowed, path.relative_to(ROOT)


# What else a file takes from another folder.
EXCEPTIONS = {
    # Takes the blocks of a network apart.
    "symgnn_pyg/inference/fold.py": {
        "nn.conv.channel_norm.ChannelNorm",
        "nn.conv.graph_temporal_block.GraphTemporalBlock",
        "nn.conv.hooks.has_hooks",
        "nn.conv.masked_graph.MaskedGraph",
    },
    # Reads the library's own files as strictly as those of strangers.
    "symgnn_pyg/data/sequence_shard.py": {
        "io.hdf5.opened",
        "io.hdf5.plain_array",
    },
    # Offer the arguments of SkeletonFolder as options.
    "symgnn_pyg/cli/evaluate.py": {"datasets.windows.SPLITS"},
    "symgnn_pyg/cli/folder.py": {
        "datasets.sampling.SHARES",
        "datasets.windows.SPLITS",
    },
    # Are networks around others, whose format on disk they keep.
    "symgnn_pyg/inference/average_network.py": {
        "nn.models.pretrained.Pretrained",
    },
    "symgnn_pyg/inference/mirror_average.py": {
        "nn.fixed_buffers.FixedBuffers",
    },
    "symgnn_pyg/inference/pose_model.py": {
        "nn.models.pretrained_files.CONFIG",
        "nn.models.pretrained_files.check_cost",
        "nn.models.pretrained_files.pretrained_folder",
        "nn.models.pretrained_files.read_config",
    },
    "symgnn_pyg/inference/pose_network.py": {"nn.batch.sample_of_body"},
    # Trains networks of other libraries, too, which do not do it themselves.
    "symgnn_pyg/training/symgnn_task.py": {
        "nn.models.frozen.keep_frozen_statistics",
    },
    # Names the type in signatures.
    "docs/conf.py": {"visualization.arrays.ArrayLike"},
    # Have the colours of the library's pictures.
    "benchmarks/chart.py": {
        "visualization.colours.BLUE",
        "visualization.colours.GREY",
    },
    "examples/paper/__main__.py": {"visualization.colours.CYCLE"},
    "examples/paper/render.py": {
        "visualization.colours.BLUE",
        "visualization.colours.GREY",
    },
    # Measures both ways to sum rows on the same device.
    "benchmarks/edges.py": {
        "ops.edge_mix._mix",
        "ops.edge_sums.sum_segments",
    },
    "benchmarks/parity.py": {
        "ops.edge_mix._mix",
        "ops.edge_sums.sum_segments",
    },
    # Rebuilds a network from its modules.
    "benchmarks/rivals/sym_gnn.py": {"nn.conv.channel_norm.ChannelNorm"},
}


def public(folder):
    found = set()
    for init in (PACKAGE / folder).rglob("__init__.py"):
        parts = init.parent.relative_to(ROOT).parts
        module = import_module(".".join(parts))
        found |= {parts[-1], *getattr(module, "__all__", ())}
    return found


def test_only_public_names_are_imported_from_other_folders():
    folders = {path.name: public(path.name) for path in PACKAGE.iterdir()
               if (path / "__init__.py").exists()}  # fmt: skip
    taken = {}
    for folder in ("symgnn_pyg", "benchmarks", "examples", "docs"):
        for path in (ROOT / folder).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            for full in imported(path):
                _, _, inner = full.partition("symgnn_pyg.")
                room, _, rest = inner.partition(".")
                if not rest or room not in folders:
                    continue
                if name.startswith(f"symgnn_pyg/{room}/"):
                    continue
                listed = getattr(
                    import_module(full.rpartition(".")[0]), "__all__", ()
                )
                last = full.rpartition(".")[2]
                if last not in folders[room] | {*listed}:
                    taken.setdefault(name, set()).add(inner)
    assert taken == EXCEPTIONS

"""What does not need Triton to run: which calls go to it, that its code can be
compiled for GPUs, and the cases of its interpreter, in a process of their own.
"""

import importlib
import logging
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch.torch_version import TorchVersion

from symgnn_pyg import ops
from symgnn_pyg.ops import triton as fused
from symgnn_pyg.typing import WITH_TRITON

needs_triton = pytest.mark.skipif(
    not WITH_TRITON, reason="Triton is not installed"
)
OLD_TORCH = torch.__version__ < "2.12"
HERE = Path(__file__).parent
graph_mix = importlib.import_module("symgnn_pyg.ops.graph_mix")


def inputs(v=3, dtype=torch.float):
    x = torch.randn(2 * v, 5, 4, dtype=dtype)
    return x, [torch.randn(v, v, dtype=dtype)], torch.randn(1, 4, 6).to(dtype)


# Calls that go to the dense kernel ###########################################


@pytest.fixture
def logged(caplog):
    fused._log_once.cache_clear()
    with caplog.at_level(logging.WARNING, "symgnn_pyg"), ops.use("triton"):
        yield caplog
    fused._log_once.cache_clear()


@pytest.mark.parametrize(
    ("installed", "arguments", "reason"),
    [
        (False, {}, "Triton is not installed"),
        (True, {}, "on the device 'cpu'"),
        (True, {"dtype": torch.double}, "of type torch.float64"),
        (True, {"v": 65}, "more than 64 joints"),
    ],
)
def test_falls_back_and_says_so_once(
    logged, monkeypatch, installed, arguments, reason
):
    monkeypatch.setattr(fused, "WITH_TRITON", installed)
    monkeypatch.setattr(fused, "_is_interpreted", lambda: "cpu" not in reason)
    x, graphs, weight = inputs(**arguments)
    found = [ops.graph_mix(x, graphs, weight) for _ in range(2)]
    with ops.use("dense"):
        expected = ops.graph_mix(x, graphs, weight)
    assert torch.equal(found[0], expected)
    assert torch.equal(found[1], expected)
    (message,) = logged.messages
    assert reason in message


def test_each_reason_is_logged(logged, monkeypatch):
    monkeypatch.setattr(fused, "WITH_TRITON", True)
    monkeypatch.setattr(fused, "_is_interpreted", lambda: True)
    for _ in range(2):
        ops.graph_mix(*inputs(dtype=torch.double))
        ops.graph_mix(*inputs(v=65))
    assert len(logged.messages) == 2


def test_torch_says_that_types_differ(logged, monkeypatch):
    monkeypatch.setattr(fused, "WITH_TRITON", True)
    monkeypatch.setattr(fused, "_is_interpreted", lambda: True)
    x, graphs, weight = inputs()
    with pytest.raises(RuntimeError, match="dtype"):
        ops.graph_mix(x, graphs, weight.bfloat16())


def test_a_compiled_call_falls_back(logged):
    torch.compiler.reset()
    x, graphs, weight = inputs(dtype=torch.double)
    compiled = torch.compile(ops.graph_mix, fullgraph=True, backend="aot_eager")
    with ops.use("triton"):
        found = compiled(x, graphs, weight)
    with ops.use("dense"):
        torch.testing.assert_close(found, ops.graph_mix(x, graphs, weight))
    # Old compilers leave out what is logged.
    assert len(logged.messages) == (0 if OLD_TORCH else 1)


@pytest.fixture
def matmul():
    before = torch.backends.cuda.matmul.fp32_precision
    yield torch.backends.cuda.matmul
    torch.backends.cuda.matmul.fp32_precision = before


@needs_triton
@pytest.mark.parametrize("precision", ["ieee", "tf32"])
def test_precision_is_that_of_torch(matmul, precision):
    from symgnn_pyg.ops.triton import launch

    matmul.fp32_precision = precision
    tiles = launch._tiles(torch.ones(1, 1, 1), [3], 64, 64)
    assert tiles["PRECISION"] == precision


def test_the_table_for_gpus_goes_by_channels():
    table = ((64, "triton"), (128, "stacked"), (sys.maxsize, "dense"))
    found = [graph_mix._choose_on_gpu(c, table) for c in (1, 64, 65, 128, 129)]
    assert found == ["triton", "triton", "stacked", "stacked", "dense"]


@pytest.fixture
def on_gpu(monkeypatch):
    monkeypatch.setattr(fused, "WITH_TRITON", True)

    def make(capability):
        monkeypatch.setattr(
            torch.cuda, "get_device_capability", lambda device: capability
        )
        return (torch.empty(size, device="cuda") for size in [(6, 5, 4), (9,)])

    with FakeTensorMode():
        yield make


@pytest.mark.parametrize(
    ("capability", "device", "reason"),
    [
        ((7, 5), "cuda", "no tensor cores"),
        ((9, 0), "cpu", "differ in device"),
        ((9, 0), "cuda", None),
    ],
)
def test_which_calls_on_gpus_it_is_for(on_gpu, capability, device, reason):
    x, graphs = on_gpu(capability)
    weight = torch.empty(1, 4, 6, device=device)
    found = fused._obstacle(x, graphs, weight, [3])
    assert found is None if reason is None else reason in found


@needs_triton
def test_unequal_sizes_are_not_captured(on_gpu, monkeypatch):
    from symgnn_pyg.ops.triton import launch

    x, _ = on_gpu((9, 0))
    monkeypatch.setattr(torch.cuda, "device_of", lambda x: nullcontext())
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    assert launch._samples(x, 1, [3]) == (None, 3)
    with pytest.raises(RuntimeError, match="batches of equal sizes"):
        launch._samples(x, 1, [2, 4])


# Code for GPUs ###############################################################


class Launches:
    """Stands for a kernel, and keeps what it is called with."""

    def __init__(self, kernel):
        self.kernel, self.calls = kernel, []

    def __getitem__(self, programs):
        return self

    def __call__(self, *arguments, **meta):
        names = self.kernel.arg_names[: len(arguments)]
        self.calls.append((dict(zip(names, arguments, strict=True)), meta))


TYPES = {
    torch.float: "fp32",
    torch.bfloat16: "bf16",
    torch.half: "fp16",
    torch.long: "i64",
}


def compiled_code(kernel, arguments, meta, config, architecture):
    """As Triton does for a call on a GPU."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    constants = {**meta, **config.kwargs}
    signature, attributes = {}, {}
    for place, name in enumerate(kernel.arg_names):
        value = arguments.get(name)
        if isinstance(value, torch.Tensor):
            signature[name] = f"*{TYPES[value.dtype]}"
        elif value is None or value == 1:
            signature[name] = "constexpr"
            constants.setdefault(name, value)
            continue
        else:
            signature[name] = "i32"
        if isinstance(value, torch.Tensor) or value % 16 == 0:
            attributes[place,] = [["tt.divisibility", 16]]
    return triton.compile(
        ASTSource(kernel.fn, signature, constants, attributes),
        target=GPUTarget("cuda", architecture, 32),
        options={
            "num_warps": config.num_warps,
            "num_stages": config.num_stages,
        },
    )


KERNELS = ("mix", "graph_gradient", "weight_gradient")
# Bytes of memory that programs of one multiprocessor share.
SHARED = {80: 163 * 2**10, 90: 227 * 2**10}


@needs_triton
@pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION")
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(
    ("architecture", "dtype", "precision", "sizes"),
    [
        (90, torch.float, "ieee", [25]),
        (90, torch.float, "tf32", [25]),
        (90, torch.bfloat16, "ieee", [25]),
        (90, torch.half, "ieee", [18, 32]),
        (90, torch.bfloat16, "ieee", [64]),
        (80, torch.float, "tf32", [25]),
        (80, torch.bfloat16, "ieee", [18, 32]),
    ],
)
def test_code_for_gpus_fits(
    monkeypatch, tmp_path, matmul, name, architecture, dtype, precision, sizes
):
    import triton

    from symgnn_pyg.ops.triton import kernels

    assembler = Path(triton.__file__).parent / "backends/nvidia/bin/ptxas"
    if bool(kernels.INTERPRETED) or not assembler.exists():
        pytest.skip("Triton has no assembler, or interprets")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    matmul.fp32_precision = precision
    launches = {}
    for each in KERNELS:
        launches[each] = Launches(getattr(kernels, each))
        monkeypatch.setattr(kernels, each, launches[each])
    kernel = launches[name].kernel
    x = torch.ones(2 * sum(sizes), 75, 64, dtype=dtype)
    sizes = sizes if len(sizes) == 1 else 2 * sizes
    squares = sum(v**2 for v in sizes) * (2 if len(sizes) == 1 else 1)
    entries = x.new_ones(3 * squares)
    inputs = x, entries, x.new_ones(3, 64, 128), sizes
    grad = torch.ops.symgnn_pyg.graph_mix_triton(*inputs)
    needs = [True, True, True]
    torch.ops.symgnn_pyg.graph_mix_triton_backward(grad, *inputs, needs)
    for arguments, meta in launches[name].calls:
        configs = kernel.early_config_prune(kernel.configs, arguments, **meta)
        # What decides the order of sums is not for a clock to choose.
        assert name == "mix" or len(configs) == 1
        largest = max(configs, key=lambda c: (c.num_warps, c.num_stages))
        code = compiled_code(kernel, arguments, meta, largest, architecture)
        assert code.metadata.shared <= SHARED[architecture]
        on_tensor_cores = "mma" in code.asm["ptx"]
        assert on_tensor_cores == (dtype != torch.float or precision == "tf32")


# The interpreter #############################################################


@needs_triton
@pytest.mark.skipif(
    OLD_TORCH and TorchVersion(np.__version__) >= "2.4",
    reason="Its Triton cannot interpret loops with this NumPy",
)
def test_in_the_interpreter():
    """Triton must know before it is imported that it is to interpret."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(HERE / "triton_cases.py")],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_is_for_those_who_ask_for_it():
    """Until a GPU has timed it."""
    assert {name for _, name in graph_mix.ON_GPU} == {"dense"}

import pytest
import torch

from symgnn_pyg.ops import product as module
from symgnn_pyg.ops.product import linear, matmul, onednn_is_faster, product

M, K, N = 33, 7, 12
DTYPES = [torch.float32, torch.float64]


@pytest.fixture(params=[False, True], ids=["blas", "onednn"])
def faster(request, monkeypatch):
    if request.param and not module._has_operator():
        pytest.skip("this torch has no product of oneDNN")
    monkeypatch.setattr(module, "FASTER", request.param)
    monkeypatch.setattr(module, "LEAST", 0)
    monkeypatch.setattr(module, "LEAST_RECORDED", 0)
    return request.param


def factors(dtype, transposed=(False, False)):
    torch.manual_seed(0)
    return [
        torch.randn(shape[::-1], dtype=dtype).t()
        if flip
        else torch.randn(shape, dtype=dtype)
        for shape, flip in zip(((M, K), (K, N)), transposed, strict=True)
    ]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("right", [False, True])
def test_product(faster, dtype, left, right):
    a, b = factors(dtype, (left, right))
    plus = torch.randn(M, N, dtype=dtype)
    expected = (a.double() @ b.double()).to(dtype)
    torch.testing.assert_close(product(a, b), expected)
    torch.testing.assert_close(product(a, b, plus), expected + plus)
    # What is added need not lie in one piece.
    for other in (
        plus.t().contiguous().t(),
        plus[:, :1].expand(M, N),
        plus[0],
    ):
        torch.testing.assert_close(product(a, b, other), expected + other)


@pytest.mark.parametrize("shape", [(0, K, N), (M, 0, N), (M, K, 0), (1, 1, 1)])
def test_no_rows_or_columns(faster, shape):
    m, k, n = shape
    a, b = torch.randn(m, k), torch.randn(k, n)
    torch.testing.assert_close(product(a, b), a @ b)
    torch.testing.assert_close(
        product(a, b, torch.ones(m, n)), torch.ones(m, n) + a @ b
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients(faster, dtype):
    a, b = (t.requires_grad_() for t in factors(dtype))
    plus = torch.randn(M, N, dtype=dtype, requires_grad=True)
    towards = torch.randn(M, N, dtype=dtype)
    found = torch.autograd.grad(matmul(a, b, plus), (a, b, plus), towards)
    expected = torch.autograd.grad(plus + a @ b, (a, b, plus), towards)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("bias", [False, True])
def test_linear(faster, bias):
    torch.manual_seed(0)
    x, weight = torch.randn(2, M, K), torch.randn(N, K)
    tensors = [x, weight, torch.randn(N)][: 2 + bias]
    tensors = [t.requires_grad_() for t in tensors]
    out, expected = (
        function(*tensors) for function in (linear, torch.nn.functional.linear)
    )
    torch.testing.assert_close(out, expected)
    towards = torch.randn_like(out)
    torch.testing.assert_close(
        torch.autograd.grad(out, tensors, towards),
        torch.autograd.grad(expected, tensors, towards),
    )
    with torch.no_grad():
        torch.testing.assert_close(linear(*tensors), expected)


def test_second_gradients(faster):
    a, b = (t.requires_grad_() for t in factors(torch.float32))
    plus = torch.zeros(M, N, requires_grad=True)

    def second(out):
        (first,) = torch.autograd.grad(out.square().sum(), a, create_graph=True)
        return torch.autograd.grad(first.square().sum(), (a, b, plus))

    found, expected = second(matmul(a, b, plus)), second(plus + a @ b)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


def test_registration(faster):
    a, b = (t.requires_grad_() for t in factors(torch.float32))
    operator = torch.ops.symgnn_pyg.product.default
    for shape in (None, (M, N), (N,)):
        plus = None if shape is None else torch.randn(shape).requires_grad_()
        torch.library.opcheck(operator, (a, b, plus))


def test_compile(faster):
    torch.compiler.reset()
    a, b = factors(torch.float32)
    compiled = torch.compile(matmul, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(a, b), a @ b)


def test_plain_code_where_nothing_else_will_do(faster):
    class Product(torch.nn.Module):
        def forward(self, a, b):
            return matmul(a, b)

    a, b = factors(torch.float32)
    program = torch.export.export(Product(), (a, b))
    assert "symgnn_pyg" not in str(program.graph)
    stacked = torch.func.vmap(matmul, (0, None))(a.expand(3, M, K), b)
    torch.testing.assert_close(stacked, (a @ b).expand(3, M, N))


def test_autocast(faster):
    a, b = factors(torch.float32)
    half = torch.randn(M, N, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        out = matmul(a, b, half)
    assert out.dtype == torch.bfloat16
    expected = half.float() + a @ b
    torch.testing.assert_close(out.float(), expected, rtol=0.02, atol=0.1)


def test_it_can_be_switched_off(monkeypatch):
    monkeypatch.setattr(module, "FASTER", True)
    a = torch.zeros(1, 1)
    assert onednn_is_faster(a) == torch.backends.mkldnn.is_available()
    assert not onednn_is_faster(a.double())
    assert not onednn_is_faster(a.to("meta"))
    with torch.backends.mkldnn.flags(enabled=False):
        assert not onednn_is_faster(a)


@pytest.mark.parametrize(
    ("rows", "part", "goes"),
    [(2**13, 0, True), (2**13, 1, False), (8, 0, False)],
)
def test_whole_and_large_matrices_alone_go_to_onednn(
    monkeypatch, rows, part, goes
):
    if not module._has_operator():
        pytest.skip("this torch has no product of oneDNN")
    monkeypatch.setattr(module, "FASTER", True)
    a, b = torch.randn(rows, K + part)[:, :K], torch.randn(K, 32)
    with torch.profiler.profile() as profile:
        product(a, b)
    names = {event.name for event in profile.events()}
    assert any("linear_pointwise" in name for name in names) == goes


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_added_may_lie_apart(faster, dtype):
    a, b = factors(dtype)
    rows = torch.randn(2 * N, dtype=dtype)
    for plus in (
        rows[::2],
        rows[:1].expand(N),
        rows.expand(M, 2 * N)[:, ::2],
        torch.randn(N, M, dtype=dtype).t(),
    ):
        torch.testing.assert_close(product(a, b, plus), a @ b + plus)

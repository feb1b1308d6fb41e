import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision

from symgnn_pyg.nn import SymGNN
from symgnn_pyg.nn.baselines import LinearRegression
from symgnn_pyg.training import evaluate

N, V, K = 16, 3, 4


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.bfloat16, 0.03), (torch.float16, 0.003)]
)
@pytest.mark.parametrize("seed", range(3))
def test_forward(tiny, dtype, tolerance, seed):
    """Both heads are within a share of the norm of what float32 gives."""
    torch.manual_seed(seed)
    net = SymGNN(tiny.ARM, K, **tiny.SIZES).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x = torch.randn(N * V, tiny.T, 3)
    with torch.no_grad():
        expected = net(x)
        with torch.autocast("cpu", dtype=dtype):
            found = net(x)
    assert found.shared.dtype == dtype
    last = x[:, -1:]  # The prediction adds it as it is.
    for one, other in (
        (found.logits, expected.logits),
        (found.future - last, expected.future - last),
    ):
        assert (one - other).norm() < tolerance * other.norm()


def trained(tiny, folder, weighting, precision):
    """Losses and outputs after six steps on full batches."""
    plugins = []
    if precision != "32":
        # Lightning itself has no half precision on the CPU.
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
        plugins = [
            MixedPrecision(
                precision, "cpu", scaler if precision == "16-mixed" else None
            )
        ]
    task, data, trainer = tiny.make_run(
        folder,
        transform=False,
        max_epochs=6,
        plugins=plugins,
        model={"dropout": 0.0},
        data={"batch_size": 20},
        # At 0.003 steps overshoot, whatever the weighting: they amplify noise
        # of the size of rounding in float32 too.
        task={
            "weighting": weighting, "recipe": "full", "learning_rate": 0.002,
        },
    )  # fmt: skip
    trainer.fit(task, data)
    assert trainer.global_step == 6
    assert all(p.dtype == torch.float for p in task.parameters())
    (batch,) = data.val_dataloader()
    with torch.no_grad():
        out = task.eval()(batch)
    found = trainer.callback_metrics
    return (
        found["recognition"],
        found["prediction"],
        out.future - batch.x[:, -1:],
    )


@pytest.mark.parametrize("weighting", [0.9, "mgda"])
def test_training(tiny, tmp_path, weighting):
    """Within 10 % of the recognition loss, 0.01 % of the prediction loss and
    3 % of the largest predicted displacement of float32.
    """
    expected, bf16, fp16 = (
        trained(tiny, tmp_path / precision, weighting, precision)
        for precision in ("32", "bf16-mixed", "16-mixed")
    )
    largest = float(expected[2].abs().max())
    assert largest > 0.01
    for found in (bf16, fp16):
        assert not torch.equal(found[0], expected[0])
        torch.testing.assert_close(found[0], expected[0], rtol=0.1, atol=0)
        torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=0)
        torch.testing.assert_close(
            found[2], expected[2], rtol=0, atol=0.03 * largest
        )


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("64-true", torch.double), ("bf16-true", torch.bfloat16)],
)
def test_one_precision(tiny, tmp_path, precision, dtype):
    """Batches are cast as the network is."""
    task, data, trainer = tiny.make_run(
        tmp_path, max_epochs=1, precision=precision
    )
    trainer.fit(task, data)
    assert trainer.callback_metrics["val_error"] > 0
    assert {parameter.dtype for parameter in task.parameters()} == {dtype}
    (out,) = trainer.predict(task, data.val_dataloader())
    assert out.future.dtype == out.logits.dtype == dtype


def test_casts_to_floating_point_weights_only(tiny, tmp_path):
    """Whether these are parameters or buffers, and not the first ones."""
    task, data, _ = tiny.make_run(tmp_path, transform=False)
    dataset, network = data.train_dataset, task.model
    linear = LinearRegression(tiny.ARM, tiny.STEPS, num_recent=2)
    linear.weight.normal_()
    for model in (network, linear):
        expected = evaluate(model, dataset)["error"].compute()
        count = torch.zeros(1, dtype=torch.int8)
        model.register_parameter(
            "count", torch.nn.Parameter(count, requires_grad=False)
        )
        found = evaluate(model.double(), dataset)["error"].compute()
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)

import pytest
import torch

from symgnn_pyg.training import SafetensorsCheckpoint

# One branch has all there is to compile.
SMALL = {"dropout": 0.0, "orders": (0,), "num_iterations": 1}


def fit(tiny, folder, weighting, backend=None, ckpt_path=None, **arguments):
    task, data, trainer = tiny.make_run(
        folder,
        model=SMALL,
        task={"weighting": weighting, "recipe": "full", "learning_rate": 0.01},
        **arguments,
    )
    if backend is not None:
        torch.compiler.reset()
        task.compile(fullgraph=True, backend=backend)
    trainer.fit(task, data, ckpt_path=ckpt_path)
    return task


@pytest.mark.parametrize(
    ("weighting", "backend"), [(0.9, "eager"), ("mgda", "aot_eager")]
)
def test_compiled_steps_learn_what_others_do(
    tiny, tmp_path, weighting, backend
):
    """In one graph, with the gradients of MGDA; checkpoints are those of a
    task that is not compiled, which goes on from them.
    """
    expected = fit(tiny, tmp_path / "eager", weighting)
    compiled = tmp_path / "compiled"
    first = fit(tiny, compiled, weighting, backend, max_epochs=1)
    last = compiled / "last.ckpt"
    kept = SafetensorsCheckpoint().load_checkpoint(last)["state_dict"]
    assert kept.keys() == expected.state_dict().keys()
    assert all(torch.equal(v, kept[k]) for k, v in first.state_dict().items())
    task = fit(tiny, compiled, weighting, ckpt_path=last)
    for name, value in expected.state_dict().items():
        torch.testing.assert_close(
            task.state_dict()[name], value, rtol=1e-3, atol=1e-4
        )

import pytest
import torch

from symgnn_pyg import ops
from symgnn_pyg.nn import PredictionHead

N, V, C, D, K, STEPS = 2, 5, 3, 6, 4, 3


@pytest.fixture
def head(arm):
    def build(num_classes=K, trained=True, **kwargs):
        made = PredictionHead(
            D,
            C,
            arm,
            num_future=STEPS,
            num_classes=num_classes,
            hidden_channels=8,
            num_hops=2,
            **kwargs,
        )
        if trained:
            torch.nn.init.normal_(made.step.out.lins[-1].weight)
            torch.nn.init.normal_(made.step.out.lins[-1].bias)
        return made.double()

    return build


@pytest.fixture
def inputs():
    return {
        "x": torch.randn(N * V, 7, C, dtype=torch.double),
        "h": torch.randn(N * V, D, dtype=torch.double),
        "actional": torch.randn(N, V, V, dtype=torch.double).softmax(dim=-1),
        "probabilities": torch.randn(N, K).double().softmax(dim=-1),
    }


def test_untrained_head_predicts_stillness(head, inputs):
    made = head(trained=False)
    still = inputs["x"][:, -1:].expand(-1, STEPS, -1)
    torch.testing.assert_close(made(**inputs), still, rtol=0, atol=0)


@pytest.mark.parametrize("frames", [1, 2, 3, 7])
@pytest.mark.parametrize("orders", [(0, 1, 2), (0,), (2, 0), (1,), (3, 1)])
def test_decoding_step_by_step(head, inputs, orders, frames):
    made = head(orders=orders)
    inputs["x"] = inputs["x"][:, :frames]
    sequence, h = inputs["x"], made.fuse(inputs["h"])
    label = inputs["probabilities"].repeat_interleave(V, dim=0)
    for _ in range(STEPS):
        seen = [ops.difference(sequence, order)[:, -1] for order in orders]
        mixed = made.step.graph_conv(h, inputs["actional"])
        h = made.step.gru(torch.cat([*seen, label], dim=-1), mixed)
        pose = sequence[:, -1] + made.step.out(h)
        sequence = torch.cat([sequence, pose.unsqueeze(1)], dim=1)
    torch.testing.assert_close(made(**inputs), sequence[:, frames:])


def test_without_classes(head, inputs):
    made = head(num_classes=0)
    del inputs["probabilities"]
    assert made(**inputs).shape == (N * V, STEPS, C)


def test_without_graphs(head, inputs):
    made = head(use_structural=False, use_actional=False)
    assert made.step.graph_conv is None
    # Nothing passes from joint to joint.
    inputs["h"].requires_grad_()
    made(**inputs)[2].sum().backward()
    touched = inputs["h"].grad.abs().sum(dim=1)
    assert touched.nonzero().tolist() == [[2]]


def test_reset_parameters_returns_to_stillness(head, inputs):
    made = head()
    before = made.step.gru.weight_ih.clone()
    made.reset_parameters()
    assert not torch.equal(made.step.gru.weight_ih, before)
    still = inputs["x"][:, -1:].expand(-1, STEPS, -1)
    torch.testing.assert_close(made(**inputs), still)


def test_probabilities_missing_or_extra(head, inputs):
    probabilities = inputs.pop("probabilities")
    with pytest.raises(
        ValueError, match="must be given for a head with 4 classes"
    ):
        head()(**inputs)
    with pytest.raises(
        ValueError, match="must be None for a head with 0 classes"
    ):
        head(num_classes=0)(**inputs, probabilities=probabilities)


def test_actional_graph_missing(head, inputs):
    inputs["actional"] = None
    with pytest.raises(ValueError, match=r"'actional' graphs .*, got None"):
        head()(**inputs)


def test_only_the_last_frames_matter(head, inputs):
    made = head()
    expected = made(**inputs)
    inputs["x"] = inputs["x"].clone()
    inputs["x"][:, :4] += 1
    torch.testing.assert_close(made(**inputs), expected)
    inputs["x"][:, 4] += 1
    assert not torch.allclose(made(**inputs), expected)


def test_class_probabilities_matter(head, inputs):
    made = head()
    other = {**inputs, "probabilities": inputs["probabilities"].flip(0)}
    assert not torch.allclose(made(**inputs), made(**other))

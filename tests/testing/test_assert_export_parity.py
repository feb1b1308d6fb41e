import pytest
import torch
from torch.export import Dim
from torch.nn import BatchNorm1d

from symgnn_pyg.testing import assert_export_parity

INPUTS = {"x": torch.randn(5, 3)}
ROWS = {"x": {0: Dim("rows")}}


def exported_otherwise(self, x):
    return self.lin(x) + 1e-3 * torch.compiler.is_exporting()


def branching(self, x):
    return self.lin(x) if x.sum() > 0 else x


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (exported_otherwise, "Made changes when it is exported: the output"),
        (branching, "Made cannot be exported: "),
    ],
)
def test_faults_are_found(layer, function, message):
    with pytest.raises(AssertionError, match=message):
        assert_export_parity(layer(function), INPUTS)


def test_other_sizes(layer):
    others = [{"x": torch.randn(rows, 3)} for rows in (2, 9)]
    made = layer(lambda self, x: self.lin(x).sin())
    assert_export_parity(made, INPUTS, ROWS, others)
    with pytest.raises(AssertionError, match="Made cannot be exported: "):
        assert_export_parity(made, INPUTS, others=others)
    fixed = layer(lambda self, x: self.lin(x).view(5, 4))
    assert_export_parity(fixed, INPUTS)
    with pytest.raises(AssertionError, match="Made cannot be exported: "):
        assert_export_parity(fixed, INPUTS, ROWS)


def test_layers_are_asked_in_evaluation_mode():
    norm = BatchNorm1d(3)
    assert_export_parity(norm, {"input": torch.randn(5, 3)})
    assert norm.training
    assert norm.num_batches_tracked == 0

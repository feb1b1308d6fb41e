r"""Assertions about the properties of layers and formulas, for the tests of
this library and of layers that build on it. Each raises an
:class:`AssertionError` that says which property is violated, where, and by
how much.
"""

from symgnn_pyg.testing.assert_batch_invariant import assert_batch_invariant
from symgnn_pyg.testing.assert_compile_parity import assert_compile_parity
from symgnn_pyg.testing.assert_edge_order_invariant import (
    assert_edge_order_invariant,
)
from symgnn_pyg.testing.assert_export_parity import assert_export_parity
from symgnn_pyg.testing.assert_formula_parity import assert_formula_parity
from symgnn_pyg.testing.assert_permutation_equivariant import (
    assert_permutation_equivariant,
)
from symgnn_pyg.testing.assert_rigid_motion_behaviour import (
    assert_rigid_motion_behaviour,
)
from symgnn_pyg.testing.assert_state_round_trip import assert_state_round_trip
from symgnn_pyg.testing.randomise_state import randomise_state

__all__ = [
    "assert_batch_invariant",
    "assert_compile_parity",
    "assert_edge_order_invariant",
    "assert_export_parity",
    "assert_formula_parity",
    "assert_permutation_equivariant",
    "assert_rigid_motion_behaviour",
    "assert_state_round_trip",
    "randomise_state",
]

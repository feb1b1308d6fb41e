import numpy as np

from symgnn_pyg.visualization.bone_path import bone_path


def test_values():
    pose = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    expected = [[2, 3], [0, 1], [np.nan] * 2, [4, 5], [2, 3], [np.nan] * 2]
    np.testing.assert_array_equal(bone_path(pose, [(1, 0), (2, 1)]), expected)


def test_no_pairs():
    assert bone_path(np.zeros((3, 2)), []).shape == (0, 2)

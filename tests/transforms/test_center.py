import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import Center

ARM = Skeleton(["shoulder", "hand"], [("hand", "shoulder")])
X = torch.tensor([[[1.0], [2.0]], [[5.0], [9.0]]])  # [V, T, C]


def test_follows_the_joint():
    data = SkeletonData(x=X, future=X + 3, skeleton=ARM)
    done = Center()(data)
    assert done.x.tolist() == [[[0.0], [0.0]], [[4.0], [7.0]]]
    assert done.future.tolist() == [[[0.0], [0.0]], [[4.0], [7.0]]]


def test_first_frame():
    data = SkeletonData(x=X, future=X + 3, skeleton=ARM)
    done = Center("hand", per_frame=False)(data)
    assert done.x.tolist() == [[[-4.0], [-3.0]], [[0.0], [4.0]]]
    assert done.future.tolist() == [[[-1.0], [0.0]], [[3.0], [7.0]]]


def test_bodies_keep_their_distance():
    x = torch.cat([X, X + 10])
    data = SkeletonData(x=x, skeleton=ARM, num_bodies=2)
    done = Center(0)(data)
    assert torch.equal(done.x[2:] - done.x[:2], data.x[2:] - data.x[:2])
    assert done.x[0].tolist() == [[0.0], [0.0]]


def test_default_is_the_centre_of_the_skeleton(sample):
    ntu = Skeleton.get("ntu25")
    done = Center()(sample(skeleton=ntu))
    assert done.x[ntu.index("spine")].eq(0).all()
    assert done.x[0].ne(0).all()

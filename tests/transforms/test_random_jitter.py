import torch

from symgnn_pyg.transforms import RandomJitter


def test_noise_of_the_observed_frames(sample):
    data = sample(bodies=20, num_observed=100)
    done = RandomJitter(0.02)(data)
    noise = done.x - data.x
    assert noise.mean().abs() < 1e-3
    assert abs(noise.std() - 0.02) < 5e-4
    # No joint, frame or channel shares its noise with another.
    assert (noise[1:] - noise[:-1]).std() > 0.025
    assert (noise[:, 1:] - noise[:, :-1]).std() > 0.025
    assert (noise[..., 1:] - noise[..., :-1]).std() > 0.025


def test_the_future_stays_true(sample):
    data = sample()
    assert torch.equal(RandomJitter(1.0)(data).future, data.future)

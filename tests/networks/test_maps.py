"""Arithmetic of feature maps against torch's own."""

import pytest
import torch
import torch.nn.functional as F

from lib.networks.maps import bilinear, by_products, coarse, enlarged


@pytest.mark.parametrize(
    ("small", "large"), [((14, 14), (55, 55)), ((14, 14), (27, 27)), ((3, 5), (8, 20))]
)
def test_interpolation_by_products_is_torchs_with_its_gradient(small, large):
    y = torch.randn(2, 3, *small, requires_grad=True)
    results = by_products(y, large), F.interpolate(y, large, mode="bilinear")
    weights = torch.randn(2, 3, *large)
    torch.testing.assert_close(*results, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        *(torch.autograd.grad(z, y, weights)[0] for z in results), atol=1e-5, rtol=1e-5
    )
    assert results[0].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(enlarged(y, large), results[1])  # on the processor


def test_weights_first_made_in_inference_serve_a_training():
    bilinear.cache_clear()
    with torch.inference_mode():
        by_products(torch.ones(1, 1, 2, 2), (3, 3))
    y = torch.ones(1, 1, 2, 2, requires_grad=True)
    by_products(y, (3, 3)).sum().backward()
    assert y.grad.sum() == pytest.approx(9)  # each of the nine places is a mean of the four


def test_a_map_is_made_coarser_only_where_it_is_finer():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert coarse(x, 4) is x
    assert coarse(x, 2).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]

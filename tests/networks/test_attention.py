"""The attention block: nothing at gain 0, torch's own attention as oracle, a 2 x 2 map by hand,
the prior.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lib.networks.attention import Attention, make_block, region_prior
from lib.settings.options import KINDS, AttentionSettings

BLOCKS = [kind for kind in KINDS if kind != "none"]


def block(kind="self", channels=16, seed=0, **changes):
    return make_block(
        Attention(kind, reduction=4, **changes), channels, torch.Generator().manual_seed(seed)
    )


def maps(n=2, channels=16, size=5, seed=0):
    return torch.randn(n, channels, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_at_gain_0_every_kind_is_exactly_the_identity(kind):
    assert torch.equal(block(kind)(maps()), maps())


@pytest.mark.parametrize("kind", BLOCKS)
def test_at_another_gain_every_kind_changes_the_map_in_proportion(kind):
    x = maps()
    half, whole = (block(kind, gain=gain)(x) - x for gain in (0.5, 1.0))
    assert half.abs().max() > 1e-3
    assert torch.allclose(2 * half, whole, atol=1e-5)


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("with_prior", [False, True])
def test_self_equals_attention_written_out(heads, temperature, with_prior):
    """Oracle: softmax(Q K' / (temperature sqrt(d)) + prior) V, in explicit loops over images
    and heads.
    """
    one, x = block(heads=heads, temperature=temperature, gain=1.0), maps()
    prior = torch.randn(2, 25) if with_prior else None
    weights, d = one.attention_map(x, prior), 4 // heads
    inner = torch.zeros(2, 4, 25)
    for b in range(2):
        q, k, v = (
            layer(x[b : b + 1]).flatten(2)[0] for layer in (one.query, one.key, one.value)
        )  # (4, N)
        for h in range(heads):
            rows = slice(h * d, (h + 1) * d)
            logits = q[rows].T @ k[rows] / (temperature * d**0.5) + (prior[b] if with_prior else 0)
            assert torch.allclose(weights[b, h], torch.softmax(logits, dim=1), atol=1e-5)
            inner[b, rows] = (torch.softmax(logits, dim=1) @ v[rows].T).T
    assert torch.allclose(one.change(x, prior), one.out(inner.view(2, 4, 5, 5)), atol=1e-5)


def test_self_equals_scaled_dot_product_attention():
    one, x = block(gain=1.0), maps()
    q, k, v = (
        layer(x).flatten(2).transpose(1, 2) for layer in (one.query, one.key, one.value)
    )  # (B, N, d)
    expected = one.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).view(2, 4, 5, 5))
    assert torch.allclose(one.change(x), expected, atol=1e-5)
    assert torch.allclose(
        one.attention_map(x)[:, 0] @ v, F.scaled_dot_product_attention(q, k, v), atol=1e-5
    )


def test_a_map_of_two_by_two_places_by_hand():
    """One channel with values 0, 0, 0, ln 3, and query = key = value = the map itself: only the
    last place is sharp, with logits 0, 0, 0, (ln 3)^2 for itself; the others attend evenly."""
    one = make_block(Attention(reduction=1, gain=1.0), 1, torch.Generator().manual_seed(0))
    for layer in (one.query, one.key, one.value, one.out):
        torch.nn.init.ones_(layer.weight)
    last = np.log(3)
    x = torch.tensor([0, 0, 0, last]).float().view(1, 1, 2, 2)
    share = np.exp(last**2) / (3 + np.exp(last**2))
    assert np.allclose(one.attention_map(x)[0, 0, :3].detach(), 0.25)
    assert np.allclose(
        one.attention_map(x)[0, 0, 3].detach(), [*3 * [(1 - share) / 3], share], atol=1e-6
    )
    expected = [last / 4, last / 4, last / 4, last + share * last]
    assert np.allclose(one(x).detach().flatten(), expected, atol=1e-6)


def test_a_finer_map_is_averaged_to_the_grid_and_the_answer_interpolated():
    """Oracle: attention on a map that is constant within 2 x 2 places is attention on the map
    of those places.
    """
    fine_block, coarse_block = block(gain=1.0, grid=3), block(gain=1.0, grid=14)
    small = maps(size=3)
    fine = small.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    assert torch.allclose(
        fine_block.attention_map(fine), coarse_block.attention_map(small), atol=1e-6
    )
    expected = F.interpolate(coarse_block.change(small), (6, 6), mode="bilinear")
    assert torch.allclose(fine_block.change(fine), expected, atol=1e-5)


def test_squeeze_and_excitation_by_hand():
    one = make_block(Attention("se", reduction=1, gain=1.0), 1, torch.Generator().manual_seed(0))
    torch.nn.init.ones_(one.down.weight), torch.nn.init.ones_(one.up.weight)
    x = torch.tensor([1.0, 2, 3, 2]).view(1, 1, 2, 2)  # mean 2
    assert torch.allclose(one(x), x * (1 + torch.sigmoid(torch.tensor(2.0))))


def test_cbam_mixes_places_and_squeeze_and_excitation_weighs_channels_alone():
    x = maps().abs() + 0.1
    se, cbam = (block(kind, gain=1.0).change(x) / x for kind in ("se", "cbam"))
    assert torch.allclose(se.std(dim=(2, 3)), torch.zeros(2, 16), atol=1e-5)
    assert cbam.std(dim=(2, 3)).min() > 1e-3


def as_published(one, kind, x):
    """Hu et al. 2018, eq. 2 to 4, and Woo et al. 2018, eq. 1 to 3: from torch's own means,
    maxima and products.
    """
    pooled = [x.mean((2, 3))] if kind == "se" else [x.mean((2, 3)), x.amax((2, 3))]
    y = (
        x
        * torch.sigmoid(sum(one.up(F.relu(one.down(value))) for value in pooled))[:, :, None, None]
    )
    if kind == "se":
        return x + one.gain * y
    return x + one.gain * y * torch.sigmoid(one.spatial(torch.stack([y.mean(1), y.amax(1)], dim=1)))


@pytest.mark.parametrize("kind", ["se", "cbam"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("into_the_map", [False, True])
def test_channel_attention_and_its_gradients_are_those_of_the_formulas(kind, layout, into_the_map):
    one = block(kind, gain=0.7).double()
    x = maps(n=3).double().contiguous(memory_format=layout).requires_grad_(into_the_map)
    asked = [*one.parameters(), *([x] if into_the_map else [])]
    own, theirs = one(x), as_published(one, kind, x)
    assert torch.allclose(own, theirs, atol=1e-6)  # the sigmoids are taken in single precision
    target = maps(n=3, seed=5).double()
    for mine, other in zip(
        *(torch.autograd.grad((y * target).sum(), asked) for y in (own, theirs)), strict=True
    ):
        assert torch.allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_temperature_evens_out_and_sharpens():
    def entropy(temperature):
        p = block(temperature=temperature).attention_map(maps())
        return -(p * p.log()).sum(-1).mean().item()

    assert entropy(0.2) < entropy(1.0) < entropy(5.0) < np.log(25) + 1e-6


def test_matched_has_the_weights_of_self_and_never_mixes_places():
    def weights(kind):
        return sum(
            p.numel()
            for name, p in block(kind, channels=64).named_parameters()
            if name.endswith("weight")
        )

    assert weights("matched") == weights("self") == 4 * 64 * 16
    x, one = maps(), block("matched", gain=1.0)
    changed = x.clone()
    changed[:, :, 2, 3] += 1
    moved = (one(changed) - one(x)).abs().amax(dim=(0, 1))
    assert moved[2, 3] > 0 and (moved > 0).sum() == 1


@pytest.mark.parametrize("kind", BLOCKS)
def test_gradients_reach_every_parameter_of_the_block(kind):
    one = block(kind, gain=0.3)
    one(maps()).square().sum().backward()
    gradients = {name: p.grad for name, p in one.named_parameters()}
    gradients.pop(
        "key.bias", None
    )  # adds the same to all logits of a query: no effect by construction
    assert all(g is not None and g.abs().max() > 0 for g in gradients.values())


@pytest.mark.parametrize("kind", BLOCKS)
def test_at_gain_0_the_gain_itself_has_a_gradient(kind):
    one = block(kind)
    one(maps()).square().sum().backward()
    assert one.gain.grad.abs() > 0


def test_an_even_prior_changes_nothing_and_only_differences_between_parts_count():
    even = Attention(region_prior={"eyes": 2.0, "nose": 2.0, "mouth": 2.0})
    assert set(even.region_weights().values()) == {0.0}
    some, shifted = (
        Attention(region_prior={"eyes": a, "nose": a, "mouth": a + 3}) for a in (0.0, 5.0)
    )
    assert (
        some.region_weights()
        == shifted.region_weights()
        == {"eyes": -1.0, "nose": -1.0, "mouth": 2.0}
    )
    one, x = block(), maps()
    assert torch.allclose(
        one.attention_map(x, torch.full((1, 25), 7.0)), one.attention_map(x), atol=1e-6
    )


def test_a_prior_draws_attention_to_its_part_by_its_log_weight():
    """Where queries are all zero the logits are the prior alone, so the odds of two places are
    exp(difference).
    """
    one, x = block(), maps()
    torch.nn.init.zeros_(one.query.weight)
    mask = torch.zeros(5, 5)
    mask[4] = 1
    prior = region_prior({"mouth": np.log(3)}, {"mouth": mask}, (5, 5))
    p = one.attention_map(x, prior)[0, 0, 0].view(5, 5)
    assert prior.shape == (1, 25)
    assert torch.allclose(p[4] / p[0], torch.full((5,), 3.0), atol=1e-4)


def test_a_prior_weighs_places_by_the_share_that_the_part_covers():
    mask = torch.zeros(3, 4, 4)  # three images
    mask[1, :2, :1] = 1  # half of the first of four places
    prior = region_prior({"eyes": 2.0, "nose": 0.0}, {"eyes": mask}, (2, 2))
    assert torch.equal(prior, torch.tensor([[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]).float())
    assert region_prior({"eyes": 0.0}, {}, (2, 2)) is None
    with pytest.raises(ValueError, match="no mask of mouth"):
        region_prior({"mouth": 1.0}, {"eyes": mask}, (2, 2))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "soft"}, "allowed: self, se, cbam"),
        ({"location": "conv6"}, "allowed: conv1"),
        ({"reduction": 64}, "allowed: 1 to 32"),
        ({"temperature": 0.0}, "allowed: 0.01"),
        ({"heads": 0}, "allowed: 1 to 16"),
        ({"grid": 1}, "allowed: 2 to 56"),
        ({"grid": 14.5}, "a whole number"),
        ({"heads": 2.0}, "heads 2.0 given; allowed: 1 to 16, a whole number"),
        ({"heads": "2"}, "a whole number"),
        ({"reduction": 7.5}, "reduction 7.5 given; allowed: 1 to 32, a whole number"),
        ({"temperature": float("nan")}, "allowed: 0.01"),
        ({"temperature": "1"}, "allowed: 0.01"),
        ({"gain": float("nan")}, "gain nan given; allowed: a finite number"),
        ({"gain": float("inf")}, "a finite number"),
        (
            {"region_prior": {"eyes": float("nan")}},
            "region_prior of eyes nan given; allowed: a finite number",
        ),
        ({"region_prior": {"eyes": float("-inf")}}, "a finite number"),
        ({"region_prior": {"eyes": "1"}}, "a finite"),
        ({"region_prior": {"ear": 1.0}}, "allowed: eyes, nose, mouth"),
        ({"kind": "se", "region_prior": {"eyes": 1.0}}, "allowed: kind 'self'"),
    ],
)
def test_impossible_settings_are_refused_with_what_is_allowed(change, says):
    with pytest.raises(ValueError, match=says):
        Attention(**change)


def test_the_positional_order_is_the_documented_one():
    prior = {"mouth": 1.0}
    assert Attention("self", "conv4", 4, 2, 0.5, 0.1, prior) == Attention(
        kind="self",
        location="conv4",
        reduction=4,
        heads=2,
        temperature=0.5,
        gain=0.1,
        region_prior=prior,
    )


def test_heads_that_do_not_divide_the_inner_channels_are_refused():
    with pytest.raises(ValueError, match="allowed: a divisor of 4"):
        block(heads=3)


def test_a_studys_section_becomes_the_same_attention():
    assert Attention.of(AttentionSettings(kind="se", gain=0.5), location="conv2") == Attention(
        "se", "conv2", gain=0.5
    )

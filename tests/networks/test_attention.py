"""The attention block: nothing before training or at gain 0, learning from the first step, torch's
own attention as oracle, a 2 x 2 map by hand, positions, parts.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lib.networks.attention import Attention, make_block
from lib.networks.part_maps import ELSEWHERE, guidance_loss, guide_map, region_prior
from lib.settings.options import KINDS, AttentionSettings

BLOCKS = [kind for kind in KINDS if kind != "none"]


def block(kind="self", channels=16, seed=0, **changes):
    """A new block, which changes nothing yet."""
    attention = Attention(kind, **{"reduction": 4, "heads": 1} | changes)
    return make_block(attention, channels, torch.Generator().manual_seed(seed))


def opened(kind="self", channels=16, seed=0, **changes):
    """A block whose last layers are no longer zero, as after training."""
    one = block(kind, channels, seed, **changes)
    for layer in one.last_layers():
        torch.nn.init.normal_(
            layer.weight, std=0.5, generator=torch.Generator().manual_seed(seed + 1)
        )
    return one


def maps(n=2, channels=16, size=5, seed=0):
    return torch.randn(n, channels, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gain", [0.0, 1.0, -3.0])
def test_before_training_every_kind_is_exactly_the_identity(kind, gain):
    assert torch.equal(block(kind, gain=gain)(maps()), maps())


@pytest.mark.parametrize("kind", BLOCKS)
def test_at_gain_0_a_trained_block_is_exactly_the_identity(kind):
    assert torch.equal(opened(kind, gain=0.0)(maps()), maps())


@pytest.mark.parametrize("kind", BLOCKS)
def test_at_another_gain_every_kind_changes_the_map_in_proportion(kind):
    x = maps()
    half, whole = (opened(kind, gain=gain)(x) - x for gain in (0.5, 1.0))
    assert half.abs().max() > 1e-3
    assert torch.allclose(2 * half, whole, atol=1e-5)


@pytest.mark.parametrize("kind", BLOCKS)
def test_the_last_layers_have_a_gradient_from_the_first_step(kind):
    """With a gain that started at 0 and a random last layer, the gain alone had one."""
    one = block(kind)
    one(maps()).square().sum().backward()
    assert all(layer.weight.grad.abs().max() > 0 for layer in one.last_layers())


@pytest.mark.parametrize("kind", BLOCKS)
def test_six_steps_move_the_map_by_more_than_a_hundredth_of_its_spread(kind):
    """What the block is for: classes that mean and places tell apart, and a read-out that is fixed.

    The old start (gain 0, random last layer) moved the log-odds by 0.04 % of their SD.
    """
    one, x, labels = block(kind), maps(n=32), torch.arange(32) % 2
    x = (x + labels[:, None, None, None]).abs()
    readout = torch.randn(16 * 25, generator=torch.Generator().manual_seed(3)) / 20

    def log_odds():
        return one(x).flatten(1) @ readout

    before, optimiser = log_odds().detach(), torch.optim.Adam(one.parameters(), lr=1e-3)
    for _ in range(6):
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(log_odds(), labels.float()).backward()
        optimiser.step()
    moved = (log_odds().detach() - before).square().mean().sqrt()
    assert moved / before.std() > 0.01


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("with_prior", [False, True])
def test_self_equals_attention_written_out(heads, temperature, with_prior):
    """Oracle: softmax(Q K' / (temperature sqrt(d)) + prior) V, in explicit loops over images
    and heads.
    """
    one, x = opened(heads=heads, temperature=temperature), maps()
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
    one, x = opened(), maps()
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
    one = make_block(Attention(reduction=1, heads=1), 1, torch.Generator().manual_seed(0))
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
    fine_block, coarse_block = opened(grid=3), opened(grid=14)
    small = maps(size=3)
    fine = small.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    assert torch.allclose(
        fine_block.attention_map(fine), coarse_block.attention_map(small), atol=1e-6
    )
    expected = F.interpolate(coarse_block.change(small), (6, 6), mode="bilinear")
    assert torch.allclose(fine_block.change(fine), expected, atol=1e-5)


def test_squeeze_and_excitation_by_hand():
    one = make_block(Attention("se", reduction=1), 1, torch.Generator().manual_seed(0))
    torch.nn.init.ones_(one.down.weight), torch.nn.init.ones_(one.up.weight)
    x = torch.tensor([1.0, 2, 3, 2]).view(1, 1, 2, 2)  # mean 2
    assert torch.allclose(one(x), x * 2 * torch.sigmoid(torch.tensor(2.0)))


def test_cbam_mixes_places_and_squeeze_and_excitation_weighs_channels_alone():
    x = maps().abs() + 0.1
    se, cbam = (opened(kind).change(x) / x for kind in ("se", "cbam"))
    assert torch.allclose(se.std(dim=(2, 3)), torch.zeros(2, 16), atol=1e-5)
    assert cbam.std(dim=(2, 3)).min() > 1e-3


@pytest.mark.parametrize("gain", [1.0, 0.7])
def test_cbam_is_the_published_one_with_weights_that_start_at_one(gain):
    """Woo et al. 2018, eq. 1 to 3, with twice the sigmoid, written out."""
    one, x = opened("cbam", gain=gain), maps(n=3)
    pooled = [x.mean((2, 3)), x.amax((2, 3))]
    channels = 2 * torch.sigmoid(sum(one.up(F.relu(one.down(value))) for value in pooled))
    y = x * channels[:, :, None, None]
    mask = 2 * torch.sigmoid(one.spatial(torch.stack([y.mean(1), y.amax(1)], dim=1)))
    assert torch.allclose(one(x), x + gain * (y * mask - x), atol=1e-6)


def test_temperature_evens_out_and_sharpens():
    def entropy(temperature):
        p = block(temperature=temperature).attention_map(maps())
        return -(p * p.log()).sum(-1).mean().item()

    assert entropy(0.2) < entropy(1.0) < entropy(5.0) < np.log(25) + 1e-6


@pytest.mark.parametrize(
    ("channels", "reduction", "heads"), [(64, 4, 4), (384, 8, 4), (256, 32, 1)]
)
def test_matched_has_the_weights_of_self(channels, reduction, heads):
    """To within one unit of its hidden layer."""
    self, matched = (
        sum(p.numel() for p in block(kind, channels, reduction=reduction, heads=heads).parameters())
        for kind in ("self", "matched")
    )
    assert abs(matched - self) <= channels + 1


def test_matched_never_mixes_places():
    x, one = maps(), opened("matched")
    changed = x.clone()
    changed[:, :, 2, 3] += 1
    moved = (one(changed) - one(x)).abs().amax(dim=(0, 1))
    assert moved[2, 3] > 0 and (moved > 0).sum() == 1


@pytest.mark.parametrize("kind", BLOCKS)
def test_gradients_reach_every_parameter_of_the_block(kind):
    one = opened(kind, gain=0.3)
    one(maps()).square().sum().backward()
    gradients = {name: p.grad for name, p in one.named_parameters()}
    gradients.pop(
        "key.bias", None
    )  # adds the same to all logits of a query: no effect by construction
    assert all(g is not None and g.abs().max() > 0 for g in gradients.values())


def with_positions(**changes):
    one = opened(heads=2, **changes)
    torch.nn.init.normal_(one.position, generator=torch.Generator().manual_seed(4))
    return one


def test_positions_count_by_their_offset_alone():
    """Translation covariance: a step down and across has one bias wherever it starts."""
    bias = with_positions().position_bias((5, 5)).view(2, 5, 5, 5, 5)
    for down, across in ((1, 0), (0, 2), (2, 1)):
        moved = bias[:, down:, across:, down:, across:]
        stayed = bias[:, : 5 - down, : 5 - across, : 5 - down, : 5 - across]
        assert torch.equal(moved, stayed)
    assert len(bias[0].unique()) == 81  # -4 to 4 both ways


def test_a_face_that_moves_takes_its_attention_along():
    """Odds between two asked places, for the same content one place further on, are the same."""
    one, x = with_positions(), maps(size=6)
    moved = x.roll((1, 1), dims=(2, 3))
    before, after = (one.attention_map(y).log().view(2, 2, 6, 6, 6, 6) for y in (x, moved))
    odds = before[:, :, 1, 2, 3, 1] - before[:, :, 1, 2, 0, 4]
    assert torch.allclose(odds, after[:, :, 2, 3, 4, 2] - after[:, :, 2, 3, 1, 5], atol=1e-5)


def test_positions_are_even_before_training_and_by_hand():
    """Without queries the bias alone decides: ln 3 for the right-hand neighbour is odds of 3."""
    one, x = block(), maps(size=3)
    assert not one.position.any()
    torch.nn.init.zeros_(one.query.weight)
    one.position.data[0, 13, 14] = np.log(3)  # offset (0, 1) of a table that starts at (-13, -13)
    p = one.attention_map(x)[0, 0, 4]  # the middle of 3 x 3 places asks
    assert torch.allclose(p, torch.tensor([1, 1, 1, 1, 1, 3, 1, 1, 1]) / 11)


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


def test_a_guide_is_a_distribution_that_gives_each_part_its_share():
    mask = {part: torch.zeros(4, 4) for part in ("eyes", "mouth")}
    mask["eyes"][0], mask["mouth"][3, :2] = 1, 1
    found = guide_map({"eyes": 1.0, "nose": 0.0, "mouth": 3.0}, mask, (4, 4)).view(4, 4)
    even = ELSEWHERE / 16
    assert torch.allclose(found.sum(), torch.tensor(1.0))
    assert torch.allclose(found[0], torch.full((4,), (1 - ELSEWHERE) / 4 / 4 + even))
    assert torch.allclose(found[3, :2], torch.full((2,), (1 - ELSEWHERE) * 3 / 4 / 2 + even))
    assert torch.allclose(found[1:3], torch.full((2, 4), even))


def test_the_guidance_loss_by_hand_and_at_its_least():
    target = torch.tensor([[0.5, 0.25, 0.25]])
    even, same = torch.full((2, 1, 3, 3), 1 / 3), target.expand(2, 1, 3, 3)
    assert guidance_loss(even, target).item() == pytest.approx(np.log(3) - 1.5 * np.log(2))
    assert guidance_loss(same, target).item() == pytest.approx(0, abs=1e-6)


def test_guidance_draws_attention_received_to_the_parts():
    one, x = block(heads=2), maps(n=8).abs()
    mask = torch.zeros(5, 5)
    mask[4, 1:4] = 1
    target = guide_map({"mouth": 1.0}, {"mouth": mask}, (5, 5))
    optimiser, losses = torch.optim.Adam(one.parameters(), lr=0.02), []
    for _ in range(60):
        optimiser.zero_grad()
        losses.append(guidance_loss(one.attention_map(x), target))
        losses[-1].backward()
        optimiser.step()
    received = one.attention_map(x).mean(dim=(0, 1, 2)).view(5, 5)
    assert losses[-1] < 0.5 * losses[0]
    assert received[4, 1:4].mean() > 2 * received[:3].mean()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "soft"}, "allowed: self, se, cbam"),
        ({"location": "conv6"}, "allowed: conv1"),
        ({"reduction": 64}, "attention.reduction: 64 given; allowed: a whole number from 1 to 32"),
        ({"temperature": 0.0}, "attention.temperature: 0.0 given; allowed: a number from 0.01"),
        ({"heads": 0}, "from 1 to 16"),
        ({"grid": 1}, "from 2 to 56"),
        ({"grid": 14.5}, "a whole number"),
        ({"heads": 2.0}, r"heads: 2.0 given \(float\); allowed: a whole number from 1 to 16"),
        ({"heads": "2"}, "a whole number"),
        ({"temperature": float("nan")}, "a number from 0.01"),
        ({"gain": float("nan")}, "gain: nan given; allowed: a number from -10 to 10"),
        ({"gain": float("inf")}, "a number from -10 to 10"),
        ({"region_prior": {"eyes": float("nan")}}, "region_prior: nan given"),
        ({"region_prior": {"eyes": float("-inf")}}, "region_prior: -inf given.*allowed: a number"),
        ({"region_prior": {"eyes": "much"}}, "'much' given .*allowed: a number"),
        ({"region_prior": {"ear": 1.0}}, "allowed: eyes, nose, mouth"),
        ({"kind": "se", "region_prior": {"eyes": 1.0}}, "allowed: kind 'self'"),
        ({"guide": {"ear": 1.0}}, "allowed: eyes, nose, mouth"),
        ({"guide": {"eyes": -1.0}}, "guide: -1.0 given; allowed: a number"),
        ({"kind": "matched", "guide": {"eyes": 1.0}}, "allowed: kind 'self'"),
        ({"guidance": -1.0, "heads": 0}, "(?s)heads: 0 .*guidance: -1.0 given; allowed: a number"),
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
    settings = AttentionSettings(kind="se", gain=0.5)
    assert Attention.of(settings, location="conv2") == Attention("se", "conv2", gain=0.5)
    assert Attention.of(AttentionSettings()) == Attention()


def test_a_studys_guide_is_for_the_guided_arm_alone():
    settings = AttentionSettings(guide={"mouth": 1.0})
    assert Attention.of(settings).guide is None
    assert Attention.of(settings, guide=settings.guide).guide == {"mouth": 1.0}

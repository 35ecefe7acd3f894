"""Where the parts of a face lie on the grid of an attention block, as weights of its tokens."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

# The share of attention that a guide leaves to the whole picture: hiding eyes, nose and mouth in
# turn measures nothing of the rest of the face.
ELSEWHERE = 0.2


def region_prior(
    weights: Mapping[str, float], regions: Mapping[str, Tensor], size: tuple[int, int]
) -> Tensor | None:
    """Log-weights of the tokens.

    Parameters
    ----------
    weights : log-weight of each part.
    regions : masks of the parts, (B, height, width) or (height, width) for all images, 0..1.
    size : the tokens' grid (H, W).

    Returns
    -------
    float (B or 1, H * W): the sum over parts of log-weight times the share of the token that the
    part covers. None where all weights are 0.

    Raises
    ------
    ValueError : a weighted part without a mask.
    """
    parts = [part for part, weight in weights.items() if weight]
    if not parts:
        return None
    covers = _covers(parts, regions, size)
    return sum(weights[part] * covers[part] for part in parts)


def guide_map(
    shares: Mapping[str, float], regions: Mapping[str, Tensor], size: tuple[int, int]
) -> Tensor:
    """Where a guided attention is to look: a distribution over the tokens, (B or 1, H * W).

    Each part gets its share of ``1 - ELSEWHERE``, evenly over its places; the rest is even over
    the picture. Parameters and errors as in ``region_prior``.
    """
    parts = [part for part, share in shares.items() if share]
    covers = _covers(parts, regions, size)
    total = sum(shares[part] for part in parts)
    inside = sum(shares[p] / total * covers[p] / covers[p].sum(1, keepdim=True) for p in parts)
    return (1 - ELSEWHERE) * inside + ELSEWHERE / inside.shape[1]


def guidance_loss(weights: Tensor, target: Tensor) -> Tensor:
    """Kullback-Leibler divergence, in nats, of attention received from where people look.

    Parameters
    ----------
    weights : attention (B, h, N, N); received by a token is its mean over heads and askers.
    target : distribution over the tokens, (B or 1, N).
    """
    received = weights.float().mean(dim=(1, 2))  # (B, N)
    divergence = target * (target.clamp_min(1e-12) / received.clamp_min(1e-12)).log()
    return divergence.sum(dim=1).mean()


def _covers(
    parts: list[str], regions: Mapping[str, Tensor], size: tuple[int, int]
) -> dict[str, Tensor]:
    """The share of each token that each part covers, (B or 1, N)."""
    if missing := [part for part in parts if part not in regions]:
        raise ValueError(
            f"no mask of {', '.join(missing)} among the regions {sorted(regions)}; "
            "weights of parts need a mask of each part they weigh"
        )
    covers = {}
    for part in parts:
        mask = torch.as_tensor(regions[part]).float()
        mask = mask[None] if mask.ndim == 2 else mask
        covers[part] = F.adaptive_avg_pool2d(mask[:, None], size).flatten(1)
    return covers

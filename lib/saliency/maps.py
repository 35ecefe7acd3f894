"""Saliency maps of the log-odds: what in a face, or in a layer, moves a network's
answer.

Every method takes a network and preprocessed images and returns *raw* maps at its own resolution: a
convolutional layer's grid for the CAMs, the image's for the others. Raw maps are signed, + speaks
for the positive pole and - for the negative (the attention map alone has no sign and no target).
What becomes of the signs is a step of its own, ``normalise``; ``enlarge`` brings maps to the
image's size. The target is always the log-odds, never the predicted
class, which flips along the morph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lib.networks.answers import Halfway, evaluating, log_odds, logits
from lib.networks.network import Network, layer_at
from lib.networks.panel import Panel, log_odds_together, recording, shared_log_odds


def layer_gradient(
    network: Network, images: Tensor | Halfway, location: str = "conv5"
) -> tuple[Tensor, Tensor]:
    """A layer's activation and the log-odds' gradient with respect to it, each (B, C, h, w).

    Only the layers behind ``location`` are differentiated, whether or not the layers in front are
    frozen.
    """
    with evaluating(network), recording(layer_at(network, location)) as tape, torch.enable_grad():
        target = log_odds(
            logits(network, images)
        ).sum()  # images do not mix: one sum gives each its own gradient
        activation = tape.activation
        (gradient,) = torch.autograd.grad(target, activation)
        return activation.detach(), gradient


def gradcam(network: Network, images: Tensor | Halfway, *, location: str = "conv5") -> Tensor:
    """Grad-CAM: channels weighted by their mean gradient (Selvaraju et al. 2017, eq. 1 and 2,
    without the ReLU).

    Parameters
    ----------
    images : float (B, 3, H, W), preprocessed, or a panel's pictures halfway there.
    location : conv1 to conv5, after its ReLU and after an attention block that sits there.

    Returns
    -------
    float (B, h, w), signed, at the layer's resolution.
    """
    return _weighted_by_channel(*layer_gradient(network, images, location))


def hirescam(network: Network, images: Tensor | Halfway, *, location: str = "conv5") -> Tensor:
    """HiResCAM: gradient times activation at every place (Draelos & Carin 2020, eq. 5), signed, (B,
    h, w).

    Grad-CAM's mean gradient forgets *where* a channel matters; under a linear head this map sums to
    the log-odds up to its bias.
    """
    return _weighted_by_place(*layer_gradient(network, images, location))


def _weighted_by_channel(activation: Tensor, gradient: Tensor) -> Tensor:
    return (gradient.mean(dim=(2, 3), keepdim=True) * activation).sum(dim=1)


def _weighted_by_place(activation: Tensor, gradient: Tensor) -> Tensor:
    return (gradient * activation).sum(dim=1)


def occlusion(network: Network, images: Tensor, **options: int) -> Tensor:
    """``occlusion_maps`` of one network: float (B, H, W)."""
    return occlusion_maps([network], images, **options)[0]


def occlusion_maps(
    networks: Sequence[Network],
    images: Tensor,
    *,
    patch: int = 32,
    stride: int = 32,
    batch: int = 64,
) -> Tensor:
    """Occlusion sensitivity: by how much a grey patch lowers the log-odds (Zeiler & Fergus 2014).

    The patch takes the image's own mean colour. A pixel's value is the mean over the patches that
    cover it; patches reach over the border, so that the border is covered as often as the middle.

    Parameters
    ----------
    networks : with the same convolutions, which then run once for all of them.
    patch, stride : pixels; stride divides patch.

    Returns
    -------
    float (n_networks, B, H, W), in log-odds: + where the patch takes away evidence for the positive
    pole.
    """
    height, width = images.shape[-2:]
    if patch % stride:
        raise ValueError(
            f"patch {patch} and stride {stride} given; allowed: a stride "
            "that divides the patch, so that "
            "all pixels are covered equally often"
        )
    corners = [
        (top, left)
        for top in range(stride - patch, height, stride)
        for left in range(stride - patch, width, stride)
    ]
    maps = torch.zeros(len(networks), len(images), height, width)
    before = shared_log_odds(networks, images)
    for row, image in enumerate(images):
        for first in range(0, len(corners), batch):
            places = [_place(top, left, patch) for top, left in corners[first : first + batch]]
            answers = log_odds_together(networks, _covered(image, places))
            for column, place in enumerate(places):
                maps[(slice(None), row, *place)] += (before[:, row] - answers[:, column])[
                    :, None, None
                ]
    return maps / (patch // stride) ** 2


def _covered(image: Tensor, places: list[tuple[slice, slice]]) -> Tensor:
    """Copies of an image (3, H, W), each with one place in the image's mean colour."""
    copies = image.repeat(len(places), 1, 1, 1)
    grey = image.mean(dim=(1, 2))[:, None, None]
    for copy, place in zip(copies, places, strict=True):
        copy[(slice(None), *place)] = grey
    return copies


def _place(top: int, left: int, patch: int) -> tuple[slice, slice]:
    return slice(max(top, 0), top + patch), slice(max(left, 0), left + patch)


def integrated_gradients(
    network: Network, images: Tensor, *, steps: int = 16, batch: int = 64
) -> Tensor:
    """Integrated gradients (Sundararajan, Taly & Yan 2017, eq. 3), summed over colours: float (B,
    H, W), signed.

    The path runs from each image's own mean colour, which holds no face and no strange brightness;
    the map's sum is the log-odds of the image minus that of the plain field (midpoint rule).
    """
    baseline = images.mean(dim=(2, 3), keepdim=True).expand_as(images)
    gradients = torch.zeros_like(images)
    shares = (torch.arange(steps) + 0.5) / steps
    with evaluating(network), torch.enable_grad():
        for rows in torch.arange(len(images)).split(batch):
            for some in shares.split(
                max(1, batch // len(rows))
            ):  # few images take several steps at once
                points = torch.lerp(baseline[rows], images[rows], some[:, None, None, None, None])
                points = points.flatten(0, 1).requires_grad_()
                (gradient,) = torch.autograd.grad(log_odds(network(points)).sum(), points)
                gradients[rows] += gradient.unflatten(0, (len(some), -1)).sum(dim=0) / steps
    return ((images - baseline) * gradients).sum(dim=1)


def attention_rollout(weights: list[Tensor]) -> Tensor:
    """Attention rollout (Abnar & Zuidema 2020, eq. 1): how much each place is looked at, through
    all blocks.

    Parameters
    ----------
    weights : a block each, (B, heads, N, N), rows summing to 1 over the last axis (query, key).

    Returns
    -------
    float (B, N), the mean over queries; sums to 1. The residual path counts as looking at oneself.
    """
    identity = torch.eye(weights[0].shape[-1])
    rolled = identity
    for block in weights:
        rolled = (block.mean(dim=1) / 2 + identity / 2) @ rolled
    return rolled.mean(dim=-2)


def attention(network: Network, images: Tensor) -> Tensor:
    """Where FE-AlexNet's self-attention looks: float (B, h, w), unsigned, without a target.

    Raises
    ------
    ValueError : a network without self-attention.
    """
    with evaluating(network), torch.inference_mode():
        weights = network.attention_map(images)
    received = attention_rollout([weights])
    side = round(received.shape[-1] ** 0.5)
    return received.reshape(len(images), side, side)


METHODS: dict[str, Callable[..., Tensor]] = {
    "gradcam": gradcam,
    "hirescam": hirescam,
    "occlusion": occlusion,
    "integrated_gradients": integrated_gradients,
    "attention": attention,
}
# from one layer's activation and gradient, so that a panel's shared way there serves them all
CAMS = {"gradcam": _weighted_by_channel, "hirescam": _weighted_by_place}


def explain(
    network: Network, images: np.ndarray | Panel, method: str = "gradcam", **options: object
) -> np.ndarray:
    """Raw maps of one method for pictures as they are stored.

    Parameters
    ----------
    images : uint8 (n, H, W, 3), RGB; or a Panel, whose shared convolutions the CAMs then reuse.
    method : a key of ``METHODS``.
    options : of the method, such as ``location="conv5"``.

    Returns
    -------
    float32 (n, h, w) at the method's own resolution, signed: + for the positive pole.

    Raises
    ------
    ValueError : an unknown method.
    """
    if method not in METHODS:
        raise ValueError(f"saliency method {method!r} given; allowed: {', '.join(METHODS)}")
    panel = images if isinstance(images, Panel) else Panel(images)
    if method in CAMS:
        return explain_cams(network, panel, [method], **options)[method]
    return (
        torch.cat([METHODS[method](network, part, **options) for part in panel.batches()])
        .float()
        .numpy()
    )


def explain_cams(
    network: Network, panel: Panel, methods: Sequence[str], *, location: str = "conv5"
) -> dict[str, np.ndarray]:
    """Raw maps of several CAMs from one gradient: method -> float32 (n, h, w)."""
    halfway = panel.at(network, location)
    parts = {method: [] for method in methods}
    for first in range(0, len(panel), panel.batch):
        record = layer_gradient(network, halfway.take(slice(first, first + panel.batch)), location)
        for method in methods:
            parts[method].append(CAMS[method](*record))
    return {method: torch.cat(maps).float().numpy() for method, maps in parts.items()}


def normalise(maps: np.ndarray, how: str) -> np.ndarray:
    """The named step between raw maps and pictures or scores; the raw maps stay as they are.

    Parameters
    ----------
    maps : (n, h, w), signed.
    how : ``absolute`` (size of the evidence, either way), ``positive`` (evidence for that pole
        alone), ``negative`` (for that pole alone, as numbers above 0); ``peak`` (divided by each
        map's largest size, signs kept), ``minmax`` (each map stretched to 0 … 1, as the grad-cam
        package does), ``sum`` (each map's sizes sum to 1). The last three make maps of different
        images incomparable: they are for pictures.

    Returns
    -------
    (n, h, w), new

    Raises
    ------
    ValueError : an unknown name.
    """
    if how == "absolute":
        return np.abs(maps)
    if how in ("positive", "negative"):
        return np.maximum(maps if how == "positive" else -maps, 0)
    if how == "minmax":
        lifted = maps - maps.min(axis=(1, 2), keepdims=True)
        return lifted / (1e-7 + lifted.max(axis=(1, 2), keepdims=True))
    if how in ("peak", "sum"):
        sizes = np.abs(maps)
        scale = (sizes.max if how == "peak" else sizes.sum)(axis=(1, 2), keepdims=True)
        return np.divide(
            maps if how == "peak" else sizes, scale, out=np.zeros_like(maps), where=scale > 0
        )
    raise ValueError(
        f"normalisation {how!r} given; allowed: absolute, positive, negative, minmax, peak, sum"
    )


def enlarge(maps: np.ndarray, size: int = 224) -> np.ndarray:
    """Maps at the image's resolution, (n, size, size): bilinear, so no value leaves the range
    of its neighbours.
    """
    maps = torch.as_tensor(np.asarray(maps))[:, None]
    if maps.shape[-2:] == (size, size):
        return maps[:, 0].numpy()
    return F.interpolate(maps, (size, size), mode="bilinear", align_corners=False)[:, 0].numpy()

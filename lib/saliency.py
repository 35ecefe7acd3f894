"""Saliency maps by their public name; the code is in ``lib.mechanisms.saliency``."""

from lib.mechanisms.saliency import (
    attention,
    attention_rollout,
    enlarge,
    explain,
    explain_cams,
    gradcam,
    hirescam,
    integrated_gradients,
    layer_gradient,
    normalise,
    occlusion,
    occlusion_maps,
)

__all__ = [
    "attention",
    "attention_rollout",
    "enlarge",
    "explain",
    "explain_cams",
    "gradcam",
    "hirescam",
    "integrated_gradients",
    "layer_gradient",
    "normalise",
    "occlusion",
    "occlusion_maps",
]

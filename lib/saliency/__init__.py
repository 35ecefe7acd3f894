"""Saliency maps: where in a face a network finds its evidence.

``maps`` makes them, ``enrichment`` says on which parts they lie, ``trust`` whether to believe
them, ``known_cues`` whether they find the one cue that a face has.
"""

from lib.saliency.maps import (
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

"""Grad-CAM of 84 faces (one person, 21 levels x 4 conditions) through AlexNet: ours against the
grad-cam package.

``python tests/benchmarks/bench_gradcam.py`` prints both times and their ratio, from one run on one
machine. Both get the same preprocessed batch, layer and target, and both end with maps stretched to
0 … 1 at the images' size.
"""

import time

import numpy as np
import torch

from lib.backbones.vision import torchvision
from lib.faces.render import make_identity, part_regions, render_face
from lib.morphs.hiding import occlude
from lib.networks.network import build_network, layer_at, preprocess
from lib.saliency.maps import enlarge, gradcam, normalise


def faces() -> torch.Tensor:
    """The preprocessed batch (84, 3, 224, 224)."""
    person, regions = make_identity(0), part_regions(make_identity(0))
    full = [render_face(person, level) for level in np.linspace(0, 1, 21)]
    return preprocess(
        np.stack(full + [occlude(face, mask) for mask in regions.values() for face in full])
    )


def ours(network, images) -> np.ndarray:
    return normalise(
        enlarge(normalise(normalise(gradcam(network, images).numpy(), "positive"), "minmax")),
        "minmax",
    )


def theirs(network, images) -> np.ndarray:
    from pytorch_grad_cam import GradCAM

    # on frozen layers the package needs an input that requires a gradient
    images = images.clone().requires_grad_(
        not any(p.requires_grad for p in network.features.parameters())
    )
    with GradCAM(network, [layer_at(network, "conv5")]) as cam:
        return cam(images, [lambda output: output[1] - output[0]] * len(images))


def race(one, other, *given, rounds: int = 7) -> tuple[float, float, float]:
    """Shortest time of each in turns, so that whatever else the machine does falls on both;
    largest difference.
    """
    times: dict = {one: [], other: []}
    difference = np.abs(one(*given) - other(*given)).max()  # also warms up
    for _ in range(rounds):
        for function, seconds in times.items():
            start = time.perf_counter()
            function(*given)
            seconds.append(time.perf_counter() - start)
    return min(times[one]), min(times[other]), float(difference)


def main() -> None:
    print(
        f"torch {torch.__version__}, torchvision {torchvision.__version__}, "
        f"{torch.get_num_threads()} threads"
    )
    network, images = build_network("alexnet", pretraining="untrained"), faces()
    for what, frozen in (
        ("convolutions frozen, as in the workbook", True),
        ("nothing frozen", False),
    ):
        network.features.requires_grad_(not frozen)
        fast, slow, difference = race(ours, theirs, network, images)
        print(
            f"{what}: {len(images)} faces, ours {fast:.2f} s, grad-cam package {slow:.2f} s: "
            f"{slow / fast:.1f} times as fast; largest difference {difference:.1e}"
        )


if __name__ == "__main__":
    main()

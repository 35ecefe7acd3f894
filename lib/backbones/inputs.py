"""Pictures in front of a network: what each becomes, and what other sets of weights want.

Every network of the workbook takes ``preprocess``-ed pictures: RGB in 0 … 1 less ImageNet's mean,
over its SD. One that was trained on other pictures changes them by itself.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from lib.backbones.weight_files import FEATURES_SET

MEAN = (0.485, 0.456, 0.406)  # of RGB in 0 … 1, torchvision's
SPREAD = (0.229, 0.224, 0.225)
# Sets of weights whose networks saw other pictures: mean and SD of RGB in 0 … 1. torchvision says
# the first of its second VGG16 set, Parkhi, Vedaldi & Zisserman (2015) the second of VGG-Face.
INPUTS = {
    FEATURES_SET: ((0.48235, 0.45882, 0.40784), (1 / 255,) * 3),
    "VGG-Face": ((129.1863 / 255, 104.7624 / 255, 93.5940 / 255), (1 / 255,) * 3),
}


def preprocess(images: np.ndarray, device: str = "cpu") -> Tensor:
    """uint8 (B, H, W, 3) as torchvision's models want them: float (B, 3, H, W), less ImageNet's
    mean, over its SD.

    On a GPU the bytes are sent, a quarter of the floats, and worked on there; on a processor each
    of the 256 values is looked up in a table of what would be computed from it.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(f"images {images.dtype} {images.shape} given; allowed: uint8 (B, H, W, 3)")
    images = np.ascontiguousarray(images)
    if device == "cpu" and images.size:
        x = cv2.LUT(images.reshape(-1, images.shape[2], 3), _table()).reshape(images.shape)
        return torch.from_numpy(x).permute(0, 3, 1, 2)
    return _standardised(torch.from_numpy(images).to(device)).permute(0, 3, 1, 2)


def _standardised(values: Tensor) -> Tensor:
    """uint8 (…, 3) less ImageNet's mean, over its SD."""
    mean, spread = (torch.tensor(numbers, device=values.device) for numbers in (MEAN, SPREAD))
    return values.float().div_(255).sub_(mean).div_(spread)


@cache
def _table() -> np.ndarray:
    """What becomes of each value in each channel, float32 (1, 256, 3)."""
    return _standardised(
        torch.arange(256, dtype=torch.uint8).view(1, 256, 1).expand(1, 256, 3)
    ).numpy()


class OtherInput(nn.Conv2d):
    """A first convolution for pictures less another mean, over another SD, than ImageNet's.

    It takes what ``preprocess`` gives, as every network here does, and changes it by itself; so
    whatever shows pictures to networks need not know which set of weights is in use.
    """

    def __init__(self, convolution: nn.Conv2d, name: str):
        """``name``: of a set of weights in ``INPUTS``."""
        super().__init__(
            convolution.in_channels,
            convolution.out_channels,
            convolution.kernel_size,
            convolution.stride,
            convolution.padding,
        )
        self.load_state_dict(convolution.state_dict())
        self.name = name  # part of ``features_hash``
        mean, spread = (torch.tensor(numbers).view(3, 1, 1) for numbers in INPUTS[name])
        usual_mean, usual_spread = (torch.tensor(x).view(3, 1, 1) for x in (MEAN, SPREAD))
        self.register_buffer("factor", usual_spread / spread, persistent=False)
        self.register_buffer("shift", (usual_mean - mean) / spread, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Preprocessed pictures (B, 3, H, W) to the first map."""
        return super().forward(x * self.factor + self.shift)

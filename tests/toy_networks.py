"""Small networks of the workbook's own kind for the tests of saliency and mechanisms: 32-pixel
images, five layers.
"""

import torch
from torch import nn

from lib.networks.attention import Attention, make_block
from lib.networks.network import Network


def toy_network(seed=0, *, attention=None, channels=6, linear=False):
    """Five convolutions with in-place ReLUs, an attention block or none, and a small classifier.

    The convolutions depend on ``channels`` alone, the rest on ``seed``, as in the workbook.
    """
    with torch.random.fork_rng():
        torch.manual_seed(12)
        widths = [3, *[channels] * 5]
        layers = []
        for k in range(5):
            layers += [nn.Conv2d(widths[k], widths[k + 1], 3, padding=1), nn.ReLU(inplace=True)]
            layers += [nn.MaxPool2d(2)] * (k in (0, 1))
        torch.manual_seed(seed)
        size = channels * 8 * 8
        head = (
            [nn.Linear(size, 2)]
            if linear
            else [nn.Linear(size, 16), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(16, 2)]
        )
        block = make_block(attention, channels, torch.Generator().manual_seed(seed))
        for layer in block.last_layers() if attention is not None else ():
            nn.init.normal_(layer.weight, std=0.3)  # as after training: it changes something
        location = None if attention is None else attention.location
        return Network(nn.Sequential(*layers), nn.Sequential(*head), block, location).eval()


def toy_attention(gain=0.7, location="conv5"):
    return Attention(location=location, reduction=2, heads=1, gain=gain)
